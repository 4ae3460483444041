"""The packages that a Python project declares but its interpreter lacks."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from devinit.errors import StateFileError
from devinit.system.files import read_text

PROGRAMS = frozenset(
    (
        "alembic", "arq", "celery", "daphne", "django-admin", "dramatiq", "fastapi", "flask", "granian",
        "gunicorn", "hypercorn", "litestar", "python", "python3", "rq", "saq", "streamlit", "uvicorn",
    )
)  # fmt: skip
"""Programs that run the code of a project in their own interpreter."""
_REQUIREMENT = re.compile(r"([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[^\]\n]*\]\s*)?(?:[<>=!~][^;@]*)?")
"""Matches a package that every interpreter needs; one with a marker or an address may be of no use to this one."""
_ASKING = """
import sys
from importlib.metadata import PackageNotFoundError, distribution
for name in sys.argv[1:]:
    try:
        distribution(name)
    except PackageNotFoundError:
        sys.exit(name)
"""
_ASKING_SECONDS = 5.0


def lacking(file: Path, python: str, environment: Mapping[str, str]) -> str | None:
    """Return the first package that a file declares and an interpreter lacks; None if that is unknown.

    `file`: requirements.txt or pyproject.toml. `python`: the path of the interpreter.
    """
    names = tuple(dict.fromkeys(_declared(file)))
    if not names:
        return None
    try:
        asked = subprocess.run(
            [python, "-I", "-c", _ASKING, *names],
            cwd=file.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASKING_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    answer = asked.stderr.strip()
    return answer if asked.returncode == 1 and answer in names else None


def _declared(file: Path) -> Iterator[str]:
    try:
        text = read_text(file) or ""
    except StateFileError:
        return
    for line in _of_project(text) if file.name == "pyproject.toml" else text.splitlines():
        if found := _REQUIREMENT.fullmatch(line.partition(" #")[0].strip()):
            yield found[1]


def _of_project(text: str) -> Iterable[str]:
    try:
        match tomllib.loads(text):
            case {"project": {"dependencies": [*lines]}}:
                return [line for line in lines if isinstance(line, str)]
    except (tomllib.TOMLDecodeError, RecursionError):
        pass
    return ()

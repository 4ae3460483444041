"""Find the Python modules that the commands of a service run: `python -m alembic`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from devinit.errors import StateFileError
from devinit.kinds.command import first_words
from devinit.model.service import Service
from devinit.system.files import read_bytes

INTERPRETERS = frozenset(("python", "python3"))


def modules_of(service: Service) -> list[tuple[str, str]]:
    """Return the interpreters and modules in a service's commands: `python -m alembic upgrade head`."""
    return [
        found
        for command in (*service.before_start, service.command or "")
        for found in _module_of(first_words(command), service.directory)
    ]


def _module_of(words: tuple[str, ...], folder: Path) -> Iterator[tuple[str, str]]:
    match words:
        case (program, "-m", module, *_) if program in INTERPRETERS and module.isidentifier():
            yield program, module
        case (program, script, *_) if program in INTERPRETERS and script.endswith("manage.py"):
            try:
                is_of_django = b"django" in (read_bytes(folder / script) or b"")
            except StateFileError:
                return
            if is_of_django:
                yield program, "django"


def is_module_in(folder: Path, module: str) -> bool:
    """Whether a folder itself has a module: `python -m` looks there first."""
    names = (f"{module}.py", f"{module}/__init__.py", f"{module}/__main__.py")
    return any((folder / name).exists() for name in names)

"""Find the version of a program by the files around it, else by asking it once until the program changes."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from devinit.errors import StateFileError
from devinit.system.bounds import Bounds
from devinit.system.files import read_bytes, write_atomically
from devinit.text import one_line
from devinit.toolchains.fingerprint import is_callers_choice, key_of
from devinit.toolchains.node import there as node
from devinit.toolchains.node.managers import MANAGERS
from devinit.toolchains.python import there as python
from devinit.toolchains.versions import Version, version_of

ASK_SECONDS = 10.0
"""Timeout of `--version`; the shim of a version manager takes a tenth of a second."""
MOST_KEPT = 64
KEPT = "toolchains.json"
FAILED = "! "
"""Prefix of a failed answer."""
LONGEST = 200
_NOWHERE = Path("/")
"""A folder without files of any repository."""
_IN_FOLDER = re.compile(r"(?:[a-z]+-)?v?(\d{1,4}\.\d{1,4}\.\d{1,4})(?:-[\w.-]*)?")
"""Matches an installation folder of a version manager: `v20.11.0`, `cpython-3.12.4-linux`."""
_SAID = re.compile(r"(?:^|[\sv])(\d{1,4}\.\d{1,4}(?:\.\d{1,6})?)")
_OWN_VERSION = {"go": "version"}
"""Argument for programs without `--version`."""


class There(Struct, frozen=True):
    """A program that a command would run, with its version."""

    tool: str
    path: Path
    version: Version | None
    """None when it is unknown."""
    complaint: str = ""
    """The error message instead of a version: the shim of a version manager names the missing version."""


class Versions:
    """The versions of programs. The file `kept` stores the answers; without it, programs are asked each time.

    No program inside the bounds is run: a cloned repository may contain its own `node`. With `only_looks`, a
    program that the repository chooses is not run either: by a path in a command, or by a file that a shim reads.
    """

    def __init__(
        self, bounds: Bounds, kept: Path | None, environment: Mapping[str, str], *, only_looks: bool = False
    ) -> None:
        self._bounds, self._kept, self._environment = bounds, kept, environment
        self._only_looks = only_looks
        self._answers: dict[str, str] | None = None

    def of(self, tool: str, path: Path, folder: Path, *, asks: bool = True) -> There:
        """Return a program that runs in a folder, with its version. Blocking.

        With `asks`, it is run if no file states the version.
        """
        real = Path(os.path.realpath(path))
        version = version_by_files(tool, path, real)
        if version is not None or tool in MANAGERS or self._bounds.contains(path):
            return There(tool, path, version)
        if self._only_looks:
            asks = asks and is_callers_choice(str(path), self._environment)
        return self._asked(tool, path, folder, asks=asks)

    def _asked(self, tool: str, path: Path, folder: Path, *, asks: bool) -> There:
        key = f"{tool} {key_of(str(path), folder, self._environment)}"
        if self._answers is None:
            self._answers = _read(self._kept)
        said = self._answers.get(key)
        if said is None and asks:
            said = ask(tool, path, _NOWHERE if self._only_looks else folder, self._environment)
            self._keep(key, said)
        if said is None or said.startswith(FAILED):
            return There(tool, path, None, (said or "").removeprefix(FAILED))
        found = _SAID.search(said)
        return There(tool, path, version_of(found[1]) if found else None)

    def _keep(self, key: str, said: str) -> None:
        answers = {**(self._answers or {}), key: said}
        self._answers = dict(list(answers.items())[-MOST_KEPT:])
        # A failed program may succeed at the next start without any change to it.
        lasting = {each: text for each, text in self._answers.items() if not text.startswith(FAILED)}
        if self._kept is not None and self._kept.parent.is_dir():
            try:
                write_atomically(self._kept, msgspec.json.encode(lasting))
            except StateFileError:
                return  # the file only saves time


def version_by_files(tool: str, path: Path, real: Path) -> Version | None:
    """Return the version of a program if files around it state it."""
    by_files: dict[str, Callable[[], Version | None]] = {
        "python": lambda: python.version_by_files(path, real),
        "node": lambda: node.version_by_files(real),
        "go": lambda: _of_go(real),
    }
    if tool in MANAGERS:
        return node.manager_by_files(tool, real)
    found = by_files[tool]() if tool in by_files else None
    if found is not None and (tool != "python" or len(found) > 2):  # noqa: PLR2004 - its patch release is known
        return found
    named = _IN_FOLDER.fullmatch(real.parent.parent.name)
    return version_of(named[1]) if named else found


def ask(tool: str, path: Path, folder: Path, environment: Mapping[str, str]) -> str:
    """Return the answer of a program to `--version`, or `! ` and its error message."""
    try:
        asked = subprocess.run(
            [path, _OWN_VERSION.get(tool, "--version")],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ASK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return FAILED
    said = asked.stdout if asked.returncode == 0 else asked.stderr
    first = next((line for line in said.decode(errors="replace").splitlines() if line.strip()), "")
    return f"{'' if asked.returncode == 0 else FAILED}{one_line(first)[:LONGEST]}"


def _of_go(real: Path) -> Version | None:
    """Return the version of Go from the file at its root: `go1.22.3`."""
    try:
        content = read_bytes(real.parent.parent / "VERSION", most=1000) or b""
    except StateFileError:
        return None
    return version_of(content.decode(errors="replace").removeprefix("go"))


def _read(kept: Path | None) -> dict[str, str]:
    if kept is None:
        return {}
    try:
        return msgspec.json.decode(read_bytes(kept) or b"{}", type=dict[str, str])
    except (StateFileError, msgspec.DecodeError, RecursionError):
        return {}  # the file only saves time

"""Where the virtual environments of a folder lie."""

from __future__ import annotations

import os
import sys
from itertools import islice
from pathlib import Path

from devinit.toolchains.python.language import VENV_FOLDERS

_OF_TOOLS = frozenset(("_virtualenv.pth", "distutils-precedence.pth"))
"""Files of virtualenv and setuptools that lead to no modules."""
MARK = "pyvenv.cfg"
"""The file that makes a folder an environment."""
MOST_ENTRIES = 10_000
MOST_FOLDERS = 200
"""Of a folder that are looked at: pictures or records of many thousands may lie in it."""


def environments(folder: Path) -> list[Path]:
    """Return the virtual environments in a folder: by their usual names, else by the file that makes them one."""
    if usual := [folder / name for name in VENV_FOLDERS if os.path.isdir(f"{folder}/{name}/bin")]:  # noqa: PTH112 - many
        return usual
    names = _folders_in(folder)
    return [folder / name for name in names if os.path.isfile(f"{folder}/{name}/{MARK}")][:1]  # noqa: PTH113 - many


def _folders_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, MOST_ENTRIES) if entry.is_dir())[
                :MOST_FOLDERS
            ]
    except OSError:
        return []


def interpreter_is_gone(environment: Path) -> bool:
    """Whether an environment has no interpreter any more: the Python that it was made of has been removed."""
    bins = [environment / "bin" / name for name in ("python", "python3")]
    if not (environment / MARK).is_file() or any(os.access(each, os.X_OK) for each in bins):
        return False
    # A link that leads nowhere, or packages that are left.
    return any(map(os.path.lexists, bins)) or any(environment.glob("lib*/python*"))


def may_have_module(environment: Path, module: str) -> bool:
    """Whether a Python of an environment may find a module. Told by its files: nothing is run.

    A `.pth` file may lead anywhere, as those of editable installations do.
    """
    if module in sys.stdlib_module_names:
        return True
    for folder in environment.glob("lib*/python*/site-packages"):
        names = {entry.name for entry in folder.iterdir()}
        others = [name for name in names if name.endswith((".pth", ".egg-link")) and name not in _OF_TOOLS]
        if others or any(name == module or name.startswith(f"{module}.") for name in names):
            return True
    return not any(environment.glob("lib*/python*/site-packages"))


def has_environment(folder: Path) -> bool:
    """Whether there is a virtual environment in a folder, under any name."""
    return bool(environments(folder))

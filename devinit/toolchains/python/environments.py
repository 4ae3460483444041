"""Find the virtual environments in a folder."""

from __future__ import annotations

import os
import sys
from itertools import islice
from pathlib import Path

from devinit.toolchains.python.language import VENV_FOLDERS

_OF_TOOLS = frozenset(("_virtualenv.pth", "distutils-precedence.pth"))
"""Files of virtualenv and setuptools that add no modules."""
MARK = "pyvenv.cfg"
"""The file that marks a virtual environment."""
MOST_ENTRIES = 10_000
MOST_FOLDERS = 200
"""Limits of the entries and folders that are looked at: a folder may hold thousands of images or records."""


def environments(folder: Path) -> list[Path]:
    """Return the virtual environments in a folder: those with usual names, else one with a `pyvenv.cfg`."""
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
    """Return whether an environment lacks its interpreter, because its base Python has been removed."""
    bins = [environment / "bin" / name for name in ("python", "python3")]
    if not (environment / MARK).is_file() or any(os.access(each, os.X_OK) for each in bins):
        return False
    # A dangling link to the interpreter, or packages that remain.
    return any(map(os.path.lexists, bins)) or any(environment.glob("lib*/python*"))


def may_have_module(environment: Path, module: str) -> bool:
    """Return whether the Python of an environment may find a module. Only files are checked; nothing is run.

    A `.pth` file may add any folder, as in editable installations.
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
    """Return whether a folder contains a virtual environment under any name."""
    return bool(environments(folder))

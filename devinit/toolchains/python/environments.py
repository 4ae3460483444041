"""Where the virtual environments of a folder lie."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from devinit.toolchains.python.language import VENV_FOLDERS

_OF_TOOLS = frozenset(("_virtualenv.pth", "distutils-precedence.pth"))
"""Files of virtualenv and setuptools that lead to no modules."""
MARK = "pyvenv.cfg"
"""The file that makes a folder an environment."""


def environments(folder: Path) -> list[Path]:
    """Return the virtual environments in a folder: by their usual names, else by the file that makes them one."""
    if usual := [folder / name for name in VENV_FOLDERS if (folder / name / "bin").is_dir()]:
        return usual
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names are wanted
    except OSError:
        return []
    return [folder / name for name in names if (folder / name / MARK).is_file()][:1]


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
    """Whether there is a virtual environment in a folder, whatever it is called."""
    return bool(environments(folder))

"""Where the virtual environments of a folder lie."""

from __future__ import annotations

import os
from pathlib import Path

from devinit.toolchains.python.language import VENV_FOLDERS

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


def has_environment(folder: Path) -> bool:
    """Whether there is a virtual environment in a folder, whatever it is called."""
    return bool(environments(folder))

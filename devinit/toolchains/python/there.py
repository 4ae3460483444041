"""Read the version of Python from the files around its program; nothing is run."""

from __future__ import annotations

import re
from pathlib import Path

from devinit.errors import StateFileError
from devinit.system.files import LARGEST_SETTINGS, read_bytes
from devinit.toolchains.python.environments import MARK
from devinit.toolchains.versions import Version, version_of

_VERSION = re.compile(r"^version(?:_info)?[ \t]*=[ \t]*(\d[\w.]*)", re.MULTILINE)
"""venv writes `version`, uv and virtualenv write `version_info`. virtualenv's `version` is Python's, too."""
_PROGRAM = re.compile(r"(?:python|pypy)(3\.\d{1,2})")


def version_by_files(program: Path, real: Path) -> Version | None:
    """Return the version of an interpreter or of its virtual environment; None when no file states it.

    `real` is the program without symbolic links: `/usr/bin/python3.11` means (3, 11).
    """
    if (version := version_of_environment(program.parent.parent)) is not None:
        return version
    found = _PROGRAM.fullmatch(real.name)
    return version_of(found[1]) if found else None


def version_of_environment(folder: Path) -> Version | None:
    """Return the Python version of a virtual environment; None when the folder is none."""
    try:
        content = read_bytes(folder / MARK, most=LARGEST_SETTINGS)
    except StateFileError:
        return None
    found = _VERSION.search((content or b"").decode(errors="replace"))
    return version_of(found[1]) if found else None

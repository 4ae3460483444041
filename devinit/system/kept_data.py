"""The check whether the folder of a service contains data, and not only notes about it."""

from __future__ import annotations

import os

from devinit.system.walking import walk

DATA = "data"
"""The folder in a state folder with one folder for each service."""
UNFINISHED = ".unfinished"
"""Suffix of data that a provider was creating when it was killed."""


def has_data(home: str) -> bool:
    """Whether the folder of a service has more than notes about data: a folder with a file in it, or a link."""
    try:
        with os.scandir(home) as entries:
            return any(_is_data(entry) for entry in entries)
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True


def _is_data(entry: os.DirEntry[str]) -> bool:
    if entry.is_symlink():
        return True
    is_folder = entry.is_dir() and not entry.name.endswith(UNFINISHED)
    return is_folder and any(files for _, _, files in walk(entry.path))

"""Find the project that a folder belongs to; every command does this first, so it imports nothing heavy."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Iterator
from pathlib import Path

FILE_NAME = "devinit.toml"
SERVICE_FOLDERS = ("backend", "frontend")
"""Folders that make their parent a project without any configuration."""


def find_root(start: Path) -> Path | None:
    """Return the nearest folder, from `start` upwards, that is a project; None when there is none.

    The search has one pass for each repository on the way, because `backend/` may be a repository of its own
    inside the project: what lies outside of the innermost one counts only when nothing inside it does.
    """
    start = Path(os.path.abspath(start))  # noqa: PTH100 - resolve() would leave a checkout reached by a symlink
    for folders in _by_repository(_upwards(start)):
        root = _configured(folders) or _started(folders) or _recognised(folders, start)
        if root is not None:
            return root
    return None


def _upwards(start: Path) -> Iterator[Path]:
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is none
    for folder in (start, *start.parents):
        yield folder
        if str(folder) == home:
            return


def _by_repository(folders: Iterable[Path]) -> Iterator[list[Path]]:
    """Cut the way up after each repository root (`.git` is a file in a linked worktree or a submodule)."""
    inside: list[Path] = []
    for folder in folders:
        inside.append(folder)
        if _has(folder, ".git"):
            yield inside
            inside = []
    yield inside


def _configured(folders: list[Path]) -> Path | None:
    return next((folder for folder in folders if _has(folder, FILE_NAME)), None)


def _started(folders: list[Path]) -> Path | None:
    """Return the nearest folder where something was started, even when its devinit.toml has gone since."""
    return next((folder for folder in folders if _has(folder, ".devinit/state.json")), None)


def _recognised(folders: list[Path], start: Path) -> Path | None:
    """Return the nearest folder with a service folder in it.

    A service folder is no project while its parent may be one: Django's `backend/backend/` would make it so.
    Around the innermost repository only the project that `start` is a part of counts, not every folder of
    repositories.
    """
    way = (start, *start.parents)
    around = start not in folders
    for folder in folders:
        if folder.name in SERVICE_FOLDERS and folder.parent in folders:
            continue
        found = [folder / name for name in SERVICE_FOLDERS if os.path.isdir(folder / name)]  # noqa: PTH112 - never raises
        if found and (not around or any(service in way for service in found)):
            return folder
    return None


def _has(folder: Path, name: str) -> bool:
    """Tell whether a name is there, readable or not: an unreadable file is an error to show, not a miss."""
    return os.path.lexists(folder / name)

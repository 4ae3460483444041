"""Find the project that a folder belongs to.

Every command does this first, so this module imports nothing but `os`: pathlib alone would double the
time that the interpreter takes to start.
"""

# ruff: noqa: PTH100, PTH111, PTH112, PTH118, PTH119, PTH120

from __future__ import annotations

import os

from devinit.system.checkout import folder_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "devinit.toml"
SERVICE_FOLDERS = ("backend", "frontend")
"""Folders that make their parent a project without any configuration."""


def find_root(start: str | os.PathLike[str]) -> Path | None:
    """Return the nearest folder, from `start` upwards, that is a project; None when there is none."""
    root = find_root_as_text(start)
    if root is None:
        return None
    from pathlib import Path  # see above

    return Path(root)


def find_root_as_text(start: str | os.PathLike[str]) -> str | None:
    """Return `find_root` as text, without loading pathlib.

    The search has one pass for each repository on the way, because `backend/` may be a repository of its own
    inside the project: what lies outside of the innermost one counts only when nothing inside it does.
    """
    way = _upwards(os.path.abspath(start))  # not realpath: a checkout that a link leads to keeps its name
    for folders in _by_repository(way):
        root = _configured(folders) or _started(folders) or _recognised(folders, way)
        if root is not None:
            return root
    return None


def _upwards(start: str) -> list[str]:
    """Return a folder and those above it, up to the home directory."""
    home = os.path.expanduser("~")
    way = [start]
    while way[-1] not in (home, os.path.dirname(way[-1])):
        way.append(os.path.dirname(way[-1]))
    return way


def _by_repository(way: list[str]) -> list[list[str]]:
    """Cut the way up after each repository root (`.git` is a file in a linked worktree or a submodule)."""
    parts: list[list[str]] = [[]]
    for folder in way:
        parts[-1].append(folder)
        if _has(folder, ".git"):
            parts.append([])
    return parts


def _configured(folders: list[str]) -> str | None:
    return next((folder for folder in folders if _has(folder, FILE_NAME)), None)


def _started(folders: list[str]) -> str | None:
    """Return the nearest folder where something was started, even when its devinit.toml has gone since."""
    return next((folder for folder in folders if _has(folder_of(folder), "state.json")), None)


def _recognised(folders: list[str], way: list[str]) -> str | None:
    """Return the nearest folder with a service folder in it.

    A service folder is no project while its parent may be one: Django's `backend/backend/` would make it so.
    Around the innermost repository only the project that the search started in counts, not every folder of
    repositories.
    """
    around = way[0] not in folders
    for folder in folders:
        if os.path.basename(folder) in SERVICE_FOLDERS and os.path.dirname(folder) in folders:
            continue
        services = [os.path.join(folder, name) for name in SERVICE_FOLDERS]
        found = [service for service in services if os.path.isdir(service)]
        if found and (not around or any(service in way for service in found)):
            return folder
    return None


def _has(folder: str, name: str) -> bool:
    """Tell whether a name is there, readable or not: an unreadable file is an error to show, not a miss."""
    return os.path.lexists(os.path.join(folder, name))

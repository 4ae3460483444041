"""A walk through folders of any depth: `os.walk` of Python 3.11 is recursive, and fails at a thousand levels."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 100
"""Levels that are searched in a repository: people use about a dozen, a clone may contain a thousand."""


def walk(
    top: str | os.PathLike[str], *, deepest: int | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each folder from the top down, with the names of its folders and of its other entries.

    As in `os.walk`, the caller may remove folders that are not to be entered, and sort them; links are not
    followed, and unreadable folders are skipped. So are folders more than `deepest` levels below the top.
    """
    waiting = [(os.fspath(top), 0)]
    while waiting:
        folder, depth = waiting.pop()
        folders: list[str] = []
        others: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    (folders if _is_folder(entry) else others).append(entry.name)
        except OSError:
            continue
        yield folder, folders, others
        if depth != deepest:
            below = [(os.path.join(folder, name), depth + 1) for name in reversed(folders)]
            waiting += [each for each in below if not os.path.islink(each[0])]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False

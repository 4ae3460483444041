"""Snapshots of the files in a folder, to detect files that come or go together with a folder.

The kernel reports a folder that is created, moved or renamed. Files that `git checkout` or `cp -r` writes into a
new folder before it is watched cause no event, and files in a moved folder never do.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import TypeAlias

from msgspec import Struct

from devinit.system.paths import is_legible

MOST_ENTRIES = 50_000
"""The most files and folders in a snapshot: about a second on a busy machine, in a thread, and 12 MB."""
MOST_FOLDERS = 10_000
"""The most folders that are watched: the kernel allows a user some ten thousand watches
in all programs together."""

Appearance: TypeAlias = tuple[int, int, int]
"""Inode, size and modification time in nanoseconds."""


class TooManyEntries(Exception):
    """Raised when there are more files and folders than MOST_ENTRIES."""


class Extent(Struct, frozen=True):
    """A folder and the part of it that is examined."""

    directory: str
    reaches: Callable[[str], bool]
    """Whether to enter a folder, given its path relative to `directory`; `directory` itself is ""."""
    follows: Callable[[str], bool]
    """Whether to enter a folder behind a link, given its full path; further links in it are not followed."""


class Snapshot(Struct, frozen=True):
    """Files and folders by their paths relative to the directory of the extent."""

    files: dict[str, Appearance]
    folders: frozenset[str]


NOTHING = Snapshot({}, frozenset())


def look_again(
    before: Snapshot, folders: Collection[str], files: Collection[str], extent: Extent
) -> Snapshot:
    """Return a snapshot in which these folders, with their content, and these files are up to date.

    Raise TooManyEntries.
    """
    tops = {each for each in folders if not is_below(each, folders)}
    seen = {path: each for path, each in before.files.items() if not is_below(path, tops)}
    found = {each for each in before.folders if each not in tops and not is_below(each, tops)}
    for path in files:
        seen.pop(path, None)
        if (appearance := _appearance(_stat(extent, path))) is not None:
            seen[path] = appearance
    for path, appearance in (entry for top in tops for entry in _walk(extent, top)):
        if appearance is None:
            found.add(path)
        else:
            seen[path] = appearance
        if len(seen) + len(found) > MOST_ENTRIES:
            raise TooManyEntries
    return Snapshot(seen, frozenset(found))


def folders_of(extent: Extent, seen: Snapshot | None) -> tuple[list[str], bool]:
    """Return the folders to watch, at most MOST_FOLDERS, and whether there are more.

    The deepest folders are left out. `seen`, if given, contains all of them already.
    """
    if seen is not None:
        found = iter(sorted(seen.folders, key=lambda path: (path.count("/"), path)))
    else:
        found = (path for path, appearance in _walk(extent, "") if appearance is None)
    folders = list(islice(found, MOST_FOLDERS + 1))
    readable = [each for each in folders if os.access(os.path.join(extent.directory, each), os.R_OK)]
    return readable[:MOST_FOLDERS], len(folders) > MOST_FOLDERS


def differences(before: Snapshot, after: Snapshot) -> set[str]:
    """Return the files that were created, written, replaced or removed."""
    paths = before.files.keys() | after.files.keys()
    return {path for path in paths if before.files.get(path) != after.files.get(path)}


def is_below(path: str, folders: Collection[str]) -> bool:
    """Whether a path lies in one of these folders."""
    if not folders or "" in folders:
        return bool(folders) and path != ""
    end = path.find("/")
    while end >= 0:
        if path[:end] in folders:
            return True
        end = path.find("/", end + 1)
    return False


def _walk(extent: Extent, top: str) -> Iterator[tuple[str, Appearance | None]]:
    """Yield a folder and its content, the deepest last; the appearance of a folder is None."""
    waiting: deque[tuple[str, bool]] = deque()
    if extent.reaches(top) and _is_folder(_stat(extent, top)):
        waiting.append((top, False))
    while waiting:
        folder, beyond_link = waiting.popleft()
        yield folder, None
        for name in _names(os.path.join(extent.directory, folder)):
            path = f"{folder}/{name}" if folder else name
            found = _stat(extent, path)
            if (appearance := _appearance(found)) is not None:
                yield path, appearance
            elif _is_folder(found) and extent.reaches(path):
                full = os.path.join(extent.directory, path)
                is_link = os.path.islink(full)
                if not is_link or (not beyond_link and extent.follows(full)):
                    waiting.append((path, beyond_link or is_link))


def _names(folder: str) -> list[str]:
    """Return the names in a folder, without those that are not UTF-8, which the watching library refuses."""
    try:
        return list(filter(is_legible, os.listdir(folder)))
    except OSError:
        return []


def _stat(extent: Extent, path: str) -> os.stat_result | None:
    try:
        return os.stat(os.path.join(extent.directory, path))
    except (OSError, ValueError):
        return None


def _is_folder(found: os.stat_result | None) -> bool:
    return found is not None and stat.S_ISDIR(found.st_mode)


def _appearance(found: os.stat_result | None) -> Appearance | None:
    """Return the appearance of a file; None for a folder, and for a missing file."""
    if found is None or stat.S_ISDIR(found.st_mode):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns

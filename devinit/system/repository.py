"""The top of a git repository, and the limits of an upward search from a folder.

Every command runs this first, so the module imports next to nothing.
"""

from __future__ import annotations

import os
import stat


def search_of(start: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """Return the folders from `start` up to the top of its git repository, then those above it."""
    way = _upwards(
        os.path.abspath(start)
    )  # not realpath: a checkout that is reached by a link keeps its name
    for count, folder in enumerate(way, start=1):
        if is_repository(folder):
            return way[:count], way[count:]
    return way, []


def is_repository(folder: str) -> bool:
    """Whether a folder is the top of a git repository; in a linked worktree or a submodule `.git` is a file."""
    marker = os.path.join(folder, ".git")
    try:
        mode = os.stat(marker).st_mode
        # Git ignores a `.git` folder without a HEAD, too.
        return stat.S_ISREG(mode) or (stat.S_ISDIR(mode) and bool(os.lstat(os.path.join(marker, "HEAD"))))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # It cannot be examined, so the search does not go beyond it.


def _upwards(start: str) -> list[str]:
    """Return a folder and its parents, up to the home directory, but never a folder that others can change.

    A devinit.toml in /tmp, or in another user's folder, may belong to that user.
    """
    home = os.path.expanduser("~")
    way = [start]
    while way[-1] not in (home, above := os.path.dirname(way[-1])) and not _is_of_others(above, start):
        way.append(above)
    return way


def _is_of_others(above: str, start: str) -> bool:
    """Whether other users control the content of a folder, but not of the folder in which a command starts."""
    try:
        found, below = os.stat(above), os.stat(start)  # /tmp may be a link
    except OSError:
        return False
    if found.st_mode & stat.S_IWOTH:
        # On disks without permissions (a Windows drive in WSL) everything is open to every user.
        return bool(found.st_mode & stat.S_ISVTX) or not below.st_mode & stat.S_IWOTH
    caller = os.geteuid()
    # In containers, root works on checkouts of the user who started them, and creates its own folders there.
    return caller != 0 and found.st_uid not in (caller, 0, below.st_uid)

"""Limits on watching files: the kernel's limits for a user, and the file system of the files."""

from __future__ import annotations

import errno
import os

from devinit.system.regular import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS = "/proc/sys/fs/inotify"
MOUNTS = "/proc/self/mountinfo"
_MOST = 1_000_000
"""Bytes of the list of mounts that are read."""


def in_words(error: Exception) -> tuple[str, str]:
    """Return why files cannot be watched, and advice; "" if there is none.

    The text of the error is that of the library (watchfiles, which passes on the messages of notify).
    """
    text = str(error)
    if "MaxFilesWatch" in text or "watch limit" in text:
        return used_up("watches")
    what, _, place = text.partition(' about ["')
    path = place.partition('"]')[0]
    reason, _, number = what.partition(" (os error ")
    if number.startswith(f"{errno.EMFILE})") and "watcher" in reason:
        # Not our own open files: their limit is raised.
        return used_up("instances")
    return (f"{path}: {reason}" if path else reason), ""


def used_up(limit: str) -> tuple[str, str]:
    """Return the problem and the advice when the kernel gives a user no more `watches` or `instances`."""
    setting = f"fs.inotify.max_user_{limit}"
    return (
        f"your {limit} of inotify are used up ({setting} = {limit_of(limit)})",
        f"raise it (`sudo sysctl {setting}=524288`), or end programs that watch many files (editors)",
    )


def limit_of(what: str) -> str:
    """Return how many `watches` or `instances` of inotify a user may have, in the kernel's notation."""
    return _read(os.path.join(LIMITS, f"max_user_{what}")).strip() or "unknown"


def file_system_of(folder: str | os.PathLike[str]) -> str:
    """Return the type of the file system of a folder, such as "ext4"; empty if unknown."""
    real, found, longest = os.path.realpath(folder), "", -1
    for point, kind in _mounts():
        if len(point) >= longest and f"{real}/".startswith(f"{point.rstrip('/')}/"):
            longest, found = len(point), kind
    return found


def is_mounted(path: str | os.PathLike[str]) -> bool:
    """Whether exactly this path is a mount point, as containers use for single files."""
    real = os.path.realpath(path)
    return any(point == real for point, _ in _mounts())


def _mounts() -> Iterator[tuple[str, str]]:
    """Yield each mount point with the type of its file system.

    A line is `30 22 0:40 / /mnt/host rw shared:9 - 9p host rw`: proc_pid_mountinfo(5).
    """
    for line in _read(MOUNTS).splitlines():
        mounted, _, rest = line.partition(" - ")
        words = mounted.split(" ")
        if len(words) > 4:  # noqa: PLR2004 - its fifth word
            yield words[4].replace("\\040", " "), rest.split(" ", 1)[0]


def _read(path: str) -> str:
    try:
        descriptor = open_regular(path)
    except OSError:
        return ""
    try:
        parts: list[bytes] = []
        while len(part := os.read(descriptor, 65536)) and len(parts) * 65536 < _MOST:
            parts.append(part)
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    return b"".join(parts).decode(errors="surrogateescape")

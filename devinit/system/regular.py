"""Opening of regular files alone: a named pipe is waited for without end, and a device is read without end.

Either may stand in the place of a file, by a clone, a copy or a mistake. A program that opens it hangs, and a
supervisor that hangs answers no command any more.
"""

from __future__ import annotations

import errno
import os
import stat

_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_regular(path: str | os.PathLike[str], flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """Return a descriptor of a regular file, which programs that are started do not inherit.

    Raise OSError when it cannot be opened, and for anything else under its name: the error then says what it is.
    """
    try:
        # O_NONBLOCK: opening a named pipe that has no other end would wait for ever.
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY, mode)
    except OSError as error:
        if (
            error.errno == errno.ENXIO
        ):  # a socket; a named pipe that is to be written to, and that nothing reads
            raise not_regular(path, os.stat(path).st_mode) from error
        raise
    found = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(found):
        os.close(descriptor)
        raise not_regular(path, found)
    os.set_blocking(descriptor, True)  # a service inherits that of its log
    return descriptor


def not_regular(path: str | os.PathLike[str], mode: int) -> OSError:
    """Return the error about a name that belongs to something else than a file, by its mode."""
    return OSError(errno.EINVAL, f"it is {kind_of(mode)}, not a file", os.fspath(path))


def kind_of(mode: int) -> str:
    """Return what a mode stands for, in words: `a named pipe`."""
    return next((words for is_kind, words in _KINDS if is_kind(mode)), "no regular file")

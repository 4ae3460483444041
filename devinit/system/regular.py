"""Opening only regular files: a named pipe would block forever, and a device never ends.

Either may be in the place of a file after a clone, a copy or a mistake. A program that opens it hangs, and a
supervisor that hangs answers no command.
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
    """Return a descriptor of a regular file, which started programs do not inherit.

    Raise OSError if it cannot be opened, and for anything but a regular file; the error then says what it is.
    """
    try:
        # O_NONBLOCK: opening a named pipe without another end would block forever.
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY, mode)
    except OSError as error:
        if (
            error.errno == errno.ENXIO
        ):  # a socket, or a named pipe that has no reader and is opened for writing
            raise not_regular(path, os.stat(path).st_mode) from error
        raise
    found = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(found):
        os.close(descriptor)
        raise not_regular(path, found)
    os.set_blocking(descriptor, True)  # a service inherits the descriptor of its log
    return descriptor


def not_regular(path: str | os.PathLike[str], mode: int) -> OSError:
    """Return the error about a path that is something other than a file, according to its mode."""
    return OSError(errno.EINVAL, f"it is {kind_of(mode)}, not a file", os.fspath(path))


def kind_of(mode: int) -> str:
    """Return the kind of file of a mode, in words: `a named pipe`."""
    return next((words for is_kind, words in _KINDS if is_kind(mode)), "no regular file")

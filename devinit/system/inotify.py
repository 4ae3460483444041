"""Change notifications of the kernel (inotify), through ctypes: Python has no binding of its own."""

from __future__ import annotations

import os
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# <sys/inotify.h>
MODIFIED, MOVED_HERE, CREATED = 0x2, 0x80, 0x100
_ONCE = 0x80000000
OVERFLOW = -1
"""The watch number of an event that reports lost events."""

_EVENT = struct.Struct("iIII")
_BUFFER = 65536


class Unavailable(Exception):
    """Raised when inotify is not available, or the user's instances (128 by default) are used up."""


class Inotify:
    """One queue of events with its watches."""

    def __init__(self) -> None:
        if not sys.platform.startswith("linux"):
            raise Unavailable
        import ctypes  # cold start: 3 ms, and only a watch needs it

        self._library = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise Unavailable

    def watch(self, path: str | os.PathLike[str], events: int) -> int | None:
        """Watch a file or folder; return the number in its events, or None if it cannot be watched.

        A file that is already watched keeps its number: the kernel identifies it by its inode.
        """
        number: int = self._library.inotify_add_watch(self._descriptor, os.fsencode(path), events)
        return number if number >= 0 else None

    def watch_once(self, path: str | os.PathLike[str]) -> int | None:
        """Watch a file for the next write only, so that a program that writes all the time costs nothing."""
        return self.watch(path, MODIFIED | _ONCE)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there are events."""
        return self._descriptor

    def events(self) -> Iterator[tuple[int, int]]:
        """Yield the watch and the kind of each pending event."""
        while True:
            try:
                data = os.read(self._descriptor, _BUFFER)
            except BlockingIOError:
                return
            start = 0
            while start < len(data):
                watch, kind, _, name_length = _EVENT.unpack_from(data, start)
                start += _EVENT.size + name_length
                yield watch, kind

    def close(self) -> None:
        """Stop watching."""
        os.close(self._descriptor)

"""Waking up when a log file grows or is replaced, for `logs -f`: by inotify, elsewhere by looking again."""

from __future__ import annotations

import os
import select
import struct
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

# <sys/inotify.h>
_MODIFIED, _MOVED_HERE, _CREATED = 0x2, 0x80, 0x100
_EVENT = struct.Struct("iIII")
_OVERFLOW = -1
_BUFFER = 65536

_LOOK_SECONDS = 0.2
_LOOK_BESIDE_INOTIFY_SECONDS = 2.0
"""Windows drives under WSL, NFS and some container mounts accept a watch and never report."""


class FileWatch:
    """Wait until one of some files changed, appeared, or was replaced by another (log rotation).

    Nothing is missed between two waits: make the watch first, then read to the end, then wait.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        self._paths = [os.path.abspath(path) for path in paths]
        self._inotify: int | None = None
        self._add_watch: Callable[[str, int], int] | None = None
        self._file_watches: set[int] = set()
        self._start_inotify()
        self._watch_again()
        self._seen = self._look()

    def wait(self, timeout: float | None = None) -> bool:
        """Return True when something changed since the last wait, False after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._changed():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            self._pause(left)
        return True

    def close(self) -> None:
        """Stop watching."""
        if self._inotify is not None:
            descriptor, self._inotify = self._inotify, None
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_inotify(self) -> None:
        if not sys.platform.startswith("linux"):
            return
        import ctypes  # cold start: 3 ms, and only who follows needs it

        library = ctypes.CDLL(None, use_errno=True)
        descriptor = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if descriptor < 0:  # the user's inotify instances are used up (128 by default): look instead
            return
        self._inotify = descriptor
        self._add_watch = lambda path, events: library.inotify_add_watch(
            descriptor, os.fsencode(path), events
        )

    def _watch_again(self) -> None:
        """Watch each file for its content, and its folder for a new file of the name.

        The folder is not watched for content: a neighbour that logs much would wake us all the time.
        A file that is watched already keeps its watch; the kernel knows it by its inode.
        """
        if self._inotify is None or self._add_watch is None:
            return
        for path in self._paths:
            self._add_watch(_nearest_folder(path), _CREATED | _MOVED_HERE)
            watch = self._add_watch(path, _MODIFIED)
            if watch >= 0:
                self._file_watches.add(watch)

    def _changed(self) -> bool:
        """Take what inotify has to say, and compare what the files look like with the last time."""
        content_changed = False
        woken = False
        for watch in self._events():
            woken = True
            content_changed |= watch in self._file_watches or watch == _OVERFLOW
        if woken:
            self._watch_again()
        before, self._seen = self._seen, self._look()
        return content_changed or before != self._seen

    def _events(self) -> Iterator[int]:
        """Yield the watch of each event that is waiting."""
        while self._inotify is not None:
            try:
                data = os.read(self._inotify, _BUFFER)
            except BlockingIOError:
                return
            start = 0
            while start < len(data):
                watch, _, _, name_length = _EVENT.unpack_from(data, start)
                start += _EVENT.size + name_length
                yield watch

    def _look(self) -> list[tuple[int, int, int] | None]:
        return [_appearance(path) for path in self._paths]

    def _pause(self, left: float | None) -> None:
        longest = _LOOK_SECONDS if self._inotify is None else _LOOK_BESIDE_INOTIFY_SECONDS
        seconds = longest if left is None else min(left, longest)
        poll = select.poll()
        if self._inotify is not None:
            poll.register(self._inotify, select.POLLIN)
        poll.poll(seconds * 1000)


def _nearest_folder(path: str) -> str:
    """Return the folder of a file, or the nearest one above that exists."""
    folder = os.path.dirname(path)
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder


def _appearance(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns

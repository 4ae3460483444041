"""Waiting until a log file grows or is replaced, for `logs -f`: by inotify, or else by polling."""

from __future__ import annotations

import os
import select
import time

from devinit.system.inotify import CREATED, MODIFIED, MOVED_HERE, OVERFLOW, Inotify, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

_LOOK_SECONDS = 0.2
_LOOK_BESIDE_INOTIFY_SECONDS = 2.0
"""Windows drives under WSL, NFS and some container mounts accept a watch and never report."""


class FileWatch:
    """A wait for files to change, appear, or be replaced (log rotation).

    No change is missed between two waits: create the watch first, then read to the end, then wait.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        self._paths = [os.path.abspath(path) for path in paths]
        self._inotify: Inotify | None = None
        self._file_watches: set[int] = set()
        self._start_inotify()
        self._watch_again()
        self._seen = self._look()

    def wait(self, timeout: float | None = None) -> bool:
        """Return True if a file changed since the last wait, False after `timeout` seconds."""
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
            self._inotify.close()
            self._inotify = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_inotify(self) -> None:
        try:
            self._inotify = Inotify()
        except Unavailable:  # poll instead
            return

    def _watch_again(self) -> None:
        """Watch each file for its content, and its folder for a new file with the name.

        The folder is not watched for content, because a busy log next to the file would wake us all the time. A
        file that is already watched keeps its watch; the kernel identifies it by its inode.
        """
        if self._inotify is None:
            return
        for path in self._paths:
            self._inotify.watch(_nearest_folder(path), CREATED | MOVED_HERE)
            watch = self._inotify.watch(path, MODIFIED)
            if watch is not None:
                self._file_watches.add(watch)

    def _changed(self) -> bool:
        """Read the events of inotify, and compare the files with their last appearance."""
        content_changed = False
        woken = False
        for watch in self._events():
            woken = True
            content_changed |= watch in self._file_watches or watch == OVERFLOW
        if woken:
            self._watch_again()
        before, self._seen = self._seen, self._look()
        return content_changed or before != self._seen

    def _events(self) -> Iterator[int]:
        """Yield the watch of each pending event."""
        if self._inotify is not None:
            yield from (watch for watch, _ in self._inotify.events())

    def _look(self) -> list[tuple[int, int, int] | None]:
        return [_appearance(path) for path in self._paths]

    def _pause(self, left: float | None) -> None:
        longest = _LOOK_SECONDS if self._inotify is None else _LOOK_BESIDE_INOTIFY_SECONDS
        seconds = longest if left is None else min(left, longest)
        poll = select.poll()
        if self._inotify is not None:
            poll.register(self._inotify.fileno(), select.POLLIN)
        poll.poll(seconds * 1000)


def _nearest_folder(path: str) -> str:
    """Return the folder of a file, or its nearest existing parent."""
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

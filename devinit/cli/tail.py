"""The end of a log, and what comes after it: over restarts of the service and replacements of the file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from devinit.errors import StateFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BLOCK = 64 * 1024
LONGEST_LINE = 8 * 1024 * 1024
"""What is longer is shown in pieces: a program that never ends its line must not fill our memory."""
CLOSED = -1


class Tail:
    """One service's log."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self._descriptor = CLOSED
        self._offset = 0
        self._rest = b""

    def last(self, count: int, wanted: Callable[[str], bool], *, follow: bool = False) -> list[str]:
        """Return the last lines that are wanted, and remember where the file ends now.

        Reads no more than it takes to find them. With `follow` a line that is not finished waits for its end.
        """
        if not self._open():
            return []
        self._offset = os.fstat(self._descriptor).st_size
        found: list[str] = []
        if count > 0 or follow:
            for line, complete in self._backwards():
                if not complete and follow:
                    self._offset -= len(line)
                    continue
                if len(found) < count and wanted(text := text_of(line)):
                    found.append(text)
                if len(found) >= count:
                    break
        return found[::-1]

    def more(self) -> Iterator[str]:
        """Yield the lines that have come since."""
        if self._descriptor == CLOSED and not self._open():
            return
        yield from self._appended()
        if self._is_replaced():
            # The old file was read to its end above, although it has another name by now.
            if self._rest:
                yield text_of(self._rest)
            self._close()
            if self._open():
                yield from self._appended()

    def _appended(self) -> Iterator[str]:
        if os.fstat(self._descriptor).st_size < self._offset:
            # It was emptied: it begins anew.
            self._offset, self._rest = 0, b""
        while block := os.pread(self._descriptor, BLOCK, self._offset):
            self._offset += len(block)
            if b"\n" not in block and len(self._rest) + len(block) <= LONGEST_LINE:
                self._rest += block
                continue
            *lines, self._rest = (self._rest + block).split(b"\n")
            yield from map(text_of, lines)
            if len(self._rest) > LONGEST_LINE:
                yield text_of(self._rest)
                self._rest = b""

    def _open(self) -> bool:
        try:
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StateFileError(f"{self.path} cannot be read: {error.strerror}") from error
        self._offset, self._rest = 0, b""
        return True

    def _close(self) -> None:
        if self._descriptor != CLOSED:
            os.close(self._descriptor)
        self._descriptor, self._offset, self._rest = CLOSED, 0, b""

    def _is_replaced(self) -> bool:
        try:
            there = os.stat(self.path)  # noqa: PTH116  beside fstat
        except FileNotFoundError:
            return False  # moved aside; the new one comes with the next start
        return not os.path.samestat(there, os.fstat(self._descriptor))

    def _backwards(self) -> Iterator[tuple[bytes, bool]]:
        """Yield the lines from the end of the log to its beginning, and whether each is finished.

        The log goes on in the files that were moved aside: NAME.log.1 is newer than NAME.log.2.
        """
        yield from backwards(self._descriptor, self._offset)
        number = 1
        while True:
            try:
                descriptor = os.open(f"{self.path}.{number}", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return
            try:
                for line, _ in backwards(descriptor, os.fstat(descriptor).st_size):
                    yield line, True
            finally:
                os.close(descriptor)
            number += 1


def backwards(descriptor: int, end: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines of a file from its end to its beginning, a block at a time, and whether each is finished."""
    later: list[bytes] = []
    """The beginning of a line that goes on after the block that is looked at: its parts, the last one first."""
    length = 0
    finished = False
    position = end
    while position > 0:
        size = min(BLOCK, position)
        position -= size
        first, *others = os.pread(descriptor, size, position).split(b"\n")
        if others:
            *whole, last = others
            line = b"".join([last, *reversed(later)])
            if line or finished:
                yield line, finished
            finished = True
            for each in reversed(whole):
                yield each, True
            later, length = [first], len(first)
        else:
            later.append(first)
            length += len(first)
            if length > LONGEST_LINE:
                yield b"".join(reversed(later)), finished
                later, length = [], 0
    line = b"".join(reversed(later))
    if line or (later and finished):
        yield line, finished


def text_of(line: bytes) -> str:
    """Return a line as text, whatever bytes it has; a line end of Windows is no part of it."""
    return line.decode(errors="replace").rstrip("\r")

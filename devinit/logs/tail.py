"""One service's log: its last lines, all lines since a moment, and what comes after them.

It reads over restarts of the service, over files that were moved aside, emptied or deleted, and over a
beginning that was given back to the disk. It holds a block and a line in memory, whatever the log's length.
"""

from __future__ import annotations

import os

from devinit.errors import StateFileError
from devinit.logs import MARKER
from devinit.logs.lines import Line, ReversedLine, Splitter, text_of
from devinit.logs.mask import KeyLines, without_keys_backwards
from devinit.logs.times import Times, read_times, times_path
from devinit.system.holes import data_from
from devinit.system.limits import cure_of_limit
from devinit.system.regular import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

BLOCK = 64 * 1024
SKIP = 1024 * 1024
"""Bytes that are looked at together where only line ends are counted."""
BYTES_BEFORE = 16 * 1024
"""More than a private key has: one of RSA with 16,384 bits has 13,000."""
CLOSED = -1


class Tail:
    """One service's log."""

    def __init__(self, name: str, path: str | os.PathLike[str]) -> None:
        self.name = name
        self.path = os.fspath(path)
        self._descriptor = CLOSED
        self._splitter = Splitter()
        self._keys = KeyLines()
        self._times: dict[int, Times] | None = None
        self._run: float | None = None

    def last(
        self,
        count: int,
        wanted: Callable[[Line], bool] = lambda _: True,
        *,
        since: float | None = None,
        follow: bool = False,
        among: Callable[[Iterator[Line]], Iterator[Line]] = iter,
    ) -> list[Line]:
        """Return the last lines that are wanted, and remember where the file ends now.

        Reads no more than it takes to find them. With `follow` a line that is not finished waits for its end.
        `among`: leaves lines out before they are counted; it is given them from the last one to the first.
        """
        found: list[Line] = []
        lines = self._backwards(follow=follow) if count > 0 or follow else ()
        for line in among(without_keys_backwards(lines, self._keys, self.name)):
            if len(found) >= count or (since is not None and line.time < since):
                break
            if wanted(line):
                found.append(line)
        return found[::-1]

    def since(self, moment: float, *, follow: bool = False) -> Iterator[Line]:
        """Yield all lines that were printed since then, the oldest first."""
        for line in self._without_keys(self._forwards(moment, follow=follow)):
            if line.time >= moment:
                yield line

    def more(self, *, most: int | None = None) -> Iterator[Line]:
        """Yield the lines that have come since.

        `most`: stop after so many bytes, however much there is; a fast writer is never caught up with.
        """
        yield from self._without_keys(self._more(most))

    def _more(self, most: int | None) -> Iterator[Line]:
        if self._descriptor == CLOSED and not self._open():
            return
        yield from self._appended(most)
        if most is not None and self.unread():
            return
        for path in self._successors():
            # The old file was read to its end above, although it has another name by now.
            yield from self._rest()
            self.close()
            if self._open(path):
                yield from self._appended()

    def unread(self) -> int:
        """Return how many bytes have come that were not read yet."""
        if self._descriptor == CLOSED and not self._open():
            return 0
        return max(0, os.fstat(self._descriptor).st_size - self._splitter.position)

    def skip(self, keep: int) -> int:
        """Pass over what has come, but for the last bytes of it; return how many lines are passed over."""
        at, passed = self._splitter.position, 0
        target = at + self.unread() - keep
        while at < target and (block := os.pread(self._descriptor, min(SKIP, target - at), at)):
            passed += block.count(b"\n")
            at += len(block)
        if at > self._splitter.position:
            # The line that is cut by this is passed over as well.
            self._splitter.jump(at)
            passed += 1
        return passed

    def unfinished(self) -> Line | None:
        """Return the line that has not ended yet: a prompt, a progress bar, or half of one."""
        if (found := self._splitter.unfinished()) is None:
            return None
        _, line, missing = found
        text = self._keys.unfinished(self.name, text_of(line, missing))
        return Line(text, os.fstat(self._descriptor).st_mtime, self._run)

    def is_deleted(self) -> bool:
        """Whether the file was deleted: what is still printed there is kept nowhere."""
        return self._descriptor != CLOSED and os.fstat(self._descriptor).st_nlink == 0

    def close(self) -> None:
        """Give the file back."""
        if self._descriptor != CLOSED:
            os.close(self._descriptor)
            self._descriptor = CLOSED

    def _without_keys(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            yield Line(self._keys(self.name, line.text), line.time, line.run)

    # Forwards

    def _appended(self, most: int | None = None) -> Iterator[Line]:
        """Yield the lines that are finished, up to the end of the file, or until so many bytes were read."""
        found = os.fstat(self._descriptor)
        if found.st_size < self._splitter.position:
            # It was emptied: it begins again.
            self._splitter = Splitter()
        for missed, block in self._blocks(None if most is None else self._splitter.position + most):
            time = os.fstat(self._descriptor).st_mtime
            if missed:
                yield Line(gone(missed), time, self._run)
            for end, line, missing in self._splitter.split(block):
                if line.startswith(MARKER.encode()):
                    self._run = self._run_noted_at(end)
                yield Line(text_of(line, missing), time, self._run)

    def _blocks(self, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield what comes next in the file, and how many bytes before it are gone meanwhile."""
        missed = 0
        while end is None or self._splitter.position < end:
            at = self._splitter.position
            block = os.pread(self._descriptor, BLOCK, at)
            # A hole reads as zeros. Asked afterwards: what was read before it was made is what was there.
            begin = data_from(self._descriptor, at) if b"\0" in block else at
            if begin > at:
                missed += begin - at
                self._splitter.jump(begin)
            elif not block:
                return
            else:
                yield missed, block
                missed = 0

    def _rest(self) -> Iterator[Line]:
        if (unfinished := self._splitter.unfinished()) is not None:
            _, line, missing = unfinished
            yield Line(text_of(line, missing), os.fstat(self._descriptor).st_mtime, self._run)

    def _forwards(self, moment: float, *, follow: bool) -> Iterator[Line]:
        for path in (*reversed(self._older()), self.path):
            self.close()
            if not self._open(path):
                continue
            times = self._times_of(self._descriptor)
            self._run = times.run_at(os.fstat(self._descriptor).st_size)
            # A little earlier: whether a line is the end of a private key, those before it tell.
            begin = line_around(self._descriptor, max(0, times.since(moment) - BYTES_BEFORE))
            first = data_from(self._descriptor, begin)
            inside = first > begin or not starts_a_line(self._descriptor, first)
            self._splitter = Splitter(first, inside_a_line=inside)
            # Not for ever: some programs print faster than a reader can follow.
            until = None if follow else os.fstat(self._descriptor).st_size
            for missed, block in self._blocks(until):
                if missed:
                    yield Line(gone(missed), times.at(self._splitter.position))
                for end, line, missing in self._splitter.split(block):
                    yield Line(text_of(line, missing), times.at(end), times.run_at(end))
            unfinished = self._splitter.unfinished()
            if unfinished is not None and not (follow and path == self.path):
                end, line, missing = unfinished
                yield Line(text_of(line, missing), times.at(end), times.run_at(end))

    # Backwards

    def _backwards(self, *, follow: bool) -> Iterator[Line]:
        """Yield the lines from the end of the log to its beginning.

        The log goes on in the files that were moved aside: NAME.log.1 is newer than NAME.log.2.
        """
        if not self._open():
            return
        size = os.fstat(self._descriptor).st_size
        self._splitter = Splitter(size)
        lines = backwards(self._descriptor, size)
        times = self._times_of(self._descriptor)
        self._run = times.run_at(size)
        for (begin, end), line, missing, finished in lines:
            if follow and not finished:
                # It waits for its end: it is read again from its beginning.
                self._splitter = Splitter(begin)
                continue
            yield Line(text_of(line, missing), times.at(end), times.run_at(end))
        for path in self._older():
            try:
                descriptor = open_regular(path)
            except OSError:
                continue
            try:
                times = self._times_of(descriptor)
                for (_, end), line, missing, _ in backwards(descriptor, os.fstat(descriptor).st_size):
                    yield Line(text_of(line, missing), times.at(end), times.run_at(end))
            finally:
                os.close(descriptor)

    # Files

    def _open(self, path: str | None = None) -> bool:
        try:
            self._descriptor = open_regular(path or self.path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StateFileError(
                f"{path or self.path} cannot be read: {error.strerror}",
                hint=cure_of_limit(error) or f"check who owns it: ls -l {self.path}",
            ) from error
        self._splitter = Splitter()
        return True

    def _older(self) -> list[str]:
        """Return the files that were moved aside, the newest first."""
        found: list[str] = []
        while os.path.exists(name := f"{self.path}.{len(found) + 1}"):  # noqa: PTH110  light
            found.append(name)
        return found

    def _successors(self) -> list[str]:
        """Return the files that the service wrote after the one that is open, the oldest first."""
        ours = os.fstat(self._descriptor)
        if is_file(self.path, ours) or not os.path.exists(self.path):  # noqa: PTH110  light
            # As it was; or moved aside or deleted, and the new one comes with the next start.
            return []
        older = self._older()
        behind = next((index for index, path in enumerate(older) if is_file(path, ours)), 0)
        return [*reversed(older[:behind]), self.path]

    def _run_noted_at(self, end: int) -> float | None:
        """Return when a run began of which the first line has just come: that was noted before."""
        self._times = None
        return self._times_of(self._descriptor).run_at(end)

    def _times_of(self, descriptor: int) -> Times:
        """Return what is known about when a file was written; at least when it was written last."""
        found = os.fstat(descriptor)
        if self._times is None or found.st_ino not in self._times:
            self._times = read_times(self._noted_times())
        times = self._times.setdefault(found.st_ino, Times())
        times.note(found.st_size, found.st_mtime)
        return times

    def _noted_times(self) -> str:
        try:
            times = open_regular(times_path(self.path))
            with open(times, encoding="ascii", errors="replace") as file:  # noqa: PTH123  light
                return file.read()
        except OSError:
            # Made by hand, or not made yet: the lines are there all the same.
            return ""


def backwards(descriptor: int, end: int) -> Iterator[tuple[tuple[int, int], bytes, int, bool]]:
    """Yield the lines of a file from its end to its beginning, a block at a time.

    Of each: where it begins and the offset behind it, its bytes, how many are missing at its end, and whether it
    is finished. A line whose beginning was given back to the disk is left out.
    """
    line = ReversedLine()
    finished, is_empty = False, True
    position = behind = end
    while position > 0:
        size = min(BLOCK, position)
        block = os.pread(descriptor, size, position - size)
        begin = data_from(descriptor, position - size) if b"\0" in block else position - size
        if begin >= position:
            return
        block = block[begin - position :]
        stop = len(block)
        while (start := block.rfind(b"\n", 0, stop) + 1) > 0:
            line.add(block[start:stop])
            if finished or not is_empty or start < stop:
                yield (begin + start, behind), *line.finish(), finished
            line, finished, is_empty, behind = ReversedLine(), True, True, begin + start
            stop = start - 1
        line.add(block[:stop])
        is_empty = is_empty and stop == 0
        if begin > position - size:
            return
        position = begin
    if finished or not is_empty:
        yield (0, behind), *line.finish(), finished


def gone(count: int) -> str:
    """Return the line that stands for lines which came and went faster than they could be read."""
    return f"{MARKER}{count:,} bytes are gone: more was printed than is kept ---"


def line_around(descriptor: int, offset: int) -> int:
    """Return where the line begins that an offset lies in; the offset where that is too far away."""
    start = max(0, offset - BLOCK)
    before = os.pread(descriptor, offset - start, start)
    if b"\n" not in before:
        return 0 if start == 0 else offset
    return start + before.rfind(b"\n") + 1


def starts_a_line(descriptor: int, offset: int) -> bool:
    """Whether a line begins at an offset."""
    return offset == 0 or os.pread(descriptor, 1, offset - 1) == b"\n"


def is_file(path: str, found: os.stat_result) -> bool:
    """Whether a path leads to the file that was found."""
    try:
        return os.path.samestat(os.stat(path), found)  # noqa: PTH116  beside fstat
    except OSError:
        return False

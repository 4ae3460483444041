"""The log of one service: its last lines, all lines since a moment, and new lines.

It reads across restarts of the service, rotated, truncated and deleted files, and a beginning whose disk space was
freed. It keeps one block and one line in memory, whatever the length of the log.
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
"""Bytes that are read at once where only line ends are counted."""
BYTES_BEFORE = 16 * 1024
"""More than the size of a private key: an RSA key with 16,384 bits has 13,000 bytes."""
CLOSED = -1


class Tail:
    """The log of one service."""

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
        """Return the last wanted lines, and remember the current end of the file.

        It reads no more than necessary. With `follow`, an unfinished line waits for its end. `among`: leaves lines
        out before they are counted; it receives them from the last one to the first.
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
        """Yield all lines that were printed since a moment, oldest first."""
        for line in self._without_keys(self._forwards(moment, follow=follow)):
            if line.time >= moment:
                yield line

    def more(self, *, most: int | None = None) -> Iterator[Line]:
        """Yield the new lines.

        `most`: stop after this many bytes, because a reader may never catch up with a fast writer.
        """
        yield from self._without_keys(self._more(most))

    def _more(self, most: int | None) -> Iterator[Line]:
        if self._descriptor == CLOSED and not self._open():
            return
        yield from self._appended(most)
        if most is not None and self.unread():
            return
        for path in self._successors():
            # The old file was read to its end above, although it may have another name by now.
            yield from self._rest()
            self.close()
            if self._open(path):
                yield from self._appended()

    def unread(self) -> int:
        """Return how many new bytes have not been read yet."""
        if self._descriptor == CLOSED and not self._open():
            return 0
        return max(0, os.fstat(self._descriptor).st_size - self._splitter.position)

    def skip(self, keep: int) -> int:
        """Skip new output except for its last bytes; return how many lines are skipped."""
        at, passed = self._splitter.position, 0
        target = at + self.unread() - keep
        while at < target and (block := os.pread(self._descriptor, min(SKIP, target - at), at)):
            passed += block.count(b"\n")
            at += len(block)
        if at > self._splitter.position:
            # The line that this cuts apart is skipped as well.
            self._splitter.jump(at)
            passed += 1
        return passed

    def unfinished(self) -> Line | None:
        """Return the line that has not ended yet: a prompt, a progress bar, or half a line."""
        if (found := self._splitter.unfinished()) is None:
            return None
        _, line, missing = found
        text = self._keys.unfinished(self.name, text_of(line, missing))
        return Line(text, os.fstat(self._descriptor).st_mtime, self._run)

    def is_deleted(self) -> bool:
        """Whether the file was deleted, so that further output is lost."""
        return self._descriptor != CLOSED and os.fstat(self._descriptor).st_nlink == 0

    def close(self) -> None:
        """Close the file."""
        if self._descriptor != CLOSED:
            os.close(self._descriptor)
            self._descriptor = CLOSED

    def _without_keys(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            yield Line(self._keys(self.name, line.text), line.time, line.run)

    # Forwards

    def _appended(self, most: int | None = None) -> Iterator[Line]:
        """Yield the finished lines, up to the end of the file, or until this many bytes were read."""
        found = os.fstat(self._descriptor)
        if found.st_size < self._splitter.position:
            # The file was truncated: it begins again.
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
        """Yield the next blocks of the file, each with the number of bytes before it that are lost."""
        missed = 0
        while end is None or self._splitter.position < end:
            at = self._splitter.position
            block = os.pread(self._descriptor, BLOCK, at)
            # A hole reads as zeros. The check comes after the read: data that was read
            # before a hole was made is valid.
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
            # Start a little earlier: the preceding lines determine whether a line is the end of a private key.
            begin = line_around(self._descriptor, max(0, times.since(moment) - BYTES_BEFORE))
            first = data_from(self._descriptor, begin)
            inside = first > begin or not starts_a_line(self._descriptor, first)
            self._splitter = Splitter(first, inside_a_line=inside)
            # A limit, because some programs print faster than a reader can follow.
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

        Older lines are in the rotated files: NAME.log.1 is newer than NAME.log.2.
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
                # It waits for its end, and is then read again from its beginning.
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
        """Return the rotated files, newest first."""
        found: list[str] = []
        while os.path.exists(name := f"{self.path}.{len(found) + 1}"):  # noqa: PTH110  light
            found.append(name)
        return found

    def _successors(self) -> list[str]:
        """Return the files that the service wrote after the open one, oldest first."""
        ours = os.fstat(self._descriptor)
        if is_file(self.path, ours) or not os.path.exists(self.path):  # noqa: PTH110  light
            # Unchanged; or rotated or deleted, and the next start creates a new file.
            return []
        older = self._older()
        behind = next((index for index, path in enumerate(older) if is_file(path, ours)), 0)
        return [*reversed(older[:behind]), self.path]

    def _run_noted_at(self, end: int) -> float | None:
        """Return when the run began whose first line has just arrived; its start was recorded before."""
        self._times = None
        return self._times_of(self._descriptor).run_at(end)

    def _times_of(self, descriptor: int) -> Times:
        """Return the known times of a file's content, at least the time of its last write."""
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
            # The log was made by hand, or the times are not written yet; the lines are valid nevertheless.
            return ""


def backwards(descriptor: int, end: int) -> Iterator[tuple[tuple[int, int], bytes, int, bool]]:
    """Yield the lines of a file from its end to its beginning, a block at a time.

    For each line: its beginning and the offset after it, its bytes, how many are missing at its end, and whether
    it is finished. A line whose beginning was freed on disk is left out.
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
    """Return a line that replaces lines which were removed faster than they could be read."""
    return f"{MARKER}{count:,} bytes are gone: more was printed than is kept ---"


def line_around(descriptor: int, offset: int) -> int:
    """Return the beginning of the line at an offset; the offset itself if that is too far away."""
    start = max(0, offset - BLOCK)
    before = os.pread(descriptor, offset - start, start)
    if b"\n" not in before:
        return 0 if start == 0 else offset
    return start + before.rfind(b"\n") + 1


def starts_a_line(descriptor: int, offset: int) -> bool:
    """Whether a line begins at an offset."""
    return offset == 0 or os.pread(descriptor, 1, offset - 1) == b"\n"


def is_file(path: str, found: os.stat_result) -> bool:
    """Whether a path leads to this file."""
    try:
        return os.path.samestat(os.stat(path), found)  # noqa: PTH116  beside fstat
    except OSError:
        return False

"""When the bytes of a log were written: known points, and straight lines between them. Pure.

Programs print no times, so the supervisor notes some beside the log, in SERVICE.times. Each line of it says
"this file had this length at this time", and "a run begins here":

    INODE OFFSET UNIX-TIME [run]

The first and the last byte of a burst are exact; what came between is placed in proportion. A file is meant by
its inode, since names move on when logs are put aside. Inodes are used again: a file that is shorter than it
was is another one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from os import fspath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from os import PathLike

RUN = "run"


class Times:
    """What is known about one file."""

    def __init__(self) -> None:
        self._offsets: list[int] = []
        self._times: list[float] = []
        self._run_offsets: list[int] = []
        self._run_times: list[float] = []

    def note(self, offset: int, time: float, *, run: bool = False) -> None:
        """Take over a point; they come in the order in which they happened."""
        if self._offsets and offset < self._offsets[-1]:
            # It was emptied, or it is another file with the number of one that is gone.
            for known in (self._offsets, self._times, self._run_offsets, self._run_times):
                known.clear()
        # A clock that was set back must not put later lines before earlier ones.
        time = max(time, self._times[-1]) if self._times else time
        self._offsets.append(offset)
        self._times.append(time)
        if run:
            self._run_offsets.append(offset)
            self._run_times.append(time)

    def at(self, offset: int) -> float:
        """Return when the byte at an offset was written; of what is older than the first point: not later."""
        after = bisect_right(self._offsets, offset)
        if after == 0 or after == len(self._offsets):
            return self._times[min(after, len(self._times) - 1)] if self._times else 0.0
        begin, end = self._offsets[after - 1], self._offsets[after]
        earlier, later = self._times[after - 1], self._times[after]
        return earlier + (later - earlier) * (offset - begin) / (end - begin)

    def run_at(self, offset: int) -> float | None:
        """Return when the run began that wrote the byte at an offset; None when that was not noted."""
        after = bisect_right(self._run_offsets, offset)
        return self._run_times[after - 1] if after else None

    def since(self, time: float) -> int:
        """Return an offset before which everything is older than `time`."""
        after = bisect_left(self._times, time)
        return self._offsets[after - 1] if after else 0


def times_path(path: str | PathLike[str]) -> str:
    """Return where the times of a log are noted: backend.log → backend.times."""
    return f"{fspath(path).removesuffix('.log')}.times"


def read_times(text: str) -> dict[int, Times]:
    """Return what is known about each file, by its inode. A line that makes no sense is passed over."""
    found: dict[int, Times] = {}
    for line in text.splitlines():
        match line.split():
            case [inode, offset, time, *rest] if inode.isdecimal() and offset.isdecimal():
                try:
                    when, number, place = float(time), int(inode), int(offset)
                except ValueError:  # no time, or a number of thousands of digits
                    continue
                found.setdefault(number, Times()).note(place, when, run=rest == [RUN])
    return found


def point(inode: int, offset: int, time: float, *, run: bool = False) -> str:
    """Return a point as a line of the file."""
    return f"{inode} {offset} {time:.3f}{f' {RUN}' if run else ''}\n"


def thinned(lines: Iterable[str], inodes: Collection[int], most: int) -> list[str]:
    """Return fewer points than `most`: none of files that are gone, and of the older ones every second.

    So what is long ago is known less exactly. Where runs begin stays known, as long as those alone are not
    too many.
    """
    kept = [line for line in lines if line.split(" ", 1)[0] in {str(inode) for inode in inodes}]
    while len(kept) > most * 3 // 4:
        half = len(kept) // 2
        older, newer = kept[:half], kept[half:]
        fewer = [line for index, line in enumerate(older) if index % 2 == 0 or line.endswith(f"{RUN}\n")]
        if len(fewer) > half * 3 // 4:
            fewer = older[::2]
        kept = fewer + newer
    return kept

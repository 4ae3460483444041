"""The times at which the bytes of a log were written: known points, interpolated linearly. Pure.

Programs often print no times, so the supervisor records some next to the log, in SERVICE.times. Each line of it
means "this file had this length at this time", or "a run begins here":

    INODE OFFSET UNIX-TIME [run]

A line is printed when its last byte is written, and an offset refers to the byte before it. The beginning and the
end of a burst are exact; times in between are interpolated. A file is identified by its inode, because names
change when logs are rotated. Inodes are reused: a file that is shorter than before is another one.
"""

from __future__ import annotations

from bisect import bisect_left
from os import fspath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from os import PathLike

RUN = "run"

LEAST_SECONDS = 0.1
"""How far a line may move in time when points are first dropped; doubled until few enough are left."""
MOST_SECONDS = 86_400.0


class Times:
    """The known times of one file."""

    def __init__(self) -> None:
        self._offsets: list[int] = []
        self._times: list[float] = []
        self._run_offsets: list[int] = []
        self._run_times: list[float] = []

    def note(self, offset: int, time: float, *, run: bool = False) -> None:
        """Add a point; points arrive in chronological order."""
        if self._offsets and offset < self._offsets[-1]:
            # The file was truncated, or it is another one with the inode of a deleted file.
            for known in (self._offsets, self._times, self._run_offsets, self._run_times):
                known.clear()
        # A clock that was set back must not put later lines before earlier ones.
        time = max(time, self._times[-1]) if self._times else time
        self._offsets.append(offset)
        self._times.append(time)
        if run:
            self._run_offsets.append(offset)
            self._run_times.append(time)

    def at(self, end: int) -> float:
        """Return when a line was printed that ends at an offset; for one before the first point, an upper limit.

        If no supervisor was running for a while, a single line from that time gets the time of the last write.
        """
        after = bisect_left(self._offsets, end)
        if after == 0 or after == len(self._offsets):
            return self._times[min(after, len(self._times) - 1)] if self._times else 0.0
        first, last = self._offsets[after - 1], self._offsets[after]
        earlier, later = self._times[after - 1], self._times[after]
        return earlier + (later - earlier) * (end - first) / (last - first)

    def last(self) -> tuple[int, float]:
        """Return the last point. Raise IndexError if there is none."""
        return self._offsets[-1], self._times[-1]

    def run_at(self, end: int) -> float | None:
        """Return when the run began that printed the line which ends at an offset; None if it was not recorded."""
        after = bisect_left(self._run_offsets, end)
        return self._run_times[after - 1] if after else None

    def since(self, time: float) -> int:
        """Return an offset before which everything is older than `time`."""
        after = bisect_left(self._times, time)
        return self._offsets[after - 1] if after else 0


def times_path(path: str | PathLike[str]) -> str:
    """Return the path of the times of a log: backend.log → backend.times."""
    return f"{fspath(path).removesuffix('.log')}.times"


def read_times(text: str) -> dict[int, Times]:
    """Return the known times of each file, by inode. Invalid lines are skipped."""
    found: dict[int, Times] = {}
    for line in text.splitlines():
        match line.split():
            case [inode, offset, time, *rest] if inode.isdecimal() and offset.isdecimal():
                try:
                    when, number, place = float(time), int(inode), int(offset)
                except ValueError:  # no time, or a number with thousands of digits
                    continue
                found.setdefault(number, Times()).note(place, when, run=rest == [RUN])
    return found


def last_point(text: str, inode: int) -> tuple[int, float] | None:
    """Return the offset and the time of the last point of a file; None if there is none."""
    for line in reversed(text.splitlines()):
        if line.startswith(f"{inode} ") and (known := read_times(line).get(inode)) is not None:
            return known.last()
    return None


def point(inode: int, offset: int, time: float, *, run: bool = False) -> str:
    """Return a point as a line of the times file."""
    return f"{inode} {offset} {time:.3f}{f' {RUN}' if run else ''}\n"


def thinned(lines: Iterable[str], inodes: Collection[int], most: int) -> list[str]:
    """Return fewer points than `most`: none of deleted files, and fewer of the older ones.

    Older times are therefore less exact. The beginnings of runs stay, unless these alone are too many.
    """
    kept = [line for line in lines if line.split(" ", 1)[0] in {str(inode) for inode in inodes}]
    seconds = LEAST_SECONDS
    while len(kept) > most * 3 // 4:
        half = len(kept) // 2
        older, newer = kept[:half], kept[half:]
        fewer = apart(older, seconds) if seconds <= MOST_SECONDS else older[::2]
        kept, seconds = fewer + newer, seconds * 2
    return kept


def apart(lines: Iterable[str], seconds: float) -> list[str]:
    """Drop points between two others of the same file that are at most this many seconds apart.

    No line moves by more than that, and no longer silence is filled. Beginnings of runs stay.
    """
    kept: list[str] = []
    for line in lines:
        if len(kept) > 1 and not kept[-1].endswith(f"{RUN}\n") and is_near(kept[-2], line, seconds):
            kept[-1] = line
        else:
            kept.append(line)
    return kept


def is_near(earlier: str, later: str, seconds: float) -> bool:
    """Whether two points belong to one file and are at most this many seconds apart."""
    try:
        (inode, _, then, *_), (other, _, now, *_) = earlier.split(), later.split()
        return inode == other and float(now) - float(then) <= seconds
    except ValueError:  # truncated because of a full disk
        return False

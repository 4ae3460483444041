"""The log lines in memory: the last ones of each service, with a common order."""

from __future__ import annotations

from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from devinit.dashboard.lines.line import Kind, LogLine, kind_of, shortened
from devinit.logs.merge import in_order
from devinit.logs.tracebacks import Join, Tracebacks
from devinit.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from devinit.dashboard.lines.feed import Piece

KEPT = 10_000
"""The maximum number of lines per service."""
KEPT_BYTES = 16 * 1024 * 1024
"""The maximum size per service: ten thousand lines of maximum length would take five times as much."""
SLACK = 1_000
"""The number of extra lines before the oldest are dropped: all at once is cheaper than one by one."""


class Store:
    """A buffer of the last lines of every service."""

    def __init__(self) -> None:
        self.lines: dict[str, list[LogLine]] = {}
        self._bytes: dict[str, int] = {}
        self._last = 0
        self.dropped: dict[str, int] = {}
        """The highest number of each service's dropped lines, for views to follow."""

    def add(self, pieces: Sequence[Piece]) -> list[LogLine]:
        """Keep new output of some services; return the new lines in the order of time."""
        new: list[LogLine] = []
        for piece in pieces:
            self._forget_unfinished(piece.service)
            if piece.skipped:
                text = f"{counted(piece.skipped, 'line')} came faster than can be shown; the log file has all"
                at = piece.lines[0].time if piece.lines else 0.0
                new.append(self._line(piece.service, text, at, Kind.NOTE))
        for service, line in in_order({piece.service: piece.lines for piece in pieces}):
            new.append(self._line(service, shortened(line.text), line.time, kind_of(line.text)))
        for piece in pieces:
            if piece.unfinished is not None:
                text = shortened(piece.unfinished.text)
                new.append(self._line(piece.service, text, piece.unfinished.time, Kind.UNFINISHED))
        for piece in pieces:
            self._keep(piece.service, [line for line in new if line.service == piece.service])
        return new

    def note(self, service: str, text: str, at: float) -> list[LogLine]:
        """Keep a message about a service among its lines."""
        new = [self._line(service, text, at, Kind.NOTE)]
        self._keep(service, new)
        return new

    def clear(self, service: str | None = None) -> None:
        """Forget the lines of a service, or of all."""
        for name in [service] if service is not None else list(self.lines):
            self.lines[name] = []
            self._bytes[name] = 0

    def of(self, service: str | None) -> list[LogLine]:
        """Return the lines of a service, or those of all in the order of arrival."""
        if service is not None:
            return list(self.lines.get(service, ()))
        return sorted(chain.from_iterable(self.lines.values()), key=attrgetter("number"))

    def problems(self) -> Iterator[LogLine]:
        """Yield the error lines of all services in the order of arrival.

        A traceback counts once.
        """
        tracebacks, found = Tracebacks(), dict[str, bool]()
        for line in self.of(None):
            join = tracebacks.next(line.service, line.plain) if line.kind is not Kind.NOTE else Join.NOTHING
            is_within = join in (Join.GOES_ON, Join.SAYS_IT)
            is_problem = line.is_problem
            if is_problem and not (is_within and found.get(line.service)):
                yield line
            found[line.service] = is_problem or (is_within and found.get(line.service, False))

    def _of(self, service: str) -> list[LogLine]:
        return self.lines.setdefault(service, [])

    def _forget_unfinished(self, service: str) -> None:
        lines = self._of(service)
        if lines and lines[-1].kind is Kind.UNFINISHED:
            lines.pop()

    def _line(self, service: str, text: str, at: float, kind: Kind) -> LogLine:
        self._last += 1
        return LogLine(self._last, service, text, at, kind)

    def _keep(self, service: str, new: list[LogLine]) -> None:
        lines = self._of(service)
        lines += new
        size = self._bytes.get(service, 0) + sum(len(line.raw) for line in new)
        if len(lines) > KEPT + SLACK or size > KEPT_BYTES:
            drop = max(0, len(lines) - KEPT)
            size -= sum(len(line.raw) for line in lines[:drop])
            while size > KEPT_BYTES:
                size -= len(lines[drop].raw)
                drop += 1
            if drop:
                self.dropped[service] = lines[drop - 1].number
            del lines[:drop]
        self._bytes[service] = size

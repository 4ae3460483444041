"""The rows of the log pane: which lines are shown, and where each is broken. Pure.

A row is a line and the cells of it that it shows. Only new lines are looked at when some come.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from devinit.dashboard.lines.line import Kind, LogLine
from devinit.text import cells, width

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Sequence

MOST_ROWS = 20_000
"""Of all services together, with long lines broken."""


class Row(NamedTuple):
    """A part of a line, in cells of it: from `start` to before `end`; None: to its end."""

    line: LogLine
    start: int
    end: int | None


class Match(NamedTuple):
    """A row whose line matches what is searched."""

    row: int
    number: int
    """Which one of all that match it is, from 1."""
    total: int
    """How many match."""


class LogView:
    """What is shown of the lines: of one service or of all, filtered, broken or not."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.service: str | None = None
        self.filter: re.Pattern[str] | None = None
        self.wrap_at: int | None = None
        """The width at which lines are broken; None when they are not."""
        self.widest = 0

    def show(self, lines: Iterable[LogLine]) -> None:
        """Begin anew with these lines."""
        self.rows, self.widest = [], 0
        self.add(lines)

    def add(self, lines: Iterable[LogLine]) -> int:
        """Show more lines; return how many rows at the top had to go for them."""
        mine = [line for line in lines if self.service in (None, line.service)]
        if mine:
            # What was unfinished comes again, longer or whole.
            while self.rows and self.rows[-1].line.kind is Kind.UNFINISHED:
                self.rows.pop()
        for line in mine:
            if self.wants(line):
                self.rows += self._broken(line)
        surplus = len(self.rows) - MOST_ROWS
        if surplus <= MOST_ROWS // 10:
            return 0
        del self.rows[:surplus]
        return surplus

    def wants(self, line: LogLine) -> bool:
        """Whether a line is to be shown."""
        if self.service is None:
            # What may still grow is not shown among the others: there it could not be replaced.
            if line.kind is Kind.UNFINISHED:
                return False
        elif line.service != self.service:
            return False
        return self.filter is None or line.kind is Kind.NOTE or self.filter.search(line.plain) is not None

    def drop_before(self, number: int) -> int:
        """Take away lines that are not kept any more; return how many rows that were."""
        gone = 0
        while gone < len(self.rows) and self.rows[gone].line.number <= number:
            gone += 1
        del self.rows[:gone]
        return gone

    def find(self, pattern: re.Pattern[str], start: int, step: int) -> Match | None:
        """Return the next row from one on whose line matches, around the end if need be."""
        rows = [
            index for index, row in enumerate(self.rows) if row.start == 0 and pattern.search(row.line.plain)
        ]
        if not rows:
            return None
        # Where the next one stands; behind the last one comes the first, and the last one before the first.
        place = bisect_left(rows, start) if step > 0 else bisect_right(rows, start) - 1
        place %= len(rows)
        return Match(rows[place], place + 1, len(rows))

    def row_of(self, number: int) -> int | None:
        """Return the first row of a line."""
        return next((i for i, row in enumerate(self.rows) if row.line.number == number), None)

    def text(self, first: int, last: int) -> str:
        """Return whole lines as they were printed, from the first to the last row, both included."""
        lines = dict.fromkeys(row.line for row in self.rows[first : last + 1])
        return "\n".join(line.plain for line in lines)

    def _broken(self, line: LogLine) -> Sequence[Row]:
        text = line.plain
        wide = width(text)
        self.widest = max(self.widest, wide)
        if self.wrap_at is None or wide <= self.wrap_at:
            return [Row(line, 0, None)]
        places = breaks(text, max(1, self.wrap_at))
        return [Row(line, start, end) for start, end in zip([0, *places], [*places, None], strict=True)]


def breaks(text: str, columns: int) -> list[int]:
    """Return the cells at which a text is broken so that no part is wider than so many columns."""
    if text.isascii():
        return [columns * n for n in range(1, math.ceil(len(text) / columns))]
    places, begin, here = [], 0, 0
    for character in text:
        wide = cells(character)
        if here + wide - begin > columns and here > begin:
            places.append(here)
            begin = here
        here += wide
    return places

"""The rows of the log pane: filtering, folding and wrapping of lines. Pure.

A row shows a line, or a range of its cells. When lines arrive, only these are processed.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from devinit.dashboard.lines.folding import SHORTEST_BLOCK, Block, Folding
from devinit.dashboard.lines.line import Kind, LogLine, safe
from devinit.logs.shown import Piece, folded, unfolded
from devinit.logs.sieve import Sieve
from devinit.text import cells, width

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Sequence

MOST_ROWS = 20_000
"""The maximum number of rows, with all services and wrapped lines."""
LOOKED_BACK = 50
"""The number of last rows that contain the lines of a block that has just begun."""
ROOM = 24
"""The cells by which the display form of a structured line may be longer than the printed form."""


class Row(NamedTuple):
    """A range of cells of a line, from `start` up to and excluding `end`; None for its end."""

    line: LogLine
    start: int
    end: int | None
    part: int = 0
    """The index below the first row of an unfolded structured line."""

    @property
    def is_first(self) -> bool:
        """Whether it is the first row of its line."""
        return self.start == 0 and self.part == 0


class Match(NamedTuple):
    """A row whose line matches the search."""

    row: int
    number: int
    """The index among all matches, from 1."""
    total: int
    """The number of matches."""


class LogView:
    """The displayed rows of one service or of all, filtered, folded and wrapped."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.service: str | None = None
        self.filter: re.Pattern[str] | None = None
        self.sieve = Sieve()
        self.wrap_at: int | None = None
        """The width at which lines are wrapped; None for no wrapping."""
        self.widest = 0
        self.with_times = False
        """Whether the time of printing precedes each line, so that the line's own time is omitted."""
        self.folding = Folding()

    def show(self, lines: Iterable[LogLine]) -> None:
        """Start over with these lines."""
        self.rows, self.widest = [], 0
        self.folding.begin()
        self.add(lines)

    def add(self, lines: Iterable[LogLine]) -> int:
        """Add lines; return the number of rows that were removed at the top."""
        mine = [line for line in lines if self.service in (None, line.service)]
        if mine:
            # An unfinished line arrives again, longer or complete.
            while self.rows and self.rows[-1].line.kind is Kind.UNFINISHED:
                self.rows.pop()
        for line in mine:
            self._add(line)
        surplus = len(self.rows) - MOST_ROWS
        if surplus <= MOST_ROWS // 10:
            return 0
        del self.rows[:surplus]
        return surplus

    def _add(self, line: LogLine) -> None:
        text = line.plain
        block = self.folding.take(line, text)
        if block is None:
            if self.wants(line):
                wide = len(text) if text.isascii() else width(text)
                if self.folding.is_all_folded and (
                    self.wrap_at is None or wide + room_of(text) <= self.wrap_at
                ):
                    # The fast path for a flood: nearly all lines are parsed only when they are painted.
                    self.widest = max(wide, self.widest)
                    self.rows.append(Row(line, 0, None))
                else:
                    self.rows += self._broken(line)
        elif not self._is_shown(block, line):
            # A traceback is shown as a whole as soon as one of its lines passes the filters.
            if self.wants(line):
                block.is_shown = True
                for each in block.lines[:1] if self.folding.is_folded(block) else block.lines:
                    self.rows += self._broken(each)
        elif not self.folding.is_folded(block):
            self.rows += self._broken(line)
        elif len(block.lines) == SHORTEST_BLOCK:
            # It is now long enough to be folded, so its rows are merged into one.
            latest = self.rows[-LOOKED_BACK:]
            self.rows[-LOOKED_BACK:] = [row for row in latest if row.line not in block.lines[1:]]

    def _is_shown(self, block: Block, line: LogLine) -> bool:
        if len(block.lines) > 1 and line is block.lines[1]:
            # The line with the error arrived before it was known to begin a traceback.
            block.is_shown |= any(row.line is block.first for row in self.rows[-LOOKED_BACK:])
        return block.is_shown

    def wants(self, line: LogLine) -> bool:
        """Whether a line passes all filters."""
        if self.service is None:
            # An unfinished line is not shown among other services' lines, where it could not be replaced.
            if line.kind is Kind.UNFINISHED:
                return False
        elif line.service != self.service:
            return False
        if line.kind is Kind.NOTE:
            return True
        if (
            line.kind is Kind.OUTPUT
            and not self.sieve.is_open
            and not self.sieve.keeps(line.service, line.plain, line.record)
        ):
            return False
        return self.filter is None or matches(self.filter, line)

    def drop_before(self, number: int) -> int:
        """Remove lines that are no longer kept; return the number of rows removed."""
        gone = 0
        while gone < len(self.rows) and self.rows[gone].line.number <= number:
            gone += 1
        if gone:
            del self.rows[:gone]
            self.folding.forget_before(number)
        return gone

    def lines(self) -> list[LogLine]:
        """Return the displayed lines, including folded ones."""
        found: dict[int, LogLine] = {}
        for row in self.rows:
            found.update({line.number: line for line in self.folding.with_its_block(row.line)})
        return [found[number] for number in sorted(found)]

    # Content of rows

    def pieces(self, row: Row) -> Sequence[Piece]:
        """Return the styled pieces of the row's whole line; none for a line that is shown as printed."""
        if row.part:
            return self._below(row.line)[row.part - 1]
        return self._arranged(row.line)

    def _arranged(self, line: LogLine) -> Sequence[Piece]:
        if line.record is not None and self.folding.is_unfolded(line):
            return safe(folded(line.record, with_time=not self.with_times, with_rest=False))
        return line.arranged_without_time if self.with_times else line.arranged

    def _below(self, line: LogLine) -> list[list[Piece]]:
        return [safe(pieces) for pieces in unfolded(line.record)] if line.record is not None else []

    def text_of(self, row: Row) -> str:
        """Return the visible text of the row's whole line."""
        if block := self.folding.block_at(row.line):
            return block.says_it.plain
        return "".join(text for text, _ in self.pieces(row)) or row.line.plain

    # Search and position

    def find(self, pattern: re.Pattern[str], start: int, step: int) -> Match | None:
        """Return the next match from a row on; it wraps around at the end."""
        rows = [index for index, row in enumerate(self.rows) if row.is_first and self._matches(pattern, row)]
        if not rows:
            return None
        # The index of the next match, modulo the number of matches to wrap around.
        place = bisect_left(rows, start) if step > 0 else bisect_right(rows, start) - 1
        place %= len(rows)
        return Match(rows[place], place + 1, len(rows))

    def _matches(self, pattern: re.Pattern[str], row: Row) -> bool:
        block = self.folding.block_at(row.line)
        return any(matches(pattern, line) for line in (block.lines if block else (row.line,)))

    def row_of(self, number: int) -> int | None:
        """Return the first row of a line, or the row that stands for it."""
        number = self.folding.first_of(number)
        return next((i for i, row in enumerate(self.rows) if row.line.number == number), None)

    def text(self, first: int, last: int) -> str:
        """Return whole lines as they were printed, from the first to the last row inclusive."""
        found: dict[LogLine, None] = {}
        for row in self.rows[first : last + 1]:
            block = self.folding.block_at(row.line)
            found.update(dict.fromkeys(block.lines if block else (row.line,)))
        return "\n".join(line.plain for line in found)

    # Wrapping

    def _broken(self, line: LogLine) -> Sequence[Row]:
        rows = list(self._rows_of(line, 0, None))
        if self.folding.is_unfolded(line):
            for part, pieces in enumerate(self._below(line), start=1):
                rows += self._rows_of(line, part, "".join(text for text, _ in pieces))
        return rows

    def _rows_of(self, line: LogLine, part: int, text: str | None) -> Iterator[Row]:
        shown = line.plain if text is None else text
        wide = width(shown)
        self.widest = max(self.widest, wide)
        if self.wrap_at is None or wide + room_of(shown) <= self.wrap_at:
            yield Row(line, 0, None, part)
            return
        if text is None and (pieces := self._arranged(line)):
            shown = "".join(piece for piece, _ in pieces)
        if width(shown) <= self.wrap_at or self.folding.block_at(line):
            yield Row(line, 0, None, part)
            return
        places = breaks(shown, max(1, self.wrap_at))
        for start, end in zip([0, *places], [*places, None], strict=True):
            yield Row(line, start, end, part)


def room_of(text: str) -> int:
    """Return the extra cells for the display form of a line that may be structured."""
    return ROOM if text.startswith("{") or "=" in text else 0


def matches(pattern: re.Pattern[str], line: LogLine) -> bool:
    """Whether a line matches in its printed or its display form."""
    if pattern.search(line.plain) is not None:
        return True
    return bool(line.arranged) and pattern.search("".join(text for text, _ in line.arranged)) is not None


def breaks(text: str, columns: int) -> list[int]:
    """Return the cells at which a text wraps in a number of columns."""
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

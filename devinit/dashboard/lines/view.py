"""The rows of the log pane: which lines are shown, which are folded, and where each is broken. Pure.

A row is a line and the cells of it that it shows. Only new lines are looked at when some come.
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
"""Of all services together, with long lines broken."""
LOOKED_BACK = 50
"""Rows: among so many of the latest the lines of a block stand that has just begun."""
ROOM = 24
"""Cells by which a structured line may be longer when it is arranged than as it was printed."""


class Row(NamedTuple):
    """A part of a line, in cells of it: from `start` to before `end`; None: to its end."""

    line: LogLine
    start: int
    end: int | None
    part: int = 0
    """Which row below its first one it is, when a structured line is unfolded."""

    @property
    def is_first(self) -> bool:
        """Whether its line begins here."""
        return self.start == 0 and self.part == 0


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
        self.sieve = Sieve()
        self.wrap_at: int | None = None
        """The width at which lines are broken; None when they are not."""
        self.widest = 0
        self.with_times = False
        """Whether the time at which a line was printed stands before it: then its own is left out."""
        self.folding = Folding()

    def show(self, lines: Iterable[LogLine]) -> None:
        """Begin again with these lines."""
        self.rows, self.widest = [], 0
        self.folding.begin()
        self.add(lines)

    def add(self, lines: Iterable[LogLine]) -> int:
        """Add lines; return how many rows were removed at the top."""
        mine = [line for line in lines if self.service in (None, line.service)]
        if mine:
            # What was unfinished comes again, longer or whole.
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
                    # Nearly all lines of a flood: what they say is read when they are painted.
                    self.widest = max(wide, self.widest)
                    self.rows.append(Row(line, 0, None))
                else:
                    self.rows += self._broken(line)
        elif not self._is_shown(block, line):
            # A traceback is wanted as a whole, as soon as one line of it is.
            if self.wants(line):
                block.is_shown = True
                for each in block.lines[:1] if self.folding.is_folded(block) else block.lines:
                    self.rows += self._broken(each)
        elif not self.folding.is_folded(block):
            self.rows += self._broken(line)
        elif len(block.lines) == SHORTEST_BLOCK:
            # It is long enough now: those that were shown as they came go into one row.
            latest = self.rows[-LOOKED_BACK:]
            self.rows[-LOOKED_BACK:] = [row for row in latest if row.line not in block.lines[1:]]

    def _is_shown(self, block: Block, line: LogLine) -> bool:
        if len(block.lines) > 1 and line is block.lines[1]:
            # The line that names an error came before it was known to begin a traceback.
            block.is_shown |= any(row.line is block.first for row in self.rows[-LOOKED_BACK:])
        return block.is_shown

    def wants(self, line: LogLine) -> bool:
        """Whether a line is to be shown."""
        if self.service is None:
            # What may still grow is not shown among the others: there it could not be replaced.
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
        """Take away lines that are not kept any more; return how many rows that were."""
        gone = 0
        while gone < len(self.rows) and self.rows[gone].line.number <= number:
            gone += 1
        if gone:
            del self.rows[:gone]
            self.folding.forget_before(number)
        return gone

    def lines(self) -> list[LogLine]:
        """Return the lines that are shown, with those that are folded."""
        found: dict[int, LogLine] = {}
        for row in self.rows:
            found.update({line.number: line for line in self.folding.with_its_block(row.line)})
        return [found[number] for number in sorted(found)]

    # What stands in a row

    def pieces(self, row: Row) -> Sequence[Piece]:
        """Return what a row is a part of, in pieces with their styles; none for a line as it was printed."""
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
        """Return what a row is a part of, as it is seen."""
        if block := self.folding.block_at(row.line):
            return block.says_it.plain
        return "".join(text for text, _ in self.pieces(row)) or row.line.plain

    # Where one looks

    def find(self, pattern: re.Pattern[str], start: int, step: int) -> Match | None:
        """Return the next row from one on whose line matches, around the end if need be."""
        rows = [index for index, row in enumerate(self.rows) if row.is_first and self._matches(pattern, row)]
        if not rows:
            return None
        # Where the next one stands; behind the last one comes the first, and the last one before the first.
        place = bisect_left(rows, start) if step > 0 else bisect_right(rows, start) - 1
        place %= len(rows)
        return Match(rows[place], place + 1, len(rows))

    def _matches(self, pattern: re.Pattern[str], row: Row) -> bool:
        block = self.folding.block_at(row.line)
        return any(matches(pattern, line) for line in (block.lines if block else (row.line,)))

    def row_of(self, number: int) -> int | None:
        """Return the first row of a line, or the one that stands for it."""
        number = self.folding.first_of(number)
        return next((i for i, row in enumerate(self.rows) if row.line.number == number), None)

    def text(self, first: int, last: int) -> str:
        """Return whole lines as they were printed, from the first to the last row, both included."""
        found: dict[LogLine, None] = {}
        for row in self.rows[first : last + 1]:
            block = self.folding.block_at(row.line)
            found.update(dict.fromkeys(block.lines if block else (row.line,)))
        return "\n".join(line.plain for line in found)

    # How lines are broken

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
    """Return by how many cells a line may be longer when it is arranged: those that are structured."""
    return ROOM if text.startswith("{") or "=" in text else 0


def matches(pattern: re.Pattern[str], line: LogLine) -> bool:
    """Whether a line matches, as it was printed or as it is shown."""
    if pattern.search(line.plain) is not None:
        return True
    return bool(line.arranged) and pattern.search("".join(text for text, _ in line.arranged)) is not None


def breaks(text: str, columns: int) -> list[int]:
    """Return the cells at which a text is wrapped to a number of columns."""
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

"""The folding of structured lines and tracebacks: one row stands for all lines of a traceback. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.dashboard.lines.line import Kind, LogLine
from devinit.logs.tracebacks import Join, Tracebacks

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORTEST_BLOCK = 3
"""In lines. A shorter traceback is not folded."""


class Block:
    """The lines of a traceback. While it is folded, one row stands for all of them."""

    __slots__ = ("is_shown", "lines", "says_it")

    def __init__(self, lines: list[LogLine]) -> None:
        self.lines = lines
        self.says_it = lines[0]
        """The line with the error message."""
        self.is_shown = False
        """Whether any of its lines passes the filters."""

    @property
    def first(self) -> LogLine:
        """The line whose number identifies the block."""
        return self.lines[0]


class Folding:
    """The assignment of lines to tracebacks, and their folding state."""

    def __init__(self) -> None:
        self._unfolds_all = False
        self._changed: set[int] = set()
        """The numbers of the lines whose state differs from `_unfolds_all`."""
        self.begin()

    def begin(self) -> None:
        """Start over with the lines; unfolded lines stay unfolded."""
        self._blocks: dict[int, Block] = {}
        self._tracebacks = Tracebacks()
        self._open: dict[str, Block] = {}
        self._before: dict[str, LogLine] = {}

    def take(self, line: LogLine, text: str) -> Block | None:
        """Return the traceback that the next line belongs to. `text`: the visible text of the line."""
        kind, service = line.kind, line.service
        if kind > Kind.RUN:
            return None
        join = self._tracebacks.next(service, text)
        before = self._before.get(service)
        if kind is Kind.OUTPUT:
            self._before[service] = line
        if join is Join.NOTHING:
            return None
        block = None
        match join:
            case Join.BEGINS:
                block = self._open[line.service] = Block([line])
            case Join.WITH_THE_ONE_BEFORE if before is not None:
                block = self._open[line.service] = Block([before, line])
                self._blocks[before.number] = block
            case Join.GOES_ON | Join.SAYS_IT if (block := self._open.get(line.service)) is not None:
                block.lines.append(line)
                block.says_it = line if join is Join.SAYS_IT else block.says_it
        if block is not None:
            self._blocks[line.number] = block
        return block

    def block_at(self, line: LogLine) -> Block | None:
        """Return the folded traceback that a line's row stands for; None if the row stands for the line."""
        block = self._blocks.get(line.number)
        return block if block is not None and self.is_folded(block) else None

    def is_folded(self, block: Block) -> bool:
        """Whether one row stands for all lines of a traceback."""
        return len(block.lines) >= SHORTEST_BLOCK and not self.is_unfolded(block.first)

    def is_unfolded(self, line: LogLine) -> bool:
        """Whether a structured line or a traceback is shown in full."""
        return self._unfolds_all != (line.number in self._changed)

    @property
    def is_all_folded(self) -> bool:
        """Whether everything is folded."""
        return not (self._unfolds_all or self._changed)

    def with_its_block(self, line: LogLine) -> Sequence[LogLine]:
        """Return all lines of the line's traceback, or just the line."""
        block = self._blocks.get(line.number)
        return block.lines if block is not None else (line,)

    def first_of(self, number: int) -> int:
        """Return the number of the line whose row stands for this line."""
        block = self._blocks.get(number)
        return block.first.number if block is not None and self.is_folded(block) else number

    def turn(self, line: LogLine) -> bool:
        """Toggle the folding at a line; return False if it is neither structured nor in a traceback."""
        block = self._blocks.get(line.number)
        if block is None and line.record is None:
            return False
        self._changed ^= {line.number if block is None else block.first.number}
        return True

    def turn_all(self) -> None:
        """Toggle the folding of all structured lines and tracebacks."""
        self._unfolds_all = not self._unfolds_all
        self._changed = set()

    def forget_before(self, number: int) -> None:
        """Forget lines that are no longer kept."""
        self._blocks = {each: block for each, block in self._blocks.items() if each > number}
        self._changed = {each for each in self._changed if each > number}

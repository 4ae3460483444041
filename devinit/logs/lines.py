"""Splitting a log into lines, independent of block boundaries and of the content. Pure.

Memory is bounded for any input: only the beginning of an endless line is kept, and only the last state of a
progress bar (carriage returns without a line end).
"""

from __future__ import annotations

from devinit.text import last_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_LINE = 64 * 1024
"""The most bytes of a line that are shown. A longer line is cut, with a mark; the file contains all of it."""


class Line:
    """A line of a service, with the time of its output and the time when its run began (Unix times)."""

    __slots__ = ("run", "text", "time")

    def __init__(self, text: str, time: float, run: float | None = None) -> None:
        self.text, self.time, self.run = text, time, run

    def __repr__(self) -> str:
        return f"Line({self.text!r}, {self.time!r}, {self.run!r})"


def text_of(line: bytes, missing: int = 0) -> str:
    """Return a line as text, whatever its bytes are. `missing`: how many bytes were left out at its end."""
    # A character that was cut apart must not appear as an invalid one.
    text = last_state(line.decode(errors="ignore" if missing else "replace"))
    return f"{text}… [{missing:,} more bytes in the log file]" if missing else text


class Splitter:
    """A splitter of consecutive blocks into lines."""

    def __init__(self, offset: int = 0, *, inside_a_line: bool = False) -> None:
        self.position = offset
        """The offset of the next block."""
        self._kept = b""
        self._missing = 0
        self._skipping = inside_a_line

    def split(self, block: bytes) -> Iterator[tuple[int, bytes, int]]:
        """Yield the lines that end in a block: the offset after each, its bytes, the number of missing bytes."""
        start = 0
        while (end := block.find(b"\n", start)) >= 0:
            behind = self.position + end + 1
            if self._kept or self._skipping:
                self._keep(block[start:end])
                if not self._skipping:
                    yield behind, self._kept, self._missing
                self._kept, self._missing, self._skipping = b"", 0, False
            elif end - start > LONGEST_LINE:
                self._keep(block[start:end])
                yield behind, self._kept, self._missing
                self._kept, self._missing = b"", 0
            else:
                yield behind, block[start:end], 0
            start = end + 1
        self.position += len(block)
        if start < len(block):
            self._keep(block[start:])

    def unfinished(self) -> tuple[int, bytes, int] | None:
        """Return the line that has not ended yet, in the form of `split`."""
        return (self.position, self._kept, self._missing) if self._kept and not self._skipping else None

    def jump(self, offset: int) -> None:
        """Continue at another offset, inside a line whose beginning is lost."""
        self.position = offset
        self._kept, self._missing, self._skipping = b"", 0, True

    def _keep(self, piece: bytes) -> None:
        if self._skipping:
            return
        kept = self._kept + piece
        overwritten = kept.rstrip(b"\r").rfind(b"\r") + 1
        if overwritten:
            kept, self._missing = kept[overwritten:], 0
        self._missing += max(0, len(kept) - LONGEST_LINE)
        self._kept = kept[:LONGEST_LINE]


class ReversedLine:
    """A line that is read from its end to its beginning, piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0
        self._missing = 0
        self._settled = False
        """Whether all further pieces are overwritten and not needed."""
        self._ended = False

    def add(self, piece: bytes) -> None:
        """Add a piece before the known ones."""
        if self._settled:
            return
        text = piece if self._ended else piece.rstrip(b"\r")
        self._ended = self._ended or bool(text)
        if overwritten := text.rfind(b"\r") + 1:
            piece, self._settled = piece[overwritten:], True
        self._pieces.append(piece)
        self._length += len(piece)
        while len(self._pieces) > 1 and self._length - len(self._pieces[0]) >= LONGEST_LINE:
            gone = len(self._pieces.pop(0))
            self._length, self._missing = self._length - gone, self._missing + gone

    def finish(self) -> tuple[bytes, int]:
        """Return the bytes of the line, and how many are missing at its end."""
        line = b"".join(reversed(self._pieces))
        return line[:LONGEST_LINE], self._missing + max(0, len(line) - LONGEST_LINE)

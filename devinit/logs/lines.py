"""What a line of a log is, wherever blocks end and whatever a program prints. Pure.

Memory is bounded whatever comes: of a line without end its beginning is kept, of a progress bar (carriage
returns, no line end) its last state.
"""

from __future__ import annotations

from devinit.text import last_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_LINE = 64 * 1024
"""Bytes of a line that are shown. What is longer is cut, with a mark; in the file it is whole."""


class Line:
    """A line of a service, when it was printed, and when the run began that printed it (Unix times)."""

    __slots__ = ("run", "text", "time")

    def __init__(self, text: str, time: float, run: float | None = None) -> None:
        self.text, self.time, self.run = text, time, run

    def __repr__(self) -> str:
        return f"Line({self.text!r}, {self.time!r}, {self.run!r})"


def text_of(line: bytes, missing: int = 0) -> str:
    """Return a line as text, whatever bytes it has. `missing`: how many were left out at its end."""
    # A character that the cut went through must not show as a broken one.
    text = last_state(line.decode(errors="ignore" if missing else "replace"))
    return f"{text}… [{missing:,} more bytes in the log file]" if missing else text


class Splitter:
    """Makes lines of blocks that come one after the other."""

    def __init__(self, offset: int = 0, *, inside_a_line: bool = False) -> None:
        self.position = offset
        """Where the next block belongs."""
        self._kept = b""
        self._missing = 0
        self._skipping = inside_a_line

    def split(self, block: bytes) -> Iterator[tuple[int, bytes, int]]:
        """Yield the lines that end in a block: the offset behind each, its bytes, how many are missing."""
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
        """Return the line that has not ended yet, as `split` does."""
        return (self.position, self._kept, self._missing) if self._kept and not self._skipping else None

    def jump(self, offset: int) -> None:
        """Go on at another place, amid a line of which the beginning is gone."""
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
        """What was printed over is not asked for."""
        self._ended = False

    def add(self, piece: bytes) -> None:
        """Put a piece before those that are known."""
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
        """Return its bytes, and how many are missing at its end."""
        line = b"".join(reversed(self._pieces))
        return line[:LONGEST_LINE], self._missing + max(0, len(line) - LONGEST_LINE)

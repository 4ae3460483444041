"""A log line in memory; its text is made safe only when it is displayed."""

from __future__ import annotations

from enum import IntEnum
from functools import cached_property

from msgspec import Struct

from devinit.logs import MARKER
from devinit.logs.levels import Level, sounds_like_a_problem, stated_level
from devinit.logs.records import Record, record_of
from devinit.logs.shown import Piece, folded
from devinit.logs.sieve import level_of
from devinit.text import harmless, linked

LONGEST = 8 * 1024
"""In characters. Nobody reads a minified bundle that was printed by mistake."""


class Kind(IntEnum):
    """The origin of a line."""

    OUTPUT = 0
    """The service."""
    RUN = 1
    """devinit, in the log: the beginning of a run."""
    NOTE = 2
    """The dashboard or the supervisor; the line is in no log."""
    UNFINISHED = 3
    """The service; the line may still grow."""


class LogLine(Struct, frozen=True, dict=True):
    """A line, with its position among the lines of all services."""

    number: int
    service: str
    raw: str
    at: float
    """The Unix time of printing, as precisely as it is known."""
    kind: Kind = Kind.OUTPUT

    @property
    def plain(self) -> str:
        """The visible text, without colours."""
        raw = self.raw
        return raw if raw.isprintable() else harmless(raw).expandtabs()

    @property
    def coloured(self) -> str:
        """The text with colours and links to pages, but without other control sequences."""
        return linked(self.raw).expandtabs()

    @cached_property
    def record(self) -> Record | None:
        """The record of a structured line, else None. It is parsed on first use."""
        return record_of(self.plain) if self.kind is Kind.OUTPUT else None

    @cached_property
    def arranged(self) -> list[Piece]:
        """The display form of a structured line; empty for other lines."""
        return safe(folded(self.record)) if self.record is not None else []

    @cached_property
    def arranged_without_time(self) -> list[Piece]:
        """The same without its time, for a display that shows the time of printing."""
        return safe(folded(self.record, with_time=False)) if self.record is not None else []

    @property
    def level(self) -> Level:
        """The severity of the line."""
        return level_of(self.plain, self.record)

    @property
    def is_problem(self) -> bool:
        """Whether the line reports an error."""
        if self.kind is not Kind.OUTPUT:
            return False
        if self.record is not None:
            return self.level >= Level.ERROR
        text = self.plain
        return sounds_like_a_problem(text) or (stated_level(text) or Level.INFO) >= Level.ERROR


def safe(pieces: list[Piece]) -> list[Piece]:
    """Return pieces on one line without control sequences, which JSON may contain in escaped form."""
    return [(harmless(text).expandtabs().replace("\n", " "), style) for text, style in pieces]


def kind_of(text: str) -> Kind:
    """Return the origin of a line in a log."""
    return Kind.RUN if text.startswith(MARKER) else Kind.OUTPUT


def shortened(text: str) -> str:
    """Return a line cut to the maximum length."""
    missing = len(text) - LONGEST
    return f"{text[:LONGEST]}… [{missing:,} more]" if missing > 0 else text

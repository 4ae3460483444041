"""One line of a service, as it is kept: text that is made safe only when it is looked at."""

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
"""In characters. A minified bundle that is printed by mistake is not read here."""


class Kind(IntEnum):
    """What prints a line."""

    OUTPUT = 0
    """The service."""
    RUN = 1
    """devinit, in the log: where a run begins."""
    NOTE = 2
    """The dashboard or the supervisor, here and nowhere else."""
    UNFINISHED = 3
    """The service; the line may still grow."""


class LogLine(Struct, frozen=True, dict=True):
    """A line, and where it stands among all lines of all services."""

    number: int
    service: str
    raw: str
    at: float
    """Unix time at which it was printed, as well as that is known."""
    kind: Kind = Kind.OUTPUT

    @property
    def plain(self) -> str:
        """What one would see of it, without colours."""
        raw = self.raw
        return raw if raw.isprintable() else harmless(raw).expandtabs()

    @property
    def coloured(self) -> str:
        """What one would see of it: nothing that a terminal obeys but colours, and links to pages."""
        return linked(self.raw).expandtabs()

    @cached_property
    def record(self) -> Record | None:
        """What it says if it is a structured line. Found out when it is first looked at."""
        return record_of(self.plain) if self.kind is Kind.OUTPUT else None

    @cached_property
    def arranged(self) -> list[Piece]:
        """A structured line as it is shown; empty for every other line."""
        return safe(folded(self.record)) if self.record is not None else []

    @cached_property
    def arranged_without_time(self) -> list[Piece]:
        """The same where the time at which it was printed stands before it."""
        return safe(folded(self.record, with_time=False)) if self.record is not None else []

    @property
    def level(self) -> Level:
        """How serious it is."""
        return level_of(self.plain, self.record)

    @property
    def is_problem(self) -> bool:
        """Whether the user should see it."""
        if self.kind is not Kind.OUTPUT:
            return False
        if self.record is not None:
            return self.level >= Level.ERROR
        text = self.plain
        return sounds_like_a_problem(text) or (stated_level(text) or Level.INFO) >= Level.ERROR


def safe(pieces: list[Piece]) -> list[Piece]:
    """Return pieces on one line, without what a terminal would obey: JSON may hold it in an escaped form."""
    return [(harmless(text).expandtabs().replace("\n", " "), style) for text, style in pieces]


def kind_of(text: str) -> Kind:
    """Return what has printed a line of a log."""
    return Kind.RUN if text.startswith(MARKER) else Kind.OUTPUT


def shortened(text: str) -> str:
    """Return as much of a line as is kept."""
    missing = len(text) - LONGEST
    return f"{text[:LONGEST]}… [{missing:,} more]" if missing > 0 else text

"""One line of a service, as it is kept: text that is made safe only when it is looked at."""

from __future__ import annotations

import re
from enum import IntEnum

from msgspec import Struct

from devinit.logs import MARKER
from devinit.text import coloured, harmless

LONGEST = 8 * 1024
"""In characters. A minified bundle that is printed by mistake is not read here."""
PROBLEM = re.compile(
    r"\b(?:ERROR|CRITICAL|FATAL|Traceback|panicked|panic:|Unhandled|uncaught)\b"
    r"|\b\w*(?:Error|Exception)\b(?::|$)|\berror\b[:\[ ]|\" 5\d\d\b|\[(?:error|fatal)\]",
)
"""What a line looks like that the user should see: of Python, Node, PostgreSQL, web servers, compilers."""
HARMLESS = re.compile(r"\b(?:0|no) errors?\b", re.IGNORECASE)


class Kind(IntEnum):
    """Who says a line."""

    OUTPUT = 0
    """The service."""
    RUN = 1
    """devinit, in the log: where a run begins."""
    NOTE = 2
    """The dashboard or the supervisor, here and nowhere else."""
    UNFINISHED = 3
    """The service; the line may still grow."""


class LogLine(Struct, frozen=True):
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
        """What one would see of it: nothing that a terminal obeys but colours."""
        return coloured(self.raw).expandtabs()

    @property
    def is_problem(self) -> bool:
        """Whether the user should see it."""
        if self.kind is not Kind.OUTPUT:
            return False
        text = self.plain
        return PROBLEM.search(text) is not None and HARMLESS.search(text) is None


def kind_of(text: str) -> Kind:
    """Return who says a line of a log."""
    return Kind.RUN if text.startswith(MARKER) else Kind.OUTPUT


def shortened(text: str) -> str:
    """Return as much of a line as is kept."""
    missing = len(text) - LONGEST
    return f"{text[:LONGEST]}… [{missing:,} more]" if missing > 0 else text

"""Log lines for a human reader: structured lines are reformatted, and unwanted lines are filtered out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from devinit.logs.levels import LEVELS, Level, stated_level
from devinit.logs.records import record_of
from devinit.logs.shown import below, folded, without_what_is_below
from devinit.logs.sieve import Sieve, level_in
from devinit.text import harmless

if TYPE_CHECKING:
    from devinit.cli.arguments import Arguments
    from devinit.cli.output import Paint

MOST_BELOW = 100
"""The maximum number of stack trace lines that are printed below their record."""


class Arranged:
    """The rules by which log lines are filtered and formatted."""

    def __init__(self, sieve: Sieve, paint: Paint, *, is_raw: bool) -> None:
        """`is_raw`: print each line as the service wrote it."""
        self.sieve = sieve
        self._paint = paint
        self._is_raw = is_raw

    def rows(self, text: str, *, with_time: bool) -> list[str] | None:
        """Return the rows in which a structured line is shown; None for any other line."""
        if self._is_raw or (record := record_of(text)) is None:
            return None
        level = record.level or Level.INFO
        more = list(below(record)) if level >= Level.ERROR else []
        pieces = folded(without_what_is_below(record) if more else record, with_time=with_time)
        first = "".join(self._styled(part, style, level) for part, style in pieces)
        rows = [self._paint.dim(f"      {line}") for line in more[:MOST_BELOW]]
        return [first, *rows, *([self._paint.dim("      …")] if len(more) > MOST_BELOW else [])]

    def marked(self, text: str) -> str:
        """Return a plain text line in the colour of its level, if it states one and has no colours of its own."""
        level = None if self._is_raw or "\x1b" in text else stated_level(text)
        if level is None or level < Level.WARNING:
            return text
        return self._styled(harmless(text), "message", level)

    def searched(self, text: str) -> str:
        """Return the visible text of a line, for a search."""
        record = None if self._is_raw else record_of(text)
        return text if record is None else "".join(part for part, _ in folded(record))

    def keeps(self, service: str, text: str) -> bool:
        """Whether the next line of a service is wanted."""
        if self.sieve.is_open:
            return True
        plain = harmless(text)
        return self.sieve.keeps(service, plain, record_of(plain))

    def level(self, text: str) -> str:
        """Return the name of a line's level."""
        return level_in(text).word

    def _styled(self, text: str, style: str, level: Level) -> str:
        match style:
            case "dim":
                return self._paint.dim(text)
            case _ if level >= Level.ERROR:
                return self._paint.bad(text)
            case _ if level is Level.WARNING:
                return self._paint.attention(text)
            case "level":
                return self._paint.good(text) if level is Level.INFO else self._paint.dim(text)
        return text


def arranged_for(arguments: Arguments, paint: Paint) -> Arranged:
    """Return the filter and format that the arguments ask for."""
    at_least = LEVELS[arguments.level] if arguments.level else None
    sieve = Sieve(at_least, requests=not arguments.no_requests)
    return Arranged(sieve, paint, is_raw=arguments.raw or arguments.json or not sys.stdout.isatty())

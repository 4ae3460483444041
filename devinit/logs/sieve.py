"""The selection of lines to show: those from a level on, with or without requests to servers. Pure."""

from __future__ import annotations

from devinit.logs.levels import Level, belongs_to_the_line_before, sounds_like_a_problem, stated_level
from devinit.logs.records import Record, record_of
from devinit.logs.requests import is_request
from devinit.text import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from devinit.logs.lines import Line

MOST_HELD = 1_000
"""Lines that are held until the line to which they belong is known, when a log is read backwards."""


def level_of(text: str, record: Record | None) -> Level:
    """Return the level of a line. Without a stated level it is INFO, unless the line looks like an error."""
    if record is not None:
        return record.level or (Level.ERROR if sounds_like_a_problem(record.message) else Level.INFO)
    stated = stated_level(text)
    if stated is not None and stated is not Level.INFO:
        return stated
    # uvicorn logs a failed request with the level INFO.
    return Level.ERROR if sounds_like_a_problem(text) and (stated is None or '" 5' in text) else Level.INFO


def level_in(text: str) -> Level:
    """Return the level of a line, structured or not."""
    return level_of(text, record_of(text))


class Sieve:
    """A filter for the lines to show."""

    def __init__(self, at_least: Level | None = None, *, requests: bool = True) -> None:
        self.at_least, self.requests = at_least, requests
        self.is_open = at_least is None and requests
        """Whether every line passes."""
        self._kept: dict[str, bool] = {}
        """Whether the last line of each service that did not continue another one was kept."""

    def keeps(self, service: str, text: str, record: Record | None) -> bool:
        """Whether to show the next line of a service; a continuation is shown if the line that it continues is."""
        if self.is_open:
            return True
        if self._belongs(text, record):
            return self._kept.get(service, self.at_least is None)
        kept = self._kept[service] = self.judges(text, record)
        return kept

    def backwards(self, service: str, lines: Iterable[Line]) -> Iterator[Line]:
        """Yield the lines to show, from a service's lines in reverse order."""
        held: list[Line] = []
        for line in lines:
            if self.is_open:
                yield line
                continue
            text = harmless(line.text)
            record = record_of(text)
            if self._belongs(text, record) and len(held) < MOST_HELD:
                held.append(line)
                continue
            kept = self.judges(text, record)
            self._kept.setdefault(service, kept)
            if kept:
                yield from (*held, line)
            held = []

    def _belongs(self, text: str, record: Record | None) -> bool:
        """Whether a line continues the one before. Next.js indents its lines about requests."""
        return (
            record is None
            and belongs_to_the_line_before(text)
            and (self.requests or not is_request(text, record))
        )

    def judges(self, text: str, record: Record | None) -> bool:
        """Whether to show a line that continues no other."""
        if not self.requests and is_request(text, record):
            return False
        return self.at_least is None or level_of(text, record) >= self.at_least

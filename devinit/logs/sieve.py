"""Which lines are shown: those of a level at least, with or without the requests of servers. Pure."""

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
"""Lines that wait for the one that they belong to, when a log is read from its end."""


def level_of(text: str, record: Record | None) -> Level:
    """Return how serious a line is. One that states no level informs, unless it sounds like an error."""
    if record is not None:
        return record.level or (Level.ERROR if sounds_like_a_problem(record.message) else Level.INFO)
    stated = stated_level(text)
    if stated is not None and stated is not Level.INFO:
        return stated
    # uvicorn only informs about a request that failed.
    return Level.ERROR if sounds_like_a_problem(text) and (stated is None or '" 5' in text) else Level.INFO


def level_in(text: str) -> Level:
    """Return how serious a line is, structured or not."""
    return level_of(text, record_of(text))


class Sieve:
    """Lets the lines through that are wanted."""

    def __init__(self, at_least: Level | None = None, *, requests: bool = True) -> None:
        self.at_least, self.requests = at_least, requests
        self.is_open = at_least is None and requests
        """Whether every line passes."""
        self._kept: dict[str, bool] = {}
        """Whether the last line of a service was kept that began something."""

    def keeps(self, service: str, text: str, record: Record | None) -> bool:
        """Whether the next line of a service is wanted; a line that belongs to the one before shares its fate."""
        if self.is_open:
            return True
        if self._belongs(text, record):
            return self._kept.get(service, self.at_least is None)
        kept = self._kept[service] = self.judges(text, record)
        return kept

    def backwards(self, service: str, lines: Iterable[Line]) -> Iterator[Line]:
        """Yield those lines that are wanted of a service's lines from the last one to the first."""
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
        """Whether a line shares the fate of the one before. Next.js indents what it says of a request."""
        return (
            record is None
            and belongs_to_the_line_before(text)
            and (self.requests or not is_request(text, record))
        )

    def judges(self, text: str, record: Record | None) -> bool:
        """Whether a line that begins something is wanted."""
        if not self.requests and is_request(text, record):
            return False
        return self.at_least is None or level_of(text, record) >= self.at_least

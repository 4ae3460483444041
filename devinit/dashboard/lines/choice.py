"""The user's choice of lines, kept for each service and for all together. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

from devinit.logs.levels import Level
from devinit.logs.sieve import Sieve

STEPS = (None, Level.INFO, Level.WARNING, Level.ERROR)
"""The levels that the key cycles through."""


class Choice(Struct, frozen=True):
    """The filter, level and kind of lines to show."""

    filter: re.Pattern[str] | None = None
    """Only matching lines are shown."""
    level: Level | None = None
    """Only lines of this level or higher are shown."""
    requests: bool = True
    """Whether lines about requests are shown that did not fail."""

    @property
    def sieve(self) -> Sieve:
        """The sieve for level and requests."""
        return Sieve(self.level, requests=self.requests)

    @property
    def next_level(self) -> Level | None:
        """The level after the next press of the key."""
        return STEPS[(STEPS.index(self.level) + 1) % len(STEPS)]

    @property
    def said(self) -> list[str]:
        """The parts of the pane's title about the choice."""
        said = [f"filter {self.filter.pattern}"] if self.filter is not None else []
        said += [f"{self.level.word} and above"] if self.level is not None else []
        return said if self.requests else [*said, "no requests"]

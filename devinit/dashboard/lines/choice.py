"""Which lines of a service a person wants to see: kept for each service, and for all together. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

from devinit.logs.levels import Level
from devinit.logs.sieve import Sieve

STEPS = (None, Level.INFO, Level.WARNING, Level.ERROR)
"""What the key for the level goes through."""


class Choice(Struct, frozen=True):
    """Which lines are shown."""

    filter: re.Pattern[str] | None = None
    """Only those that match."""
    level: Level | None = None
    """Only those of this level or a higher one."""
    requests: bool = True
    """Whether lines about requests are shown that were answered."""

    @property
    def sieve(self) -> Sieve:
        """What lets these lines through."""
        return Sieve(self.level, requests=self.requests)

    @property
    def next_level(self) -> Level | None:
        """The level that the next press of the key chooses."""
        return STEPS[(STEPS.index(self.level) + 1) % len(STEPS)]

    @property
    def said(self) -> list[str]:
        """What a title says about it."""
        said = [f"filter {self.filter.pattern}"] if self.filter is not None else []
        said += [f"{self.level.word} and above"] if self.level is not None else []
        return said if self.requests else [*said, "no requests"]

"""What the dashboard needs for permanent answers; the command that opens it knows the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class KeptAnswers(Protocol):
    """Where answers about taken ports are kept."""

    def can_keep(self) -> bool:
        """Whether there is a place for them."""
        ...

    def keep(self, answers: Mapping[str, str]) -> list[str]:
        """Keep the policies of services, and return what is to be said of that."""
        ...

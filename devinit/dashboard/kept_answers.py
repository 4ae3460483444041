"""The interface for permanent answers about ports; the command that opens the dashboard implements it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class KeptAnswers(Protocol):
    """A store of permanent answers about taken ports."""

    def can_keep(self) -> bool:
        """Whether answers can be stored."""
        ...

    def keep(self, answers: Mapping[str, str]) -> list[str]:
        """Store the policies of services; return messages about the result."""
        ...

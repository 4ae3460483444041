"""Orders of the user that the supervisor has not answered yet, and the screen does not show yet. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

BRINGS_UP = frozenset({"start", "restart"})
"""Orders after which a service runs, whatever its current phase."""


class Given(Struct, frozen=True, eq=False):
    """One order; identical ones remain distinct."""

    method: str
    services: tuple[str, ...]
    """The services that it concerns; empty for all."""


class Ordered:
    """The unanswered orders, in the order of the keys."""

    def __init__(self) -> None:
        self._given: list[Given] = []

    def add(self, method: str, services: Sequence[str]) -> Given:
        """Record an order at the moment of its key, so that the next key takes it into account."""
        given = Given(method, tuple(services))
        self._given.append(given)
        return given

    def answered(self, given: Given) -> None:
        """Forget an order that the supervisor has answered, or that is not sent."""
        self._given.remove(given)

    def last(self, service: str) -> str:
        """Return the method of a service's last unanswered order; "" if there is none."""
        concerned = (
            each.method for each in reversed(self._given) if service in each.services or not each.services
        )
        return next(concerned, "")

    def methods(self) -> frozenset[str]:
        """Return the methods of all unanswered orders."""
        return frozenset(each.method for each in self._given)

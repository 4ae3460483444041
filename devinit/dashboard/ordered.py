"""What the user has ordered and the supervisor has not answered yet: the screen shows it later. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

BRINGS_UP = frozenset({"start", "restart"})
"""Orders after which a service runs, whatever it does now."""


class Given(Struct, frozen=True, eq=False):
    """One order; two alike are two orders."""

    method: str
    services: tuple[str, ...]
    """Of which services; empty for all."""


class Ordered:
    """Orders without an answer, in the order of the keys."""

    def __init__(self) -> None:
        self._given: list[Given] = []

    def add(self, method: str, services: Sequence[str]) -> Given:
        """Note an order, at the moment of the key: the next key is judged by it."""
        given = Given(method, tuple(services))
        self._given.append(given)
        return given

    def answered(self, given: Given) -> None:
        """Forget an order: the supervisor has answered it, or it is not sent."""
        self._given.remove(given)

    def last(self, service: str) -> str:
        """Return the method that was ordered last for a service; "" when every order is answered."""
        concerned = (
            each.method for each in reversed(self._given) if service in each.services or not each.services
        )
        return next(concerned, "")

    def methods(self) -> frozenset[str]:
        """Return which methods were ordered, for whatever services."""
        return frozenset(each.method for each in self._given)

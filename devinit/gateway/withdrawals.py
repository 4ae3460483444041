"""Services that a restart is about to stop or has stopped; requests to them wait until they are back. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from devinit.gateway.caddy.routes import WITHDRAWN, Target
from devinit.model.phases import AT_REST
from devinit.model.status import ProjectStatus

WITHDRAWN_SECONDS = 2.0
"""How long it may take after a withdrawal until the service is seen down."""
BACK = frozenset({"ready", "unhealthy"})


class Withdrawals:
    """The withdrawn services of one project."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._down: set[str] = set()
        """Withdrawn services that have been seen down."""

    def begin(self, services: Iterable[str], now: float) -> None:
        """Withdraw services: requests to them wait from now on."""
        self._since |= dict.fromkeys(services, now)

    def see(self, status: ProjectStatus, now: float) -> None:
        """End the withdrawal of a service that is back, has not gone down, or will not come back."""
        returning = status.get("returning", [])
        for row in status["services"]:
            name = row["name"]
            if name in self._since and self._is_over(name, row["phase"], returning, now):
                del self._since[name]
                self._down.discard(name)

    def applied(self, targets: Iterable[Target]) -> list[Target]:
        """Return the targets; those of withdrawn services, and their extra ports, have the phase WITHDRAWN."""
        return [
            replace(each, phase=WITHDRAWN) if each.service.partition(".")[0] in self._since else each
            for each in targets
        ]

    def _is_over(self, name: str, phase: str, returning: Collection[str], now: float) -> bool:
        is_late = now - self._since[name] > WITHDRAWN_SECONDS
        if phase in BACK:
            return name in self._down or is_late
        self._down.add(name)
        return phase in AT_REST and name not in returning and (is_late or phase != "stopped")

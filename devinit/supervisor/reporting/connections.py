"""The servers to which a service is connected, as reported to clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from devinit.model.status import Phase

if TYPE_CHECKING:
    from devinit.model.status import WrongServer
    from devinit.supervisor.service.runner import Runner

CONNECTED = frozenset({Phase.STARTING, Phase.READY, Phase.UNHEALTHY})
"""Phases in which connections are examined. A wrong one may be why a service cannot come up."""


class Connections(TypedDict):
    """The services of its project to which a service is connected, and servers that took the place of one."""

    talks_to: list[str]
    wrong_servers: list[WrongServer]


def connections_of(runner: Runner) -> Connections:
    """Return the connections of a service at the last look; none for a service that does not run."""
    if runner.phase not in CONNECTED:
        return {"talks_to": [], "wrong_servers": []}
    return {"talks_to": runner.history.talks_to, "wrong_servers": runner.history.wrong_servers}

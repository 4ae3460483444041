"""Which servers a service is connected to, as clients get it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from devinit.model.status import Phase

if TYPE_CHECKING:
    from devinit.model.status import WrongServer
    from devinit.supervisor.service.runner import Runner

CONNECTED = frozenset({Phase.STARTING, Phase.READY, Phase.UNHEALTHY})
"""Phases in which connections are looked at: also while a service cannot come up, because of a wrong one."""


class Connections(TypedDict):
    """To which services of its project a service is connected, and to which servers in the place of one."""

    talks_to: list[str]
    wrong_servers: list[WrongServer]


def connections_of(runner: Runner) -> Connections:
    """Return what was seen of a service when that was looked at last; nothing of one that does not run."""
    if runner.phase not in CONNECTED:
        return {"talks_to": [], "wrong_servers": []}
    return {"talks_to": runner.history.talks_to, "wrong_servers": runner.history.wrong_servers}

"""Reasons why a service could not bind: another process holds its port, or it asks for a port not given to it.

In the first case, the service gets the next port. In the second case, it would ask for the same port again
whatever port it is given, so only a change of its command helps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from msgspec.structs import replace

from devinit.ports.holder.lookup import holders_of_port
from devinit.system.listeners import tcp_listeners

_USE_IT = "its command or its configuration must use ${PORT}, the port that is found for it"


def asks_for_another(
    named: Collection[int], own: Sequence[int], *, tried_again: bool, retake: Callable[[], bool]
) -> str | None:
    """Return why a service asks for a port that it was not given; None when it may ask for the right one.

    If its own ports can be taken (`retake`) after it `tried_again` without a hold of ours in its way, it cannot
    have asked for them.
    """
    if not set(own) & set(named):
        for port in named:
            if tcp_listeners(port):
                return insists_on(port, own[0])
    if not named and tried_again and retake() and not any(tcp_listeners(port) for port in own):
        return f"it asks for a port that is in use, and {own[0]}, which it was given, is not: {_USE_IT}"
    return None


def insists_on(port: int, given: int, ours: Collection[int] = ()) -> str:
    """Describe a service (pids `ours`) that asks for another process's port, whatever port it is given."""
    found = holders_of_port(port)
    others = replace(found, holders=tuple(each for each in found.holders if each.identity.pid not in ours))
    return f"it asks for port {port} instead of {given}, and that is {others.reason}: {_USE_IT}"

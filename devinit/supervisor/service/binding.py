"""Why a service could not bind: another process has its port, or it asks for another one than it was given.

The first is answered with the next port. The second is not: whatever port it is given, it asks for the same
one again, and only its command can be changed.
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
    """Say that a service asks for a port that is none of its own; None when it may ask for the right one.

    Where its own ports can be taken (`retake`) after it `tried_again`, without a hold of ours in its way, it
    cannot have asked for them.
    """
    if not set(own) & set(named):
        for port in named:
            if tcp_listeners(port):
                return insists_on(port, own[0])
    if not named and tried_again and retake() and not any(tcp_listeners(port) for port in own):
        return f"it asks for a port that is in use, and {own[0]}, which it was given, is not: {_USE_IT}"
    return None


def insists_on(port: int, given: int, ours: Collection[int] = ()) -> str:
    """Say that a service (pids `ours`) asks for a port that another process has, whatever port it is given."""
    found = holders_of_port(port)
    others = replace(found, holders=tuple(each for each in found.holders if each.identity.pid not in ours))
    return f"it asks for port {port} instead of {given}, and that is {others.reason}: {_USE_IT}"

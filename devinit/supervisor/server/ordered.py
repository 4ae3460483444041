"""Conversion of a client's `start` and `restart` requests into orders."""

from __future__ import annotations

from devinit.control.messages import StartParams
from devinit.control.server import Connection
from devinit.model.port import ConflictPolicy
from devinit.supervisor.project.port_wishes import PortWishes
from devinit.supervisor.stack.order import Order


def order_of(asked: StartParams, connection: Connection) -> Order:
    """Return the order for a client's request."""
    return Order(
        services=asked.services,
        asked=PortWishes(
            environ=asked.environ,
            policy=asked.on_conflict,
            can_answer=asked.can_answer or asked.on_conflict is ConflictPolicy.ASK,
            resolutions=asked.resolutions,
            # The client must not be killed by its own order.
            protected=(connection.pid,) if connection.pid else (),
        ),
        profile=asked.profile,
        timeout_seconds=asked.timeout_seconds,
        only_changed=asked.only_changed,
        sets_up=asked.sets_up,
        in_terminals=asked.in_terminals,
        names=asked.names,
        is_abandoned=lambda: connection.is_gone,
    )

"""Free a port for a user: what `devinit ports free` does, without keeping the port.

Unlike a start it needs no lease of its own, but it takes one meanwhile: no other project is to have the
port in the moment in which it is freed, and none that runs on it is to lose it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable

from msgspec import Struct

from devinit.errors import PortConflict
from devinit.model.port import LeaseOwner
from devinit.model.process import ProcessIdentity
from devinit.ports.ending.release import Say, release
from devinit.ports.hold import Hold, Refusal, hold
from devinit.ports.holder.leftover import started_by_us
from devinit.ports.holder.lookup import holders_of_port
from devinit.ports.holder.verdict import judge
from devinit.ports.leases import LeaseStore, Taken


class Freed(Struct, frozen=True):
    """A port on which no process listens any more."""

    port: int
    ended: tuple[str, ...]
    """The processes that were ended for it, in words; empty when it was free already."""


def free(
    port: int,
    *,
    root: str,
    store: LeaseStore,
    looked_after: bool,
    holders: Collection[ProcessIdentity] | None = None,
    protected: Iterable[int] = (),
    say: Say = lambda _text: None,
) -> Freed:
    """End what holds a port, for the checkout at `root` (empty: for none).

    `holders` are those that a person saw and agreed to; None agrees to every holder of now.
    `looked_after` tells whether a supervisor of this checkout runs, which would start its services again.
    Raises PortConflict, with what to do instead, when they must not be ended or do not end.
    """
    protected = tuple(protected)
    lease = store.take(port, _asker(root))
    try:
        running = isinstance(lease, Taken) and lease.live
        if not running and isinstance(held := hold(port), Hold):
            held.close()
            return Freed(port, ())
        found = holders_of_port(port, protected=protected)
        # The project that has it reserved is stopped, and gains by it.
        obstruction = lease if isinstance(lease, Taken) and lease.live else Refusal.TAKEN
        started = () if looked_after else started_by_us(found, obstruction, root=root, store=store)
        report = judge(found, obstruction, root=root, looked_after=looked_after, started=started)
        if not report.killable:
            raise PortConflict(f"port {port} is {report.summary}", hint=report.advice)
        shown = found.identities if holders is None else holders
        released = release(port, shown, protected=protected, say=say)
        released.hold.close()
        return Freed(port, released.ended)
    finally:
        if not isinstance(lease, Taken):
            lease.give_back()


def _asker(root: str) -> LeaseOwner:
    # Given back before any process could read it, unless we are killed meanwhile: then it is this folder's.
    return LeaseOwner(root=root or os.getcwd(), project="", service="", pid=os.getpid(), at=time.time())  # noqa: PTH109

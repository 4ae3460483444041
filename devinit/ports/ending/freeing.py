"""Freeing a port for the user, as `devinit ports free` does, without keeping the port.

Unlike a start, it needs no lease for itself. It takes one for the duration, so that no other project gets the port
at the moment when it becomes free, and no project that runs on the port loses it.
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
    """The processes that were ended, in words; empty if the port was free already."""


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
    """End the processes that hold a port, for the checkout at `root` (empty: for none).

    `holders` are the holders that the user saw and agreed to end; None agrees to all current holders.
    `looked_after`: whether a supervisor of this checkout runs, which would start its services again. Raise
    PortConflict, with advice, when the holders must not be ended or do not end.
    """
    protected = tuple(protected)
    lease = store.take(port, _asker(root))
    try:
        running = isinstance(lease, Taken) and lease.live
        if not running and isinstance(held := hold(port), Hold):
            held.close()
            return Freed(port, ())
        found = holders_of_port(port, protected=protected)
        # A reservation belongs to a stopped project, which gains by a free port.
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
    # The lease is returned before any process can read it, unless we are killed: then it belongs to this folder.
    return LeaseOwner(root=root or os.getcwd(), project="", service="", pid=os.getpid(), at=time.time())  # noqa: PTH109

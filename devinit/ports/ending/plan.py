"""The plan of which holders are ended for a service: made during the search, carried out after it.

No process is signalled in between. An open question or a refused start therefore ends no process of the user.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from devinit.errors import PortConflict
from devinit.model.port import LeaseOwner
from devinit.ports.ending.release import Released, release
from devinit.ports.holder.port_use import PortHolders
from devinit.ports.holder.verdict import Obstruction, brief
from devinit.ports.leases import Lease, LeaseStore, Taken

if TYPE_CHECKING:
    from devinit.ports.ending.release import Say

_LEASE_SECONDS = 2.0
"""How long the rest of an orphan's process tree may take to end after its listener has ended."""


class Ending(Struct, frozen=True, kw_only=True):
    """The holders of a port that will be ended, and the lease of that port."""

    owner: LeaseOwner
    """The service that gets the port."""
    found: PortHolders
    lease: Lease | None
    """None if the holder itself has the lease: an earlier run of the service, or a
    program that leased the port."""
    answered: bool
    """Whether the user chose to end the holders; if that fails, the question is asked again."""

    def carry_out(self, store: LeaseStore, *, protected: tuple[int, ...], say: Say) -> tuple[Lease, Released]:
        """End the holders, and hold the port as soon as it can be bound. Raise PortConflict."""
        try:
            released = release(self.found.port, self.found.identities, protected=protected, say=say)
        except BaseException:
            self.call_off()
            raise
        try:
            return self.lease or _lease_after_tree(store, self.found.port, self.owner), released
        except BaseException:
            released.hold.close()
            raise

    def call_off(self) -> None:
        """Give the lease of the port back, as if it had never been taken."""
        if self.lease is not None:
            self.lease.give_back()


def plan(
    store: LeaseStore, owner: LeaseOwner, found: PortHolders, obstruction: Obstruction, *, answered: bool
) -> Ending:
    """Take the lease, so that no other project gets the port when it becomes free. Raise PortConflict.

    A stopped project does not keep a port for which running processes are ended.
    """
    lease = None if isinstance(obstruction, Taken) else store.take(found.port, owner, over_reservation=True)
    if isinstance(lease, Taken):
        raise PortConflict(f"port {found.port} is {brief(lease, owner.root)}")
    return Ending(owner=owner, found=found, lease=lease, answered=answered)


def _lease_after_tree(store: LeaseStore, port: int, owner: LeaseOwner) -> Lease:
    """Wait until the last ended process has exited, because its lease ends with it."""
    deadline = time.monotonic() + _LEASE_SECONDS
    while isinstance(lease := store.take(port, owner), Taken):
        if time.monotonic() > deadline:
            has_left = lease.owner is not None and lease.owner.by_program
            whom = "the program that had it" if has_left else f"an earlier run of {owner.service}"
            raise PortConflict(
                f"port {port} is still leased to {whom}",
                hint="a process of it still runs; end it by hand, or choose another port",
            )
        time.sleep(0.005)  # another process releases the lock, and that wakes nothing here
    return lease

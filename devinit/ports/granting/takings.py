"""The ports that a search has taken, and the holders that it will end: either handed over or all given back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from devinit.model.port import LeaseOwner
from devinit.ports.hold import Hold, Refusal, hold
from devinit.ports.holder.pm2 import Application
from devinit.ports.holder.port_use import PortHolders
from devinit.ports.holder.verdict import Obstruction
from devinit.ports.leases import Lease, LeaseStore, Taken

if TYPE_CHECKING:
    from devinit.ports.ending.plan import Ending
    from devinit.ports.ending.release import Say


class Takings:
    """Leases and holds of ports that no service has yet, and the planned endings."""

    def __init__(
        self,
        owner: LeaseOwner,
        store: LeaseStore,
        applications: Mapping[int, Application],
        *,
        protected: tuple[int, ...],
        say: Say,
    ) -> None:
        self.taken: dict[int, tuple[Lease, Hold]] = {}
        self._owner, self._store, self._applications = owner, store, applications
        self._protected, self._say = protected, say
        self._endings: dict[int, Ending] = {}
        """Holders to be ended once every service has a port."""
        self._killed: dict[int, tuple[str, ...]] = {}

    def take(self, service: str, port: int, *, over_reservation: bool = False) -> Obstruction | None:
        """Take both lease and hold, or neither; return the obstruction, if any."""
        application = self._applications.get(port)
        if application is not None and not is_inside(application.directory, self._owner.root):
            return application
        owner = replace(self._owner, service=service)
        lease = self._store.take(port, owner, over_reservation=over_reservation)
        if isinstance(lease, Taken):
            return lease
        held = hold(port)
        if isinstance(held, Refusal):
            lease.give_back()
            return held
        self.taken[port] = (lease, held)
        return None

    def plan_to_end(
        self, service: str, found: PortHolders, obstruction: Obstruction, *, answered: bool
    ) -> None:
        """Plan to end the holders of a port. Raise PortConflict when they cannot be ended."""
        from devinit.ports.ending.plan import plan  # few starts end a holder

        owner = replace(self._owner, service=service)
        self._endings[found.port] = plan(self._store, owner, found, obstruction, answered=answered)

    def next_to_end(self) -> Ending | None:
        """Remove the next holders from the plan and return them; None if the plan is empty."""
        return self._endings.pop(next(iter(self._endings))) if self._endings else None

    def end(self, ending: Ending) -> None:
        """End holders and take their port in the same step. Raise PortConflict when it does not become free."""
        lease, released = ending.carry_out(self._store, protected=self._protected, say=self._say)
        self.taken[ending.found.port] = (lease, released.hold)
        self._killed[ending.found.port] = released.ended

    def hand_over(self, port: int) -> tuple[Lease, Hold, tuple[str, ...]]:
        """Return lease and hold of a port, and the processes ended for it; they are no longer given back."""
        lease, held = self.taken.pop(port)
        return lease, held, self._killed.get(port, ())

    def give_back(self) -> None:
        """Give all ports back, as if they had never been taken."""
        for lease, held in self.taken.values():
            held.close()
            lease.give_back()
        for ending in self._endings.values():
            ending.call_off()
        self.taken.clear()
        self._endings.clear()


def is_inside(directory: str, root: str) -> bool:
    """Return whether an application runs in this checkout, and so is the project's own, run in another way."""
    return bool(directory) and PurePath(directory).is_relative_to(root)

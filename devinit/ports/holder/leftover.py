"""The holders of a port that devinit itself has started; without this proof, no process is ended by default."""

from __future__ import annotations

from devinit.model.names import service_of
from devinit.model.process import ProcessIdentity
from devinit.ports.holder.port_use import PortHolders
from devinit.ports.holder.verdict import Obstruction
from devinit.ports.leases import LeaseStore, Taken
from devinit.system.paths import run_mark
from devinit.system.processes import ProcessTable


def started_by_us(
    found: PortHolders, obstruction: Obstruction, *, root: str, store: LeaseStore
) -> frozenset[int]:
    """Return the pids of the holders that an earlier run of the service with the lease has started.

    They carry the mark of that service or descend from a process that does. Redis and other servers overwrite
    their environment; for those, the lease that they keep is the proof. Empty for a port that devinit has not
    leased for this checkout.
    """
    if not isinstance(obstruction, Taken) or not obstruction.live or not found.holders:
        return frozenset()
    owner = obstruction.owner
    if owner is None or not root or owner.root != root or owner.by_program:
        return frozenset()
    service = service_of(owner.service)
    table = ProcessTable()
    keepers = store.keepers(root, service)
    ours: set[ProcessIdentity] = {*table.members_of(None, run_mark(root, service)), *keepers}
    return frozenset(each.pid for each in ours - table.are_apart(keepers))

"""Leases: one file for each port of the machine, so that two projects never take the same port.

The BSD lock on the file decides, never its content. The locked descriptor is passed into the service. A lease
therefore lives while the supervisor or any process of the service's tree has a copy, and ends by itself with the
last copy; pid files and guesses about stale files are unnecessary. For the same reason a lease is only closed:
LOCK_UN through one copy would unlock all of them. The exception is a copy that an interactive program, such as
tmux, has inherited (`Lease.withhold`).

The content names the owner and outlives the lock. The `Claim` of a record says what the port means to its service
while that is stopped: most ports are free for the next project that wants them, a few are kept. Files are never
unlinked, because a lock on an unlinked file would not stop the next process.
"""

from __future__ import annotations

from devinit.ports.leases.lease import Lease
from devinit.ports.leases.records import (
    LAPSE_SECONDS,
    Claim,
    Displaced,
    Taken,
    programs_leased,
    root_name,
    services_leased,
)
from devinit.ports.leases.store import LeaseStore

__all__ = [
    "LAPSE_SECONDS",
    "Claim",
    "Displaced",
    "Lease",
    "LeaseStore",
    "Taken",
    "programs_leased",
    "root_name",
    "services_leased",
]

"""Leases: one file for each port of the machine, so that two projects never take the same one.

The truth is the BSD lock on the file, never its content. The locked descriptor is passed into the
service, so that a lease lives while the supervisor or any process of the service's tree holds a
copy, and ends by itself when the last one is gone: no pid files, no guesses about staleness. That
is why a lease is only closed: LOCK_UN through one copy would unlock it for all of them. The exception is
a copy that a program inherited in which a person works, such as tmux (`Lease.withhold`).

The content names the owner and outlives the lock. What a record means once its service is stopped is
its `Claim`: most ports are free for the next project that wants them, a few are kept for the one that
is stopped. Files are never unlinked, since a lock on an unlinked file locks nothing for the next one.
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

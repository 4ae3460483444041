"""The entry point for callers that ask who holds a port and do not want to take it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from devinit.model.port import PortReport
from devinit.ports.hold import Refusal, refusal_of
from devinit.ports.holder.leftover import started_by_us
from devinit.ports.holder.lookup import counted, holders_of_port
from devinit.ports.holder.pm2 import applications
from devinit.ports.holder.verdict import Obstruction, judge
from devinit.ports.leases import LeaseStore, root_name
from devinit.system.file_lock import is_locked
from devinit.system.paths import SUPERVISOR_LOCK, state_directory
from devinit.system.state_folders import state_folder


def who(
    port: int, root: str | os.PathLike[str] | None = None, *, protected: Iterable[int] = ()
) -> PortReport | None:
    """Return a report on who has a port, as seen from the checkout at `root`; None if the port is free.

    `protected` are the pids of the caller: they and their ancestors never count as killable.
    """
    here = root_name(root) if root is not None else ""
    store = LeaseStore(state_directory() / "leases")
    lease = store.look(port)
    found = holders_of_port(port, protected=protected)
    obstruction: Obstruction | None = lease
    if lease is None:
        obstruction = Refusal.TAKEN if found.listeners else refusal_of(port)
    if obstruction is None and (application := applications(os.environ).get(port)) is not None:
        obstruction = application
    if obstruction is None:
        return None
    looked_after = is_looked_after(here)
    started = () if looked_after else started_by_us(found, obstruction, root=here, store=store)
    report = judge(found, obstruction, root=here, looked_after=looked_after, started=started)
    return counted(report, found)


def is_looked_after(root: str) -> bool:
    """Return whether a supervisor runs for a checkout; without one, its running processes are orphans."""
    return bool(root) and is_locked(f"{state_folder(root)}/{SUPERVISOR_LOCK}")

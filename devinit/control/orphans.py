"""Services that run without a supervisor and without a record: only their leases tell.

That takes two accidents at once: a supervisor that was killed, and a record, or a whole checkout, that was
deleted.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack

from devinit.control.checkouts import recorded_at
from devinit.control.client import Client
from devinit.control.launch import client_at, connect_or_start
from devinit.control.stopped import refuse_remaining
from devinit.errors import ServiceError
from devinit.model.process import ProcessIdentity
from devinit.ports.leases import LeaseStore, root_name
from devinit.system.paths import project_id, state_directory
from devinit.system.processes import RUN_VARIABLE, Process, ProcessTable, process_ids, variable_of

GRACE_SECONDS = 10.0
KILL_SECONDS = 5.0


def orphans_of(root: str | os.PathLike[str]) -> dict[str, int]:
    """Return the services of a checkout that have a port leased at this moment, with the port.

    The caller has found out that no supervisor listens.
    """
    name = root_name(root)
    store = LeaseStore(state_directory() / "leases")
    found = [(owner.service, port) for port, owner, live in store.owners() if live and owner.root == name]
    # A service's own port, not an extra one of it; and no lease that only a program keeps which was left running.
    own = {service: port for service, port in found if "." not in service}
    return {service: port for service, port in own.items() if not store.is_only_kept_apart(name, service)}


def is_elsewhere(root: str | os.PathLike[str], service: str) -> bool:
    """Whether a service of `orphans_of` runs in a container or namespace that cannot be seen from here."""
    if LeaseStore(state_directory() / "leases").keepers(root_name(root), service):
        return False
    return not _members([f"{project_id(root)}/{service}"])


def services_elsewhere(root: str | os.PathLike[str]) -> list[str]:
    """Return the services of `orphans_of` that run in a container or namespace that cannot be seen from here."""
    return [service for service in orphans_of(root) if is_elsewhere(root, service)]


def connect_for_orphans(root: str) -> Client | None:
    """Start a supervisor where something of a checkout runs that is not on record; it knows how to end it."""
    if not orphans_of(root) and not _is_anything_marked(f"{project_id(root)}/"):
        return None
    return connect_or_start(root)


def end_orphans(root: str | os.PathLike[str]) -> list[str]:
    """End the services of a checkout that was deleted; return those that were ended.

    Its supervisor does so if there is one. Otherwise all are asked in the same way, since what was started
    there has lost its data: INT is PostgreSQL's fast shutdown, TERM that of every other program.
    """
    checkout = recorded_at(root)
    if checkout is not None and (client := client_at(checkout.socket, os.fspath(root))) is not None:
        answer = client.call("stop")
        refuse_remaining(answer)
        stopped: list[str] = answer["stopped"]
        return stopped
    services = [service for service in orphans_of(root) if not is_elsewhere(root, service)]
    marks = [f"{project_id(root)}/{service}" for service in services]
    _end(marks, (signal.SIGINT, signal.SIGTERM), GRACE_SECONDS)
    _end(marks, (signal.SIGKILL,), KILL_SECONDS)
    left = {member.pid for member in _members(marks)}
    if left:
        pids = ", ".join(map(str, sorted(left)))
        raise ServiceError(f"processes {pids} do not end", hint="the kernel holds them: a disk that is gone?")
    return services


def _end(marks: list[str], numbers: tuple[int, ...], seconds: float) -> None:
    """Signal every process with one of these marks, and wait until none is left or the time is over."""
    deadline = time.monotonic() + seconds
    asked: set[ProcessIdentity] = set()
    while (members := _members(marks)) and time.monotonic() < deadline:
        with ExitStack() as stack:
            opened = [stack.enter_context(each) for member in members if (each := Process.open(member))]
            for process in opened:
                if process.identity not in asked:
                    asked.add(process.identity)
                    for number in (*numbers, signal.SIGCONT):
                        process.send(number)
            for process in opened:
                process.wait(max(0.0, deadline - time.monotonic()))


def _members(marks: list[str]) -> list[ProcessIdentity]:
    table = ProcessTable()
    return [member for mark in marks for member in table.members_of(None, mark)]


def _is_anything_marked(prefix: str) -> bool:
    marks = {
        mark for pid in process_ids() if (mark := variable_of(pid, RUN_VARIABLE) or "").startswith(prefix)
    }
    return bool(_members(sorted(marks)))

"""Services that run without a supervisor and without a record: only their leases show them.

That takes two accidents at once: a killed supervisor, and a deleted record or checkout.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from devinit.control import api
from devinit.control.checkouts import recorded_at
from devinit.control.client import Client
from devinit.control.launch import client_at, connect_or_start
from devinit.control.stopped import refuse_remaining
from devinit.errors import ServiceError
from devinit.model.names import is_extra
from devinit.model.process import ProcessFacts, ProcessIdentity
from devinit.model.saving import SAVING_SECONDS, last_resort, request_to_end, saving_server
from devinit.ports.leases import LeaseStore, programs_leased, root_name, services_leased
from devinit.system.files import read_text
from devinit.system.namespaces import pid_namespace
from devinit.system.paths import marked_service, run_mark, state_directory
from devinit.system.processes import RUN_VARIABLE, Process, ProcessTable, facts_of, process_ids, variable_of
from devinit.system.state_folders import state_folder

GRACE_SECONDS = 10.0
KILL_SECONDS = 5.0


def orphans_of(root: str | os.PathLike[str]) -> dict[str, int]:
    """Return the services of a checkout for which devinit currently has a port leased, with the port.

    The caller has found out that no supervisor listens. A program that has leased a port for itself is no orphan.
    """
    name = root_name(root)
    store = LeaseStore(state_directory() / "leases")
    # Only a service's main port, and no lease that only an interactive program keeps which was left running.
    own = {service: port for service, port in services_leased(store.owners(), name) if not is_extra(service)}
    return {service: port for service, port in own.items() if not store.is_only_kept_apart(name, service)}


def programs_of(root: str | os.PathLike[str]) -> dict[str, int]:
    """Return the ports that programs of the user have leased for themselves, by name."""
    return programs_leased(LeaseStore(state_directory() / "leases").owners(), root_name(root))


def is_elsewhere(root: str | os.PathLike[str], service: str) -> bool:
    """Whether a service of `orphans_of` runs in a container or namespace that is invisible from here."""
    return not _members(root, [service])


def services_elsewhere(root: str | os.PathLike[str]) -> list[str]:
    """Return the services of `orphans_of` that run in a container or namespace that is invisible from here."""
    return [service for service in orphans_of(root) if is_elsewhere(root, service)]


def recorded_elsewhere(root: str | os.PathLike[str]) -> list[str]:
    """Return the recorded services without a port that run in the same place as those of `services_elsewhere`.

    They have no lease, so only the record shows them. The caller has found other services of the checkout there.
    """
    try:
        found = json.loads(read_text(Path(state_folder(root), "state.json")) or "{}")
        if found["pid_namespace"] in ("", pid_namespace()):
            return []
        return [name for name, each in found["services"].items() if each["identity"]]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []  # damaged, or written by an earlier version: the supervisor refuses it by name


def connect_for_orphans(root: str) -> Client | None:
    """Start a supervisor for a checkout whose processes run without a record, so that it can end them."""
    if not orphans_of(root) and not _is_anything_marked(root):
        return None
    return connect_or_start(root)


def end_orphans(root: str | os.PathLike[str]) -> list[str]:
    """End the services of a deleted checkout; return those that were ended.

    Its supervisor does this if there is one. A database server is never killed: its data lies outside of the
    checkout, and is not deleted with it. Raise ServiceError if a process does not end.
    """
    checkout = recorded_at(root)
    if checkout is not None and (client := client_at(checkout.socket, os.fspath(root))) is not None:
        answer = api.stop(client)
        refuse_remaining(answer)
        return answer["stopped"]
    services = [service for service in orphans_of(root) if not is_elsewhere(root, service)]

    def running() -> list[ProcessIdentity]:
        return _members(root, services)

    _end(running, request_to_end, GRACE_SECONDS)
    _end(running, last_resort, KILL_SECONDS)
    if _saving(running()):
        _end(running, lambda _facts: None, SAVING_SECONDS)
    if saving := _saving(running()):
        raise still_saving(saving)
    left = {member.pid for member in running()}
    if left:
        pids = ", ".join(map(str, sorted(left)))
        raise ServiceError(f"processes {pids} do not end", hint="the kernel holds them: a disk that is gone?")
    return services


def still_saving(servers: Sequence[ProcessFacts]) -> ServiceError:
    """Return the error about database servers that have not ended after SIGTERM, and must not be killed."""
    names = ", ".join(f"{saving_server(facts)} (pid {facts.identity.pid})" for facts in servers)
    return ServiceError(
        f"{names} has not ended yet, and is not killed: it may still be saving its data",
        hint="wait until it has ended, then try again",
    )


def _end(
    running: Callable[[], list[ProcessIdentity]],
    number_for: Callable[[ProcessFacts], signal.Signals | None],
    seconds: float,
) -> None:
    """Signal every running process, and wait until none is left or the time is over."""
    deadline = time.monotonic() + seconds
    asked: set[ProcessIdentity] = set()
    while (members := running()) and time.monotonic() < deadline:
        with ExitStack() as stack:
            opened = [stack.enter_context(each) for member in members if (each := Process.open(member))]
            for process in opened:
                if process.identity not in asked:
                    asked.add(process.identity)
                    facts = facts_of(process.pid)
                    if facts is not None and (number := number_for(facts)) is not None:
                        process.send(number)
                        process.send(signal.SIGCONT)
            for process in opened:
                process.wait(max(0.0, deadline - time.monotonic()))


def _saving(members: Sequence[ProcessIdentity]) -> list[ProcessFacts]:
    """Return the database servers among these processes that must not be killed."""
    found = [facts for member in members if (facts := facts_of(member.pid)) is not None]
    return [facts for facts in found if last_resort(facts) is None]


def _members(root: str | os.PathLike[str], services: Sequence[str]) -> list[ProcessIdentity]:
    """Return the processes of services, found by their mark and by the leases that they keep.

    Redis and others overwrite the mark with their title. An interactive program that inherited a lease does not
    belong to the service.
    """
    store, table = LeaseStore(state_directory() / "leases"), ProcessTable()
    marked = [each for name in services for each in table.members_of(None, run_mark(root, name))]
    keepers = [each for name in services for each in store.keepers(root_name(root), name)]
    apart = table.are_apart(keepers) if keepers else set()
    return list(dict.fromkeys([*marked, *(each for each in keepers if each not in apart)]))


def _is_anything_marked(root: str) -> bool:
    marks = {
        mark
        for pid in process_ids()
        if (mark := variable_of(pid, RUN_VARIABLE)) and marked_service(mark, root) is not None
    }
    table = ProcessTable()
    return any(table.members_of(None, mark) for mark in sorted(marks))

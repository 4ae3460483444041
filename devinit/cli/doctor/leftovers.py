"""Findings about the remains of earlier runs: processes without a supervisor, and other processes in the data.

Reservations of deleted folders need no cure: they have no effect, and `neighbours` drops them.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from shlex import quote

from devinit.cli.doctor.files import lost_logs
from devinit.cli.doctor.finding import Cure, Finding
from devinit.config.load import load
from devinit.control import api, checkouts
from devinit.control.client import Client
from devinit.control.launch import connect_or_start, runs_without_supervisor
from devinit.control.orphans import (
    end_orphans,
    is_elsewhere,
    orphans_of,
    recorded_elsewhere,
    still_saving,
)
from devinit.control.stopped import refuse_remaining
from devinit.control.waking import supervisor_of
from devinit.errors import DevinitError, ServiceError, StateFileError
from devinit.model.names import OWN_FOLDER
from devinit.model.neighbour import NeighbourState, NeighbourStatus
from devinit.model.phases import DOWN
from devinit.model.process import ProcessFacts, ProcessIdentity
from devinit.model.saving import SAVING_SECONDS, last_resort, saving_server
from devinit.model.workplace import workplace_of
from devinit.ports.holder.naming import whole_title
from devinit.system import old_data, old_layout, state_folders
from devinit.system.kept_data import has_data
from devinit.system.paths import marked_service, run_mark
from devinit.system.processes import (
    RUN_VARIABLE,
    Process,
    ProcessTable,
    facts_of,
    process_ids,
    variable_of,
)
from devinit.system.state_folders import state_folder

GRACE_SECONDS = 10.0
INSISTING_SECONDS = 5.0
MOVED = "if it was moved, `devinit start` in its new place finds them"


def of_project(root: Path, client: Client | DevinitError | None) -> Iterator[Finding]:
    """Look for the remains of earlier runs in this checkout; close the supervisor's client, if there is one."""
    if isinstance(client, DevinitError):
        return  # the check of the supervisor reports it
    if client is None and supervisor_of(root) is not None:
        return  # as above
    services = api.status(client)["services"] if client else []
    looked_after = {each["name"] for each in services if each["phase"] not in DOWN}
    away = [name for name in orphans_of(root) if name not in looked_after and is_elsewhere(root, name)]
    if away:
        away = list(dict.fromkeys([*away, *recorded_elsewhere(root)]))
        # Their pids belong to that container: from here they can neither be taken over nor ended.
        yield Finding(
            check="leftovers",
            problem=f"{', '.join(away)}: running in another container or namespace, without a supervisor here",
            advice="`devinit stop` there ends it",
        )
    if client is None and runs_without_supervisor(root):
        if not away:
            yield Finding(
                check="leftovers",
                problem="services run although their supervisor was killed",
                cure=Cure("start a supervisor that takes them over", partial(take_over, root)),
            )
        return
    if client is not None:
        client.close()
    yield from lost_logs(root, services)
    configured = {each["name"] for each in services} | names_in(root)
    ours = marked(root)
    for service, members in ours.items():
        if service not in looked_after:
            yield Finding(
                check="leftovers",
                problem=f"{named(members)} of {service} runs without a supervisor",
                cure=Cure(
                    "end it",
                    partial(stop, root, service)
                    if service in configured
                    else partial(end, members, signal.SIGTERM),
                ),
            )
    known = {member.pid for members in ours.values() for member in members}
    yield from in_data(root, looked_after, known)


def of_earlier_versions(root: Path) -> Iterator[Finding]:
    """Look for data that an earlier devinit keeps inside the checkout, where `git clean -fdx` deletes it."""
    own = os.path.join(os.path.realpath(root), OWN_FOLDER)  # noqa: PTH118  as text below
    kept = [left for left in old_data.left_over(own, state_folder(root)) if has_data(left.path)]
    refused = [old_data.in_two_places(left, left.other) for left in kept if left.other is not None]
    if not refused:
        try:
            old_layout.refuse(root)
        except StateFileError as error:
            refused = [error]
    for each in refused:
        yield Finding(check="leftovers", problem=each.message, advice=each.hint or "")
    for left in [] if refused else kept:
        megabytes = old_data.size_of(left.path) // 1_000_000
        yield Finding(
            check="leftovers",
            problem=f"an earlier devinit made {left.path}, the data of {left.service} ({megabytes} MB)",
            advice=f"the next start of a supervisor moves it to {left.target}",
            harmless=True,
        )


def in_data(root: Path, looked_after: set[str], known: set[int]) -> Iterator[Finding]:
    """Look for processes in the data of a service that does not run: a second server would ruin the data.

    Only servers are ended. A shell, an editor or a backup may also have its working directory there.
    """
    data = os.path.realpath(os.path.join(state_folder(root), "data"))  # noqa: PTH118  as text below
    occupants = {
        pid: facts
        for pid in process_ids()
        if pid not in known and (facts := facts_of(pid)) and is_below(facts.directory or "", data)
        if not is_a_persons(facts)
    }
    for pid, facts in occupants.items():
        service = (facts.directory or "").removeprefix(data).strip("/").partition("/")[0]
        if service in looked_after or facts.parent_pid in occupants:
            continue
        is_ours, is_server = facts.uid == os.geteuid(), saving_server(facts) is not None
        ask = "" if is_ours else f"ask {facts.user} to end it, or do so as that user: `kill -INT {pid}`"
        yield Finding(
            check="data",
            problem=f"{whole_title(facts)} (pid {pid}, user {facts.user}) works in the data of {service}, "
            "and was not started by devinit",
            advice=ask
            if is_server
            else "it is no database server: nothing has to be done if it only reads there",
            # INT: PostgreSQL's fast shutdown, and Redis saves on it as well.
            cure=Cure("end it", partial(end, [facts.identity], signal.SIGINT))
            if is_ours and is_server
            else None,
            harmless=not is_server,
        )


def is_a_persons(facts: ProcessFacts) -> bool:
    """Return whether a user works in a process that is no server: a shell, an editor, or one with a terminal."""
    return saving_server(facts) is None and (facts.terminal or workplace_of(facts) is not None)


def of_machine(neighbours: Sequence[NeighbourStatus], root: Path | None) -> Iterator[Finding]:
    """Look at the other projects of this machine: deleted folders, and supervisors that do not answer."""
    own = os.path.realpath(root) if root else None
    for each in neighbours:
        if each["root"] == own:
            continue  # the checks of the project report it
        match each["state"]:
            case NeighbourState.GONE:
                running = ", ".join(service["name"] for service in each["services"])
                yield Finding(
                    check="neighbours",
                    problem=f"{each['root']} was deleted, and {running or 'something'} still runs",
                    cure=Cure("end it", partial(end_deleted, each["root"])),
                )
            case NeighbourState.UNREACHABLE | NeighbourState.ORPHANED:
                yield Finding(
                    check="neighbours",
                    problem=f"{each['project']} ({each['root']}) is {each['state']}",
                    advice=each["advice"] or "",
                    harmless=True,
                )


def forgotten() -> Iterator[Finding]:
    """Look for logs and data of deleted checkouts, which nothing else would ever show or delete."""
    for path, origin in state_folders.folders().items():
        if not state_folders.is_there(origin):
            megabytes = state_folders.size_of(path) // 1_000_000
            new_place = state_folders.moved_to(origin)
            if new_place is not None:
                place = f"was moved to {new_place}"
                advice = "the next start there takes them over"
            elif os.path.isdir(origin.root):  # noqa: PTH112  paths are text here
                place = "was replaced by another checkout"
                advice = f"{MOVED}; otherwise they are deleted 14 days after that, or now by `rm -rf`"
            else:
                place = "is gone"
                advice = (
                    f"{MOVED}; if it was deleted: `devinit forget {quote(origin.root)}` deletes them, too"
                )
            yield Finding(
                check="gone",
                problem=f"{origin.root} {place}; its logs and data are still in {path} ({megabytes} MB)",
                advice=advice,
                harmless=True,
            )


def names_in(root: Path) -> set[str]:
    """Return the configured services; none if the configuration cannot be read."""
    with suppress(DevinitError):
        return set(load(root, profile=os.environ.get("DEVINIT_PROFILE") or None).services)
    return set()


def marked(root: Path) -> dict[str, list[ProcessIdentity]]:
    """Return the processes that carry this checkout's mark, by service."""
    services = {
        name
        for pid in process_ids()
        if (name := marked_service(variable_of(pid, RUN_VARIABLE) or "", root)) is not None
    }
    table = ProcessTable()
    return {
        name: found for name in sorted(services) if (found := table.members_of(None, run_mark(root, name)))
    }


def named(members: Sequence[ProcessIdentity]) -> str:
    """Return the title of the first process, and the number of others."""
    facts: ProcessFacts | None = facts_of(members[0].pid)
    title = whole_title(facts) if facts else "a process"
    more = f" and {len(members) - 1} more" if len(members) > 1 else ""
    return f"{title} (pid {members[0].pid}){more}"


def is_below(folder: str, top: str) -> bool:
    """Return whether a folder is inside another one."""
    return folder.startswith(f"{top}/")


# The cures


def take_over(root: Path) -> str:
    """Start a supervisor that takes over the running services."""
    connect_or_start(root).close()
    return "a supervisor looks after them again"


def end_deleted(root: str) -> str:
    """End the processes of a deleted folder."""
    ended = end_orphans(root)
    checkouts.forget(root)
    return f"ended {', '.join(ended) or 'nothing'}"


def stop(root: Path, service: str) -> str:
    """Have a supervisor end a service that it does not know yet; it knows how that service is stopped."""
    client = connect_or_start(root)
    try:
        refuse_remaining(api.stop(client, [service]))
    finally:
        client.close()
    return f"ended {service}"


def end(
    members: Sequence[ProcessIdentity],
    number: signal.Signals,
    *,
    grace_seconds: float = GRACE_SECONDS,
    saving_seconds: float = SAVING_SECONDS,
) -> str:
    """End exactly these processes: ask, wait, kill. A database server that saves its data is only waited for."""
    with ExitStack() as stack:
        opened = [stack.enter_context(each) for member in members if (each := Process.open(member))]
        for process in opened:
            process.send(number)
            process.send(signal.SIGCONT)
        left = left_after(opened, grace_seconds)
        for process in left:
            facts = facts_of(process.pid)
            if facts is not None and (insists := last_resort(facts)) is not None:
                process.send(insists)
        left = left_after(left, INSISTING_SECONDS if not saving_among(left) else saving_seconds)
        saving = saving_among(left)
    if saving:
        raise still_saving(saving)
    if left:
        pids = ", ".join(str(process.pid) for process in left)
        raise ServiceError(f"processes {pids} do not end", hint="the kernel holds them: a disk that is gone?")
    return f"ended {len(opened)} process{'es' if len(opened) != 1 else ''}"


def left_after(processes: Sequence[Process], seconds: float) -> list[Process]:
    """Return the processes that are left when all of them together have had this many seconds."""
    deadline = time.monotonic() + seconds
    return [process for process in processes if not process.wait(max(0.0, deadline - time.monotonic()))]


def saving_among(processes: Sequence[Process]) -> list[ProcessFacts]:
    """Return the processes that may still be saving their data, and must not be killed."""
    found = [facts for process in processes if (facts := facts_of(process.pid)) is not None]
    return [facts for facts in found if saving_server(facts) and last_resort(facts) is None]

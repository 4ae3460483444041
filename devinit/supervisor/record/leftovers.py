"""End services that run without a record, left behind by a killed supervisor or a lost file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping

from devinit.model.service import StopPolicy
from devinit.supervisor.processes.ending import end_keepers, end_tree
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.service.in_container import remaining
from devinit.supervisor.service.runner import Runner
from devinit.system.processes import ProcessTable

log = logging.getLogger(__name__)


async def leftovers_of(runners: Mapping[str, Runner], stage: ProjectState) -> tuple[set[str], set[str]]:
    """Return the services not run by us that earlier supervisors left running: here, and elsewhere.

    The processes of services in another container can neither be seen nor ended from here.
    """
    orphaned = stage.ports.orphaned() & runners.keys()
    # Without a port there is no lease to look up; a service that we never ran is found by its mark.
    unseen = [name for name, each in runners.items() if not has_ports(each) and each.run.identity is None]
    table = ProcessTable() if unseen else None
    orphaned |= {name for name in unseen if runners[name].pids(table)}
    elsewhere = await elsewhere_of(orphaned, stage)
    containers = remaining((each.service for each in runners.values() if each.run.process is None), stage)
    return (orphaned - elsewhere) | containers, elsewhere


async def end_leftovers(names: Collection[str], runners: Mapping[str, Runner], stage: ProjectState) -> None:
    """End the processes of these services that earlier supervisors left running."""
    for name in names:
        stage.note(f"{name} still ran without a supervisor: it is ended first", name)
    await asyncio.gather(*(runners[name].end_leftovers() for name in names))


async def elsewhere_of(names: Collection[str], stage: ProjectState) -> set[str]:
    """Return the services among these whose processes cannot be seen from here."""
    return await asyncio.to_thread(out_of_sight, names, stage) if names else set()


def out_of_sight(names: Collection[str], stage: ProjectState) -> set[str]:
    """Return the services among these whose leases are held by processes that cannot be seen from here.

    Blocking.
    """
    table = ProcessTable()
    hidden = {
        name
        for name in names
        if not stage.ports.keepers(name) and not table.members_of(None, stage.marker(name))
    }
    # A process that ended between the two looks is not hidden.
    return hidden & stage.ports.orphaned() if hidden else hidden


async def end_unknown(names: Iterable[str], stage: ProjectState) -> None:
    """End services that are no longer configured, or whose configuration is broken now."""
    for name in names:
        await end_tree(None, stage.marker(name), StopPolicy(), stage.note, stage.process_scan)
        keepers = await asyncio.to_thread(stage.ports.keepers, name)
        await end_keepers(keepers, stage.marker(name), StopPolicy(), stage.note, stage.process_scan)


async def end_the_rest(runners: Mapping[str, Runner]) -> dict[str, list[int]]:
    """End the remaining processes of services that were ended; return the services that do not end, with pids.

    A defect, or a supervisor without free descriptors, may have interrupted the first attempt. This attempt ends
    one service after the other. A process that no signal has ended is not signalled again.
    """
    running = running_of(runners)
    for name, pids in running.items():
        if not runners[name].run.withstood.issuperset(pids):
            log.warning("%s still runs: it is ended once more", name)
            await runners[name].end_leftovers()
    return running_of(runners) if running else {}


def running_of(runners: Mapping[str, Runner]) -> dict[str, list[int]]:
    """Return the services that have running processes, with their pids."""
    table = ProcessTable()
    found = {name: each.pids(table) for name, each in runners.items() if each.service.external_url is None}
    return {name: pids for name, pids in found.items() if pids}


def survivors(names: Iterable[str], stage: ProjectState) -> dict[str, list[int]]:
    """Return the services of this checkout that were not recorded and did not end, with their pids."""
    table, orphaned = ProcessTable(), stage.ports.orphaned()
    found = {}
    for name in names:
        pids = {each.pid for each in table.members_of(None, stage.marker(name))}
        if name in orphaned:
            pids |= {each.pid for each in stage.ports.keepers(name)}
        if pids:
            found[name] = sorted(pids)
    return found


def has_ports(runner: Runner) -> bool:
    """Return whether a lease shows that the service runs."""
    return bool(runner.service.port_requests)

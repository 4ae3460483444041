"""End what runs without a record: a killed supervisor and a lost file left it behind."""

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
    """Return which of these services, which do not run for us, earlier supervisors left running.

    Those that run here, and those that run elsewhere.
    The processes of those that run in another container cannot be seen, nor ended, from here.
    """
    orphaned = stage.ports.orphaned() & runners.keys()
    # Without a port there is no lease that tells; a service that we never ran is looked for by its mark.
    unseen = [name for name, each in runners.items() if not has_ports(each) and each.run.identity is None]
    table = ProcessTable() if unseen else None
    orphaned |= {name for name in unseen if runners[name].pids(table)}
    elsewhere = await elsewhere_of(orphaned, stage)
    containers = remaining((each.service for each in runners.values() if each.run.process is None), stage)
    return (orphaned - elsewhere) | containers, elsewhere


async def end_leftovers(names: Collection[str], runners: Mapping[str, Runner], stage: ProjectState) -> None:
    """End what earlier supervisors left running of these services."""
    for name in names:
        stage.note(f"{name} still ran without a supervisor: it is ended first", name)
    await asyncio.gather(*(runners[name].end_leftovers() for name in names))


async def elsewhere_of(names: Collection[str], stage: ProjectState) -> set[str]:
    """Return those of these services that run where their processes cannot be seen from here."""
    return await asyncio.to_thread(out_of_sight, names, stage) if names else set()


def out_of_sight(names: Collection[str], stage: ProjectState) -> set[str]:
    """Return those of these services that keep a lease by processes that cannot be seen from here. Blocking."""
    table = ProcessTable()
    hidden = {
        name
        for name in names
        if not stage.ports.keepers(name) and not table.members_of(None, stage.marker(name))
    }
    # What ended between two looks is not hidden.
    return hidden & stage.ports.orphaned() if hidden else hidden


async def end_unknown(names: Iterable[str], stage: ProjectState) -> None:
    """End services that are not configured any more, or stand in a configuration that is broken now."""
    for name in names:
        await end_tree(None, stage.marker(name), StopPolicy(), stage.note, stage.process_scan)
        keepers = await asyncio.to_thread(stage.ports.keepers, name)
        await end_keepers(keepers, stage.marker(name), StopPolicy(), stage.note, stage.process_scan)


async def end_the_rest(runners: Mapping[str, Runner]) -> dict[str, list[int]]:
    """End what still runs of services that were ended; return the services that do not end, with the pids.

    A defect, or a supervisor without a descriptor left, may have kept the first attempt from its end. Now it is
    one service after the other; what no signal has ended is not asked again.
    """
    running = running_of(runners)
    for name, pids in running.items():
        if not runners[name].run.withstood.issuperset(pids):
            log.warning("%s still runs: it is ended once more", name)
            await runners[name].end_leftovers()
    return running_of(runners) if running else {}


def running_of(runners: Mapping[str, Runner]) -> dict[str, list[int]]:
    """Return the pids of services of which something runs."""
    table = ProcessTable()
    found = {name: each.pids(table) for name, each in runners.items() if each.service.external_url is None}
    return {name: pids for name, pids in found.items() if pids}


def survivors(names: Iterable[str], stage: ProjectState) -> dict[str, list[int]]:
    """Return the pids of services of this checkout that were not on record and did not end."""
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
    """Whether a lease tells that the service runs."""
    return bool(runner.service.port_requests)

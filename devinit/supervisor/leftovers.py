"""End what runs although nobody has it on record: a killed supervisor and a lost file left it behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from devinit.model.service import StopPolicy
from devinit.supervisor.ending import end_keepers, end_tree
from devinit.supervisor.runner import Runner
from devinit.supervisor.stage import Stage
from devinit.system.processes import ProcessTable


async def end_leftovers(runners: Mapping[str, Runner], stage: Stage) -> list[str]:
    """End what earlier supervisors started of these services, which do not run for us; return whose it was."""
    orphaned = stage.ports.orphaned() & runners.keys()
    # Without a port there is no lease that tells; a service that we never ran is looked for by its mark.
    unseen = [name for name, each in runners.items() if not has_ports(each) and each.identity is None]
    table = ProcessTable() if unseen else None
    orphaned |= {name for name in unseen if runners[name].pids(table)}
    for name in orphaned:
        stage.note(f"{name} still ran without a supervisor: it is ended first", name)
    await asyncio.gather(*(runners[name].end_leftovers() for name in orphaned))
    return sorted(orphaned)


async def end_unknown(names: Iterable[str], stage: Stage) -> None:
    """End services that are not configured any more, or stand in a configuration that is broken now."""
    for name in names:
        await end_tree(None, stage.marker(name), StopPolicy(), stage.note, stage.lookout)
        keepers = await asyncio.to_thread(stage.ports.keepers, name)
        await end_keepers(keepers, stage.marker(name), StopPolicy(), stage.note, stage.lookout)


def has_ports(runner: Runner) -> bool:
    """Whether a lease tells that the service runs."""
    return runner.service.port is not None or bool(runner.service.extra_ports)

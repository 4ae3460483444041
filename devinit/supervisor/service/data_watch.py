"""Detect that the data of a running server was deleted: clients stay connected, but the server is useless."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from devinit.errors import ServiceError
from devinit.model.service import Health, StopPolicy
from devinit.model.status import Phase
from devinit.supervisor.files.folders import AFTER_SECONDS, until_gone
from devinit.supervisor.lifecycle import CheckFailed, CheckPassed
from devinit.supervisor.project.project_state import ProjectState

if TYPE_CHECKING:
    from devinit.supervisor.service.runner import Runner

AT_ONCE = Health(failures=1)
"""Limits for lost data: one failed check is enough, and no service is restarted automatically on empty data."""
GRACE_WITHOUT_DATA_SECONDS = 0.5
"""Grace for a server that cannot save; PostgreSQL needs some 70 ms to end then (measured)."""
SERVING = frozenset({Phase.READY, Phase.UNHEALTHY})


def look_at_data(runner: Runner, stage: ProjectState) -> bool:
    """Return whether a running service still has its data; mark it as unhealthy if not."""
    if runner.phase not in SERVING or runner.run.process is None:
        return True
    before = runner.lost_data
    lost = stage.provider(runner.service).loss(runner.service, stage.place(), runner.run.process.pid)
    runner.lost_data = lost
    if lost and (lost != before or runner.phase is Phase.READY):
        runner.post(CheckFailed(lost, AT_ONCE))
    elif before and not lost:
        runner.post(CheckPassed())
    return not lost


async def watch_data(runner: Runner, stage: ProjectState) -> None:
    """Wait until the data directory of a service disappears, then check its data.

    Return at once if it has none.
    """
    data = stage.provider(runner.service).data(runner.service, stage.place())
    if data is None:
        return
    await asyncio.sleep(AFTER_SECONDS)
    with suppress(OSError):  # it is gone already
        await until_gone(data)
    look_at_data(runner, stage)


def without_saving(runner: Runner, stage: ProjectState, policy: StopPolicy) -> StopPolicy:
    """Return a policy with little grace for a server whose data was deleted, and note it.

    Redis refuses to end as long as it cannot save, so its whole grace would pass in vain.
    """
    if runner.run.identity is None or policy.grace_seconds <= GRACE_WITHOUT_DATA_SECONDS:
        return policy
    process_id = runner.run.identity.pid
    if not stage.provider(runner.service).loss(runner.service, stage.place(), process_id):
        return policy
    from devinit.kinds.loss import cannot_save  # no command waits for this

    if not cannot_save(process_id):
        return policy
    stage.note(f"{runner.name}: its data was deleted, so it has nothing to save", runner.name)
    return replace(policy, grace_seconds=GRACE_WITHOUT_DATA_SECONDS, saving_seconds=0.0)


def refuse_empty_data(runner: Runner, stage: ProjectState) -> None:
    """Raise ServiceError when a server ended because its data is gone: a new one would start with empty data."""
    if lost := stage.provider(runner.service).loss(runner.service, stage.place(), None):
        message, _, hint = lost.partition("\n")
        raise ServiceError(message, hint=hint)

"""Record of running services for a supervisor that may have to take over: many changes are written at once.

A supervisor that is killed between a change and its record leaves unrecorded processes. They carry the service's
mark and hold its leases, so they are found and ended before the service is started again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Mapping

from devinit.errors import StateFileError
from devinit.model.status import Phase
from devinit.supervisor.lifecycle import WANTED
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.record.state_file import (
    EndedRecord,
    ServiceRecord,
    State,
    forget_caller,
    write_caller,
    write_state,
)
from devinit.supervisor.service.runner import Runner
from devinit.system.namespaces import network_namespace, pid_namespace
from devinit.system.processes import boot_id

RECORDED = WANTED | {Phase.STOPPING}
ENDED = frozenset({Phase.EXITED, Phase.FAILED})
SOON_SECONDS = 0.005
"""How long changes are collected. Writing takes 0.5 ms, for which the next process in the chain would wait."""


AGAIN_SECONDS = 10.0
"""Seconds until a failed write is tried again."""


class Recorder:
    """The writer of a supervisor's record."""

    def __init__(self, stage: ProjectState, state: Callable[[], State], warn: Callable[[str], None]) -> None:
        self._stage, self._state, self._warn = stage, state, warn
        self._planned: asyncio.TimerHandle | None = None
        self._caller_is_new = False

    def soon(self) -> None:
        """Write once for all changes of the next moment."""
        if self._planned is None:
            self._planned = asyncio.get_running_loop().call_later(SOON_SECONDS, self.now)

    def caller_soon(self) -> None:
        """Write also the environment in which services are started: a later supervisor needs it after crashes."""
        self._caller_is_new = True
        self.soon()

    def up_to_date(self) -> None:
        """Write outstanding changes before a client is told that they have happened."""
        if self._planned is not None:
            self.now()

    def now(self) -> None:
        """Write the present state."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
        if self._caller_is_new:
            self._caller_is_new = False
            self._write_caller()
        try:
            write_state(self._stage.private, self._state())
        except StateFileError as error:
            # The services go on. Only a supervisor that has to take over now would find an older state.
            self._warn(f"{error.message}: it is not recorded what runs")
            # There may be space again later.
            self._planned = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self.now)

    def _write_caller(self) -> None:
        try:
            write_caller(self._stage.private, self._stage.caller)
        except StateFileError as error:
            # Only a supervisor that has to take over would miss it.
            self._warn(f"{error.message}: it is not recorded in which environment services were started")

    def forget_caller(self) -> None:
        """Remove the recorded environment: no service is left that could crash."""
        forget_caller(self._stage.private)


def state_of(
    runners: Mapping[str, Runner],
    stage: ProjectState,
    profile: str | None,
    returning: Collection[str] = frozenset(),
    *,
    names: bool = False,
) -> State:
    """Return the record of the services that run, start or stop, and of those that have ended.

    `returning`: services that are stopped for a restart; a supervisor that takes over starts them.
    """
    return State(
        root=os.path.realpath(stage.root),
        boot_id=boot_id(),
        pid_namespace=pid_namespace(),
        network_namespace=network_namespace(),
        project=stage.project.name,
        profile=profile,
        names=names,
        services={
            name: record_of(runner, stage, is_returning=name in returning)
            for name, runner in runners.items()
            # Also services that wait to be started, and services that are still being ended.
            if is_recorded(runner, returning)
        },
        ended={
            name: ended_record_of(runner)
            for name, runner in runners.items()
            if runner.phase in ENDED and not is_recorded(runner, returning)
        },
    )


def is_recorded(runner: Runner, returning: Collection[str]) -> bool:
    """Return whether a service runs, starts or stops."""
    return runner.phase in RECORDED or runner.run.process is not None or runner.name in returning


def ended_record_of(runner: Runner) -> EndedRecord:
    """Return the record of a service that is not started again."""
    state = runner.state
    return EndedRecord(
        phase=state.phase,
        since=runner.history.phase_since,
        reason=state.reason,
        failure=state.failure,
        last_exit=state.last_exit,
        restarts=state.restarts,
        started_at=runner.run.started_at,
        log_offset=runner.output.offset,
    )


def record_of(runner: Runner, stage: ProjectState, *, is_returning: bool = False) -> ServiceRecord:
    """Return the record of one service."""
    on_its_way_back = is_returning and runner.phase in (Phase.STOPPING, Phase.STOPPED)
    return ServiceRecord(
        service=runner.service,
        identity=runner.run.process.identity if runner.run.process else None,
        ports=stage.ports.granted_to(runner.name),
        phase=Phase.WAITING if on_its_way_back else runner.phase,
        proven=runner.state.proven,
        restarts=runner.state.restarts,
        started_at=runner.run.started_at,
        listener=runner.run.listener,
        log_offset=runner.output.offset,
        basis=runner.run.basis,
        terminal=runner.run.terminal.known,
        lent_terminal=runner.run.terminal.is_lent,
    )

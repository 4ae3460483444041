"""What runs, kept on record for the supervisor that may have to take over: written once for many changes.

A supervisor that is killed between a change and its record leaves processes that are on no record. They carry
the service's mark and hold its leases, by which they are found and ended before it is started again.
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
"""How long changes are collected. A record takes 0.5 ms, which the next process in the chain would wait for."""


AGAIN_SECONDS = 10.0
"""After this time a record that could not be written is tried again."""


class Recorder:
    """Writes the state of a supervisor's services."""

    def __init__(self, stage: ProjectState, state: Callable[[], State], warn: Callable[[str], None]) -> None:
        self._stage, self._state, self._warn = stage, state, warn
        self._planned: asyncio.TimerHandle | None = None
        self._caller_is_new = False

    def soon(self) -> None:
        """Write once for all changes of the next moment."""
        if self._planned is None:
            self._planned = asyncio.get_running_loop().call_later(SOON_SECONDS, self.now)

    def caller_soon(self) -> None:
        """Write also the environment in which services are started, for crashes after a take-over."""
        self._caller_is_new = True
        self.soon()

    def up_to_date(self) -> None:
        """Write what is not on record yet: before a client hears that it is."""
        if self._planned is not None:
            self.now()

    def now(self) -> None:
        """Write the state as it is."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
        if self._caller_is_new:
            self._caller_is_new = False
            self._write_caller()
        try:
            write_state(self._stage.private, self._state())
        except StateFileError as error:
            # The services go on; only a supervisor that had to take over now would know an older state.
            self._warn(f"{error.message}: it is not recorded what runs")
            # There may be room again.
            self._planned = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self.now)

    def _write_caller(self) -> None:
        try:
            write_caller(self._stage.private, self._stage.caller)
        except StateFileError as error:
            # Only a supervisor that had to take over would miss it.
            self._warn(f"{error.message}: it is not recorded in which environment services were started")

    def forget_caller(self) -> None:
        """Remove that environment: nothing is left that could crash."""
        forget_caller(self._stage.private)


def state_of(
    runners: Mapping[str, Runner],
    stage: ProjectState,
    profile: str | None,
    returning: Collection[str] = frozenset(),
) -> State:
    """Return what is to be known about the services that run, or are on their way up or down.

    `returning` are those that are stopped to be started again: a supervisor that takes over starts them.
    """
    return State(
        root=os.path.realpath(stage.root),
        boot_id=boot_id(),
        pid_namespace=pid_namespace(),
        network_namespace=network_namespace(),
        project=stage.project.name,
        profile=profile,
        services={
            name: record_of(runner, stage, is_returning=name in returning)
            for name, runner in runners.items()
            # Also what waits to be started, and what is still being ended.
            if is_recorded(runner, returning)
        },
        ended={
            name: ended_record_of(runner)
            for name, runner in runners.items()
            if runner.phase in ENDED and not is_recorded(runner, returning)
        },
    )


def is_recorded(runner: Runner, returning: Collection[str]) -> bool:
    """Whether a service runs, or is on its way up or down."""
    return runner.phase in RECORDED or runner.run.process is not None or runner.name in returning


def ended_record_of(runner: Runner) -> EndedRecord:
    """Return what is recorded of a service that is not started again."""
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
    """Return what is to be known about one service."""
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

"""Watch over a ready service: health checks, its data, and whether its program crashed under a reloader."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from devinit.model.probe import LogProbe, ProbeResult, ProbeVerdict, StayedUpProbe, TcpProbe
from devinit.model.service import Health
from devinit.model.status import Phase
from devinit.supervisor import lifecycle
from devinit.supervisor.diagnosis.causes import begins_again
from devinit.supervisor.diagnosis.listening import Finding, Sign
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.readiness.crashes import (
    CONFIRM_SECONDS,
    Silence,
    down_by,
    loading,
    silence_of,
    until_down,
)
from devinit.supervisor.readiness.health import asked_as, look_after
from devinit.supervisor.readiness.probing import check
from devinit.supervisor.readiness.rest import STARTED_AGAIN
from devinit.supervisor.readiness.scheme_hints import says_another
from devinit.supervisor.service.data_watch import look_at_data, watch_data
from devinit.supervisor.service.in_container import watch_engine
from devinit.supervisor.service.scheme_proof import changed_scheme, open_ports

if TYPE_CHECKING:
    from devinit.supervisor.service.runner import Runner


class WatchOver:
    """The checks of one service while it is ready."""

    def __init__(self, runner: Runner, stage: ProjectState, tasks: asyncio.TaskGroup) -> None:
        self._runner, self._stage, self._tasks = runner, stage, tasks
        self._down: Finding | None = None
        """The finding of the last time that the service was down."""

    def forget(self) -> Finding | None:
        """Return the last finding of a service that was down, and clear it: the next run starts without one."""
        down, self._down = self._down, None
        return down

    async def go_on(self) -> None:
        """Watch until something is found, or until this is cancelled."""
        await asyncio.gather(
            self._check_health(),
            watch_data(self._runner, self._stage),
            watch_engine(self._runner, self._stage),
        )

    async def confirm(self) -> None:
        """Check once whether a ready service still serves."""
        runner = self._runner
        if runner.phase is not Phase.READY or runner.run.process is None:
            return
        if runner.input.look() is not None:
            return  # it answers again when it gets its input
        if runner.is_program and (found := down_by(runner.ears())) and self._is_for_the_user(found):
            self._went_down(found)
            return
        if self.heals:
            return
        probe, state = runner.probe_again(), runner.state
        if isinstance(probe, LogProbe | StayedUpProbe):
            return
        result = await check(probe, runner.run_probe_command, CONFIRM_SECONDS, is_own=runner.is_own)
        if result.verdict is not ProbeVerdict.READY and runner.state is state:
            is_silent = result.timed_out and runner.is_program
            self._fell_silent(loading(runner.name, result.detail) if is_silent else result.detail)

    async def _check_health(self) -> None:
        health = self._runner.service.health
        crash = self._tasks.create_task(self._watch_for_a_crash()) if self._runner.is_program else None
        try:
            if health is not None:
                await self._check_again_and_again(health)
            elif crash is not None:
                await crash
        finally:
            if crash is not None:
                crash.cancel()

    async def _watch_for_a_crash(self) -> None:
        name, on_growth = self._runner.name, self._stage.logs.on_growth
        grown = asyncio.Event()
        on_growth[name] = grown.set
        ends = self._tasks.create_task(self._wake_at_ends(grown))
        if self._stage.ports.port_of(name) is None:
            # It may have printed the crash before it counted as ready, because it only had to stay up.
            grown.set()
        try:
            found = await until_down(self._runner.ears(), grown, self._silence)
            while not self._is_down(found):
                found = await until_down(self._runner.ears(), grown, self._silence)
            if isinstance(found, Finding):
                self._went_down(found)
            else:
                self._fell_silent(found.detail)
        finally:
            ends.cancel()
            if on_growth.get(name) == grown.set:
                del on_growth[name]

    async def _wake_at_ends(self, grown: asyncio.Event) -> None:
        """For a program that is started again after each end, check at each end: it may end without output."""
        while await self._runner.hearing.until_run_ends():
            grown.set()

    def _is_down(self, found: Finding | Silence) -> bool:
        """Return whether a finding counts.

        It does not while the service waits for input or health checks restart it.
        """
        if self._runner.input.look() is not None:
            return False
        return not isinstance(found, Finding) or self._is_for_the_user(found)

    async def _silence(self, end: int) -> str | None:
        """Return how the service appears if its program was started again since and does not serve.

        `end`: the offset in its log up to which it is known. When health checks restart the service, they find
        this out themselves.
        """
        name = self._runner.name
        port = self._stage.ports.port_of(name)
        if not self._runner.hearing.stays():
            return STARTED_AGAIN
        if port is None or self.heals:
            return None
        probe = TcpProbe(self._stage.endpoint(name).host, port)
        printed = self._runner.output.printed(end)
        seen = await silence_of(name, probe, printed)
        if seen is None:
            await self._prove_scheme(printed)
        return seen

    async def _prove_scheme(self, printed: str) -> None:
        """Detect whether a program that was started again, or prints another URL, speaks another scheme."""
        runner = self._runner
        own = [each for each in open_ports(runner.service, self._stage) if each.name == runner.name]
        for port in own:
            is_other = says_another(printed, port.probe.port, port.probe.scheme)
            begins = port.is_suspect and begins_again(printed.splitlines())
            if (is_other or begins) and (scheme := await changed_scheme(port.probe)) is not None:
                await runner.speaks(scheme)

    async def _check_again_and_again(self, health: Health) -> None:
        runner = self._runner
        service = asked_as(runner.service, health)

        async def run(command: str) -> int:
            return await runner.run_probe_command(command, "health.exec")

        async def ask() -> ProbeResult:
            # Built for each check, because the scheme may change.
            probe = self._stage.probe(service)
            return await check(probe, run, health.timeout_seconds, is_own=runner.is_own)

        def tell(result: lifecycle.CheckPassed | lifecycle.CheckFailed) -> bool:
            runner.history.last_probe = result.detail if isinstance(result, lifecycle.CheckFailed) else ""
            asks = runner.input.look() is not None
            if not (asks and isinstance(result, lifecycle.CheckFailed)) and look_at_data(runner, self._stage):
                runner.post(result)
            return runner.phase in (Phase.READY, Phase.UNHEALTHY)

        await look_after(health, ask, tell)

    @property
    def heals(self) -> bool:
        """Whether failed health checks restart the service."""
        health = self._runner.service.health
        return health is not None and health.restart_after is not None

    def _is_for_the_user(self, found: Finding) -> bool:
        """Return whether only the user can fix the finding; a killed worker may run again after a restart."""
        return found.sign is Sign.LAST_WORDS or not self.heals

    def _fell_silent(self, detail: str) -> None:
        self._runner.history.last_probe = detail.partition("\n")[0]
        self._runner.post(lifecycle.WentDown(detail=detail))

    def _went_down(self, found: Finding) -> None:
        self._down = found
        self._runner.say(found.cause)
        self._runner.post(lifecycle.WentDown(found.told().cause))

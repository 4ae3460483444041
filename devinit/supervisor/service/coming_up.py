"""Wait for one run of a service to become ready, and handle what is discovered meanwhile: its port, its scheme."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from devinit.errors import DevinitError
from devinit.model.port import GrantedPort
from devinit.model.probe import LogProbe
from devinit.model.service import Scheme
from devinit.model.status import Phase
from devinit.ports import verify
from devinit.supervisor import lifecycle
from devinit.supervisor.diagnosis.listening import listen
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.readiness.crashes import loading
from devinit.supervisor.readiness.probing import matches
from devinit.supervisor.readiness.proving import until_ready
from devinit.supervisor.readiness.schemes import is_open, open_extra_ports
from devinit.supervisor.readiness.subject import (
    Ailing,
    Elsewhere,
    Foreign,
    Ready,
    Redirected,
    Speaks,
    Subject,
    TimeOver,
    Unreachable,
)
from devinit.supervisor.service import binding
from devinit.supervisor.service.in_container import published_of
from devinit.supervisor.service.own_values import with_own_values
from devinit.supervisor.service.provider_work import provision
from devinit.supervisor.service.scheme_proof import SchemeProof
from devinit.system.limits import MORE_PROCESSES, is_about_threads
from devinit.system.matching import PatternTooSlow

if TYPE_CHECKING:
    from devinit.supervisor.service.runner import Runner

INTERNAL_ERROR = "internal error; see the supervisor's log (`devinit doctor` says where it is)"
LAST_WORDS = 200
"""Lines of the output that are searched for names that devinit has set."""
PATIENCE_SECONDS = 1.0
"""How long a start may take before the results of its probe are reported."""


class Moves(Protocol):
    """Changes of port or scheme that a runner requests from the stack."""

    async def move(self, service: str, reason: str) -> GrantedPort:
        """Replace a port that another process has, and publish the new one. Raise PortError when there is none."""
        ...

    async def follow(self, service: str, port: int) -> GrantedPort:
        """Adopt the port that the service chose for itself, and publish it. Raise PortError if that fails."""
        ...

    async def speaks(self, name: str, scheme: Scheme) -> None:
        """Adopt the scheme that a service, or one of its extra ports, was found to speak, and publish its URL."""
        ...


class ComingUp:
    """The wait of one service until it is ready, and its observations."""

    def __init__(self, runner: Runner, stage: ProjectState, moves: Moves, tasks: asyncio.TaskGroup) -> None:
        self.last_answer: int | None = None
        """The status of the last HTTP answer that the probe refused."""
        self._runner, self._stage, self._moves, self._tasks = runner, stage, moves, tasks
        self._moved_at: float | None = None
        """Monotonic time at which it was active again after it was stuck."""
        self._proof: SchemeProof | None = None
        """The unfinished check of the schemes of a run that has just become ready."""

    def look_once_more(self, code: int | None) -> None:
        """Accept a job that printed the awaited text and ended at once, between two looks."""
        if code != 0 or self._runner.phase is not Phase.STARTING or self._runner.service.port is not None:
            return
        probe = self._stage.probe(self._runner.service)
        if not isinstance(probe, LogProbe):
            return
        read, looks = self._runner.output.read(), self._runner.output.looks()
        with contextlib.suppress(PatternTooSlow):
            if any(matches(probe, read()) for _ in range(looks)):
                self._runner.post(lifecycle.BecameReady())

    async def wait(self) -> None:
        """Wait until the service is ready, and post that, or the obstacle."""
        runner, stage = self._runner, self._stage
        self.last_answer = self._moved_at = None
        known = runner.watch_over.forget()
        listening = self._tasks.create_task(listen(runner.ears(), runner.say, self._tell, known))
        try:
            found = await until_ready(self._subject())
        finally:
            listening.cancel()
        match found:
            case Ready(listener):
                await provision(runner.service, stage, runner.say)
                self._proof = SchemeProof(runner.service, stage, runner.output.printed, self._moves.speaks)
                await self._proof.look()
                runner.run.listener = listener
                runner.post(lifecycle.BecameReady())
            case Foreign(reason):
                runner.post(lifecycle.PortLost(reason))
            case Redirected(reason):
                if (port := stage.ports.port_of(runner.name)) is not None:
                    stage.ports.avoid(port, reason)
                runner.post(lifecycle.PortLost(reason))
            case Elsewhere(port):
                await self._follow_port(port)
            case Speaks(scheme, port):
                await self._moves.speaks(port or runner.name, scheme)
                await self.wait()
            case Unreachable(reason):
                runner.post(lifecycle.PortUnavailable(reason))
            case TimeOver(detail) if runner.state.ready_at is None:
                seconds = runner.service.ready.timeout_seconds
                runner.post(lifecycle.TimedOut(f"not ready after {seconds:g} s: {detail}"))
            case TimeOver(detail) | Ailing(detail):
                # The server answers with an error, or was ready before: leave it running.
                late = late_words(
                    runner.name,
                    detail,
                    runner.service.ready.timeout_seconds,
                    answers=self.last_answer is not None,
                )
                runner.post(lifecycle.Stuck(late, lifecycle.Failure.TIMEOUT))
                await self.wait()

    async def prove_later(self) -> None:
        """Finish the check of the schemes of a run that has just become ready."""
        proof, self._proof = self._proof, None
        if proof is not None:
            await proof.look_later()

    def _tell(self, event: lifecycle.Stuck | lifecycle.Moving) -> None:
        if isinstance(event, lifecycle.Moving):
            self._moved_at = asyncio.get_running_loop().time()
        else:
            runner = self._runner
            words = runner.log_tail(LAST_WORDS)
            cause = with_own_values(event.cause, words, runner.service, self._stage)
            event = replace(event, cause=cause or event.cause)
        self._runner.post(event)

    async def _follow_port(self, port: int) -> None:
        runner, stage = self._runner, self._stage
        given = stage.ports.port_of(runner.name)
        ours = runner.pids()
        if given is not None and isinstance(verify.ownership(port, ours), verify.Foreign):
            runner.post(lifecycle.PortUnavailable(binding.insists_on(port, given, ours)))
            return
        try:
            granted = await self._moves.follow(runner.name, port)
        except DevinitError as error:
            runner.post(lifecycle.PortUnavailable(explain(error)))
            return
        stage.note(
            f"{runner.name} listens on {granted.port} by its own choice: that port is used", runner.name
        )
        await self.wait()

    def _subject(self) -> Subject:
        runner, stage = self._runner, self._stage
        is_same_run = runner.state.ready_at is not None
        return Subject(
            probe=runner.probe_again() if is_same_run else stage.probe(runner.service),
            port=None if runner.service.external_url else stage.ports.port_of(runner.name),
            extra_ports=stage.ports.extra_ports_of(runner.name),
            extra_probes=stage.extra_probes(runner.service),
            strict=runner.service.port.strict if runner.service.port else False,
            timeout_seconds=stage.time_limit(runner.service),
            is_scheme_open=is_open(runner.service),
            open_extra_ports=frozenset(open_extra_ports(runner.service)),
            attempt_seconds=runner.service.ready.attempt_seconds,
            main=lambda: runner.run.process.pid if runner.run.process else None,
            pids=runner.pids,
            run_command=runner.run_probe_command,
            read_output=runner.output.read(since=runner.output.size() if is_same_run else None),
            saw=self._saw,
            note=lambda text: stage.note(f"{runner.name} {text}", runner.name),
            answered=self._answered,
            stays=runner.hearing.stays,
            has_come_up=runner.hearing.has_come_up,
            is_stuck=lambda: runner.state.stuck is not None,
            moved_at=lambda: self._moved_at,
            published=published_of(runner.service, stage),
            was_ready=runner.state.proven,
        )

    def _answered(self, status: int | None) -> None:
        self.last_answer = status

    def _saw(self, detail: str) -> None:
        if (
            detail != self._runner.history.last_probe
            and self._runner.history.in_phase_seconds > PATIENCE_SECONDS
        ):
            # At first it is normal that nothing answers; later the user wants to know.
            self._runner.say(detail)
        self._runner.history.last_probe = detail


def late_words(service: str, detail: str, seconds: float, *, answers: bool) -> str:
    """Return the message about a service that is left running after its time is over, with advice.

    `answers`: it answers requests, with an error. A program that answers none may never finish loading.
    """
    late = f"not ready after {seconds:g} s: {detail}"
    return f"{late}\nit runs on: it becomes ready when that is fixed" if answers else loading(service, late)


def unexpected(error: Exception) -> str:
    """Return the message for an unexpected error: a defect, or a limit for which Python has no exception class."""
    if is_about_threads(error):
        return f"the supervisor cannot start another thread\n{MORE_PROCESSES}"
    return INTERNAL_ERROR


def explain(error: DevinitError) -> str:
    """Return an error as one text: its message and its hint."""
    return f"{error.message}\n{error.hint}" if error.hint else error.message

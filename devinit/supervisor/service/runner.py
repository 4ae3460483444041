"""Carry out the decisions of one service's lifecycle, and report the results as events.

Actions run one after the other (`sequence`); only a set-up runs in parallel.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from typing import assert_never

from devinit.errors import DevinitError, PreparationFailed
from devinit.kinds import kind_of
from devinit.model.probe import HttpProbe, Probe, ProbeResult
from devinit.model.process import ProcessIdentity
from devinit.model.service import Scheme, Service
from devinit.model.status import Phase
from devinit.supervisor import lifecycle
from devinit.supervisor.diagnosis.causes import explanation_of, stuck_by
from devinit.supervisor.diagnosis.listening import Ears
from devinit.supervisor.diagnosis.remedies import with_limit, with_remedy
from devinit.supervisor.lifecycle import LifecycleEvent, LifecycleState, advance
from devinit.supervisor.processes.daemons import open_server
from devinit.supervisor.processes.pid_files import write_pid_file
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.readiness.health import asked_again
from devinit.supervisor.readiness.probing import check
from devinit.supervisor.service import lost_ports
from devinit.supervisor.service.coming_up import ComingUp, Moves, explain, unexpected
from devinit.supervisor.service.data_watch import refuse_empty_data
from devinit.supervisor.service.end import end_keepers_of, end_processes, report_end
from devinit.supervisor.service.hearing import Hearing
from devinit.supervisor.service.history import History
from devinit.supervisor.service.in_container import spec_of
from devinit.supervisor.service.input_wait import InputWatch
from devinit.supervisor.service.once import Once
from devinit.supervisor.service.output import Output
from devinit.supervisor.service.own_values import is_kept_back, refuse_foreign_migration, with_own_values
from devinit.supervisor.service.preparing import Workshop, run_command, run_one_shots, set_up
from devinit.supervisor.service.provider_work import prepare
from devinit.supervisor.service.run import Run
from devinit.supervisor.service.sequence import Sequence
from devinit.supervisor.service.watch_over import WatchOver
from devinit.system.processes import Process, ProcessTable

log = logging.getLogger(__name__)

TAIL_LINES = 20
LAST_WORDS = 200
"""How many lines of the output are searched for the cause of an end."""


class Runner:
    """One service and its processes."""

    def __init__(
        self,
        service: Service,
        stage: ProjectState,
        moves: Moves,
        tasks: asyncio.TaskGroup,
        changed: Callable[[Runner, LifecycleState], None],
    ) -> None:
        self.service = service
        self.state = LifecycleState()
        self.run = Run(service.name, stage)
        self.lost_data = ""
        """The data that its server had lost at the last check, in words; empty when there was no loss."""
        self.force = asyncio.Event()
        """Set while a stop is to end the service without grace."""
        self.output, self.history = Output(stage, service.name), History()
        self.watch_condition: str | None = None
        """The problem with the watch on its files, if any; only `file_watches` writes it."""
        self._stage = stage
        self._moves = moves
        self._tasks = tasks
        self._changed = changed
        self._sequence = Sequence(tasks, self._do, self._action_failed)
        self._next_state = asyncio.Event()
        """Set at the next change of state, and then replaced by a new event."""
        self.input = InputWatch(self, stage)
        self.watch_over = WatchOver(self, stage, tasks)
        self.hearing = Hearing(self, stage)
        self._coming_up = ComingUp(self, stage, moves, tasks)
        self._once = Once(self, stage)
        self._setting_up: asyncio.Task[None] | None = None
        self._abandoned: set[asyncio.Task[None]] = set()
        """Set-ups that were cancelled and may still be cleaning up."""

    @property
    def name(self) -> str:
        """The name of the service."""
        return self.service.name

    @property
    def is_program(self) -> bool:
        """Whether it is a program of the user, which may crash while its reloader lives on."""
        return kind_of(self.service).runs_a_command and self.service.external_url is None

    @property
    def is_own(self) -> bool:
        """Whether it listens itself, on this machine: connections to its port then have to end there."""
        is_ours = self.service.external_url is None and not kind_of(self.service).in_container
        return self.service.port is not None and is_ours

    @property
    def phase(self) -> Phase:
        """The phase of the service."""
        return self.state.phase

    def post(self, event: LifecycleEvent) -> None:
        """Pass an event to the lifecycle, and begin the actions that it decides on."""
        before = self.state
        now = time.monotonic()
        self.state, actions = advance(before, event, now, self.service.restart)
        self.history.follow(before, self.state, event, now)
        if self.phase is Phase.WAITING and before.phase is not Phase.WAITING:
            # Its output starts here: a failure before the process runs has no last lines.
            self.output.begins()
        if actions:
            self._begin(actions)
        if self.state != before:
            self._next_state.set()
            self._next_state = asyncio.Event()
            self._changed(self, before)

    async def next_state(self) -> None:
        """Return when the state changes."""
        await self._next_state.wait()

    def log_tail(self, count: int = TAIL_LINES, since: int = 0) -> list[str]:
        """Return the last lines of the current or the last run, without the project's secrets.

        `since`: the offset of the log before which lines are ignored.
        """
        return self.output.tail(self.service, count, since)

    async def idle(self) -> None:
        """Return when no action is running or pending any more."""
        await self._sequence.idle()

    def adopt(self, process: Process) -> None:
        """Take over a process that an earlier supervisor started."""
        self.run.follow(process, self._process_ended)
        self._stage.logs.keep(self.service)

    async def confirm(self) -> None:
        """Check once whether a ready service still serves, for a client that is about to rely on it."""
        await self.watch_over.confirm()

    async def speaks(self, scheme: Scheme) -> None:
        """Publish the scheme that the ready service was found to speak, unless it is published already."""
        if HttpProbe.of(self._stage.endpoint(self.name), "/").scheme is not scheme:
            await self._moves.speaks(self.name, scheme)

    async def end_leftovers(self) -> None:
        """End the unrecorded processes of this service."""
        await self._end()
        await end_keepers_of(self, self._stage)

    def pids(self, table: ProcessTable | None = None) -> list[int]:
        """Return the pids of all processes of the service.

        Passing a `table` saves a walk through /proc when several services are queried.
        """
        return self.run.pids(table)

    def _begin(self, actions: tuple[lifecycle.Action, ...]) -> None:
        if lifecycle.EndTree() in actions and self._setting_up is not None:
            self._setting_up.cancel()
            self._abandoned.add(self._setting_up)
            self._setting_up = None
        if lifecycle.SetUp() in actions:
            # In parallel to everything else; the decision that follows at once must not overtake it.
            self._setting_up = self._tasks.create_task(self._set_up(self._sequence.end()))
            actions = tuple(action for action in actions if action != lifecycle.SetUp())
        self._sequence.begin(actions)

    def _action_failed(self, action: lifecycle.Action, error: Exception) -> None:
        if isinstance(error, DevinitError):
            self._preparation_failed(error)
            return
        # A defect in one service must not end the supervision of the others.
        log.error("%s: %s failed", self.name, type(action).__name__, exc_info=error)
        # A caller that waits for the end of the tree must not wait for ever.
        ending = isinstance(action, lifecycle.EndTree)
        failed = lifecycle.PreparationFailed(unexpected(error))
        self.post(lifecycle.TreeGone() if ending else failed)

    def _preparation_failed(self, error: DevinitError) -> None:
        code = None
        if isinstance(error, PreparationFailed):
            self.history.failed_command, code = error.command, error.code
        words = self.log_tail(LAST_WORDS) if code is not None else ()
        cause = with_own_values(explain(error), words, self.service, self._stage) or ""
        self.post(lifecycle.PreparationFailed(cause, code))

    async def _do(self, action: lifecycle.Action) -> None:
        match action:
            case lifecycle.SetUp():
                pass  # begun already
            case lifecycle.Prepare():
                await self._prepare()
            case lifecycle.CleanUp():
                self._stage.require_folder(self.service)
                refuse_empty_data(self, self._stage)
                await prepare(self.service, self._stage, self.say)
            case lifecycle.Spawn():
                await self._spawn()
            case lifecycle.AwaitReady():
                await self._coming_up.wait()
            case lifecycle.LookAfter():
                await asyncio.gather(self._coming_up.prove_later(), self.watch_over.go_on())
            case lifecycle.Wait(seconds):
                await asyncio.sleep(seconds)
                self.post(lifecycle.DelayPassed())
            case lifecycle.EndTree():
                await self._end()
                report_end(self, self._stage)
            case lifecycle.NextPort(reason):
                await self._next_port(reason)
            case _:
                assert_never(action)

    async def _set_up(self, last_run_ended: Callable[[], Awaitable[None]]) -> None:
        try:
            # The processes of the last run may still be ending, and new ones would be ended with them.
            await last_run_ended()
            await self._stage.given.read_pipes([self.service])
            await set_up(self._workshop())
            await prepare(self.service, self._stage, self.say)
        except DevinitError as error:
            self._preparation_failed(error)
        except Exception as error:
            # As in `_action_failed`: it must not end the supervision of the others.
            log.exception("%s: set-up failed", self.name)
            self.post(lifecycle.PreparationFailed(unexpected(error)))

    async def _prepare(self) -> None:
        if self._setting_up is not None:
            await asyncio.wait([self._setting_up])
        if self.phase is Phase.STARTING:
            await self._stage.given.read_pipes([self.service])
            if (said := await self._once.said()) is not None:
                self.post(lifecycle.DoneBefore(said))
                return
            refuse_foreign_migration(self.service, self._stage)
            await run_one_shots(self._workshop())
            self.post(lifecycle.Prepared())

    async def _spawn(self) -> None:
        await self._stage.given.read_pipes([self.service])
        stage = self._stage
        spec = stage.process_spec(self.service)
        if spec is None:
            self.post(lifecycle.Spawned())
            return
        if loss := lost_ports.loss(stage, self.name) or await lost_ports.redirection(stage, self.service):
            self.post(loss)
            return
        await self.run.spawn(self.service, spec, self.output, self._process_ended)
        # Recorded before it is ready: a supervisor that takes over now must know of it.
        self._changed(self, self.state)
        self.post(lifecycle.Spawned())

    def _process_ended(self, process: Process) -> None:
        code = process.returncode()
        self.run.forget()
        self.hearing.forget()
        self.input.look()
        if self._follow_server(process.identity, code):
            return
        self._coming_up.look_once_more(code)
        self._once.ended(code)
        success = self._stage.success_of(self.service)
        is_failure = not lifecycle.is_success(self.state, lifecycle.Exited(code, success))
        said = self.log_tail(LAST_WORDS) if is_failure else []
        # A server that ends with 0 was asked to, unless its output ends with a crash (as with hypercorn).
        crash = stuck_by(said) if code == 0 else None
        is_explained = is_failure and (code != 0 or self.service.port is None or crash is not None)
        last_words = said if is_explained else []
        if self.phase is Phase.STARTING and (refused := self._could_not_bind(last_words)) is not None:
            self.post(refused)
            return
        cause = self.run.terminal.how_it_was_lost(code) or explanation_of(last_words, code, crash)
        if is_explained:
            cause = with_limit(cause, code)
            if self.phase is Phase.STARTING:
                cause = with_remedy(cause, last_words, self.service.command, self.service.directory)
            cause = with_own_values(cause, last_words, self.service, self._stage)
        self.post(lifecycle.Exited(code, success, cause))

    def _follow_server(self, ended: ProcessIdentity, code: int | None) -> bool:
        """Follow the server that a command left in the background; return whether there is one."""
        starting = self.phase is Phase.STARTING
        # A process on the way to the server (a fork in between) may end, too.
        in_between = starting and ended != self.run.spawned and self.run.spawned is not None
        port = self._stage.ports.port_of(self.name)
        if port is None or self.phase not in lifecycle.ALIVE or not (code == 0 or in_between):
            return False
        process = open_server(
            ended, self._stage.marker(self.name), port, self.run.terminal.known, may_be_late=starting
        )
        if process is None:
            return False
        self.run.follow(process, self._process_ended)
        write_pid_file(self._stage.private, self.name, process.pid)
        if not in_between:
            text = f"{self.name} went into the background: its process {process.pid} is looked after"
            self._stage.note(text, self.name)
        self._changed(self, self.state)
        return True

    def _could_not_bind(self, last_words: list[str]) -> lifecycle.PortLost | lifecycle.PortUnavailable | None:
        tried_again = self.state.port_losses > 0
        return lost_ports.could_not_bind(self._stage, self.name, last_words, tried_again=tried_again)

    async def _next_port(self, reason: str) -> None:
        await self._end()
        if self.phase is not Phase.STARTING:
            return
        unusable = self._stage.ports.is_unusable(self.name)
        if (
            not unusable
            and self.state.port_losses == 1
            and lost_ports.hold_is_in_the_way(self._stage, self.name)
        ):
            # Perhaps the service only does not bind over our hold; without the hold, the same port will do.
            self._stage.note(
                f"{self.name} binds exclusively: its port is not held for it any more", self.name
            )
        else:
            try:
                await self._moves.move(self.name, reason)
            except DevinitError as error:
                self.post(lifecycle.PortUnavailable(explain(error)))
                return
        if self.phase is Phase.STARTING:
            await self._spawn()

    async def _end(self) -> None:
        if self._abandoned:
            await asyncio.wait(self._abandoned)
            self._abandoned.clear()
        self.run.expect_end()
        self.run.withstood = await end_processes(self, self._stage)
        self.run.forget()
        self.hearing.forget()

    def probe_again(self) -> Probe:
        """Return the probe for a service that has been ready once: its earlier output proves nothing any more."""
        endpoint = self._stage.endpoint(self.name)
        return asked_again(self._stage.probe(self.service), endpoint.host, endpoint.port)

    def ears(self) -> Ears:
        """Return the sources of what the service shows from outside."""
        return self.hearing.ears(lambda: self._coming_up.last_answer)

    async def run_probe_command(self, command: str, key: str = "ready.exec") -> int:
        """Run a command of the key `ready.exec` or `health.exec`; return its exit code."""
        output = os.open(os.devnull, os.O_WRONLY)
        try:
            return await run_command(self._workshop(), command, key, output)
        finally:
            os.close(output)

    async def answer_to(self, probe: Probe, seconds: float) -> ProbeResult:
        """Probe the service once, whatever its phase."""
        return await check(probe, self.run_probe_command, seconds, is_own=self.is_own)

    def _workshop(self) -> Workshop:
        return Workshop(
            service=self.service,
            root=self._stage.root,
            install=lambda: self._stage.provider(self.service).install(self.service, self._stage.place()),
            update=lambda: self._stage.provider(self.service).update(self.service, self._stage.place()),
            spec=lambda command, key, hidden: spec_of(self.service, self._stage, command, key, hidden),
            private=self._stage.private,
            logs=self._stage.logs,
            marker=self._stage.marker(self.name),
            say=self.say,
            is_kept_back=lambda command: is_kept_back(command, self.service, self._stage),
            began=self.output.begins,
        )

    def say(self, message: str) -> None:
        """Report progress to waiting clients, without the project's secrets."""
        self._stage.broadcaster.progress(self.name, self._stage.mask(message))

"""Reactions to a state change of a service: dependants start, files are written, clients get events."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from devinit.errors import StateFileError
from devinit.model.service import Endpoint, Service
from devinit.model.status import Phase
from devinit.notify import notifiers
from devinit.notify.notifier import Address, Surroundings
from devinit.supervisor.lifecycle import LifecycleState
from devinit.supervisor.readiness.warming import warm
from devinit.supervisor.record.recording import Recorder, state_of
from devinit.supervisor.record.state_file import Moment, State
from devinit.supervisor.reporting import report
from devinit.supervisor.service.end import let_ports_go
from devinit.supervisor.service.file_watches import FileWatches
from devinit.supervisor.service.runner import Runner
from devinit.supervisor.stack.launch_file import LaunchFile
from devinit.supervisor.stack.peer_looks import PeerLooks
from devinit.supervisor.stack.restarts import restart_expected
from devinit.supervisor.stack.stack import PRESENT, Stack

SERVING = frozenset({Phase.READY, Phase.UNHEALTHY})
"""Phases in which a service listens: even if a health check fails, it may still answer requests."""


class Reactions:
    """The reactions of a stack to state changes and changed files."""

    def __init__(self, stack: Stack, peers: PeerLooks, tasks: asyncio.TaskGroup) -> None:
        self._stack, self._stage, self._tasks = stack, stack.stage, tasks
        self._peers = peers
        stage = stack.stage
        around = Surroundings(root=stage.root, state=stage.private, tasks=tasks, note=stage.note)
        self._notifiers = [notifier(around) for notifier in notifiers.NOTIFIERS]
        self._launch_file = LaunchFile(stage.root, tasks, stage.note)
        self._watches = FileWatches(stack.stage.root, tasks, self._files_changed, stack.stage.note)
        self.record = Recorder(stack.stage, self._state, stack.note_once)

    def changed(self, runner: Runner, before: LifecycleState) -> None:
        """React to a state change of a service."""
        state = runner.state
        self._stack.follow(runner)
        if state.phase is not before.phase or state.reason != before.reason:
            self._stage.broadcaster.tell(report.phase_event(runner, before, self._stage))
        if state.phase is not before.phase:
            if state.phase not in SERVING:
                for name in names_of_ports(runner.service):
                    for notifier in self._notifiers:
                        notifier.gone(name)
            elif before.phase not in SERVING:
                self._claim_ports(runner.name)
                self.announce(runner)
            if state.phase is Phase.READY and runner.is_program:
                self._peers.soon()
            if before.has_withstood and state.phase is Phase.STOPPED:
                # The service ended after its stop was over, and the stop had left it its ports.
                self._stage.ports.give_back(runner.name, runner.run.spared)
        if waits_in_vain(state) and not waits_in_vain(before):
            # The service takes its ports again when it is spawned or moves.
            let_ports_go(runner, self._stage)
        if releasing(state) != releasing(before):
            self._stack.release_waiting()
        self._watches.follow(runner)
        self.record.soon()
        self._stack.changed()

    def announce(self, runner: Runner) -> None:
        """Report a service's address to clients and notifiers, and request its first page."""
        service, endpoint = runner.service, self._stage.endpoint(runner.name)
        self._stage.broadcaster.tell(report.port_info(runner, self._stage))
        further = [self._stage.endpoint(name) for name in names_of_ports(service)]
        for each in further:
            self._notify(runner, each)
        self._launch_file.follow(service.name, further[1:])
        if service.warm is not None and endpoint.port is not None:
            self._tasks.create_task(warm(endpoint, service.warm, self._stage.note))

    def leave(self) -> None:
        """Let every service run on without us; the record tells the next supervisor what runs."""
        for notifier in self._notifiers:
            notifier.leave()
        self.record.now()

    async def _files_changed(self, name: str, reason: str) -> None:
        self._stack.expect_back([name])
        await restart_expected(self._stack, name, reason, PRESENT - {Phase.STOPPING})

    def _claim_ports(self, name: str) -> None:
        try:
            self._stage.ports.came_up(name, keep_all=self._stage.project.keep_ports)
        except StateFileError as error:
            # The disk is full: the service is ready all the same, and only its claim to the port is lost.
            self._stage.note(error.message, name)

    def publish_again(self) -> None:
        """Report once more to the notifiers where services answer."""
        for notifier in self._notifiers:
            notifier.renew()

    def _notify(self, runner: Runner, endpoint: Endpoint) -> None:
        if endpoint.port is None:
            return
        process_id = runner.run.listener or (runner.run.identity.pid if runner.run.identity else 0)
        address = Address(endpoint=endpoint, process_id=process_id)
        for notifier in self._notifiers:
            notifier.ready(address, self._stage.project)

    def _state(self) -> State:
        """Return the state to record."""
        stack = self._stack
        state = state_of(
            stack.runners, self._stage, stack.profile, stack.returning(), names=stack.wants_names
        )
        histories = {name: stack.runners[name].history for name in state.services}
        moments = {
            name: Moment(since=each.phase_since, restarted_for=each.restarted_for)
            for name, each in histories.items()
        }
        return replace(state, moments=moments)


def releasing(state: LifecycleState) -> tuple[object, ...]:
    """Return the parts of a service's state that other services may wait for."""
    return state.phase, state.stuck, state.spawned_at is not None


def waits_in_vain(state: LifecycleState) -> bool:
    """Return whether a service waits for something that will not come up by itself."""
    return state.phase is Phase.WAITING and state.reason is not None


def names_of_ports(service: Service) -> list[str]:
    """Return the names under which a service answers: its own and those of its further ports."""
    return [service.name, *(request.service for request in service.extra_ports)]

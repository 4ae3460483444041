"""Carry out the orders of clients: start, restart and stop services.

`lifecycle` decides how one service lives, and its `Runner` carries that out; `stack` has the relations between
services.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from devinit.control.elsewhere import services_out_of_reach
from devinit.errors import DevinitError
from devinit.kinds.surroundings import warnings_about
from devinit.model.service import Project, Service
from devinit.model.status import Phase
from devinit.supervisor import lifecycle
from devinit.supervisor.project import graph
from devinit.supervisor.project.chosen import EVERY, to_start
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.record.leftovers import end_leftovers, leftovers_of
from devinit.supervisor.reporting import outcome, outdated, report
from devinit.supervisor.service import once
from devinit.supervisor.service.preparing import require_set_up
from devinit.supervisor.service.runner import Runner
from devinit.supervisor.stack import stopping
from devinit.supervisor.stack.configuration import Configuration, warnings_about_tools
from devinit.supervisor.stack.fixed_addresses import FixedAddresses
from devinit.supervisor.stack.moves import Moves
from devinit.supervisor.stack.naming import Naming
from devinit.supervisor.stack.order import (
    Order,
    Stopped,
    refuse_if_abandoned,
    refuse_nothing,
    refuse_terminals,
    without_questions,
)
from devinit.supervisor.stack.peer_looks import PeerLooks
from devinit.supervisor.stack.port_taking import PortTaking
from devinit.supervisor.stack.reactions import Reactions
from devinit.supervisor.stack.restarts import give_up
from devinit.supervisor.stack.stack import Stack

if TYPE_CHECKING:
    from devinit.model.event import Event

    Tell = Callable[[Event], None]


class Supervisor:
    """The orders of one project.

    They are carried out one after the other; clients may wait for several at once.
    """

    def __init__(self, stage: ProjectState, tasks: asyncio.TaskGroup) -> None:
        self.stage = stage
        self.stack = Stack(stage)
        self.configuration = Configuration(self.stack, self.runner_of)
        self.naming = Naming(self.stack, tasks)
        self._tasks = tasks
        self._fixed = FixedAddresses(self.stack)
        self.peers = PeerLooks(self.stack, self._fixed, tasks)
        self._reactions = Reactions(self.stack, self.peers, tasks)
        self._moves = Moves(self.stack, self._reactions, tasks)
        self._ports = PortTaking(self.stack, self._moves)
        self._awaited = 0
        """Number of starts and restarts that clients still wait for."""

    def runner_of(self, service: Service, stage: ProjectState) -> Runner:
        """Return a runner for a service; it does not belong to the stack yet."""
        return Runner(service, stage, self._moves, self._tasks, self._reactions.changed)

    async def start(self, order: Order, tell: Tell) -> int:
        """Start services with all their dependencies, and wait for them. Return the exit code."""
        began = time.monotonic()
        with self._awaiting() as followers:
            async with self.stack.deciding:
                project = await self.configuration.load(order)
                refuse_if_abandoned(order)
                await self.naming.settle(project, order)
                wanted = self._wanted_by(order, project)
                refuse_nothing(project, wanted, order)
                await self._see_ended(wanted)
                coming = [name for name in wanted if not self.stack.is_wanted(name)]
                await self.configuration.read_pipes(project, coming)
                with self.stage.ports.given_back_ahead():
                    vanished = self.stack.vanished(project)
                    if any(self.stack.is_present(name) for name in vanished):
                        orphaned = await asyncio.to_thread(self.stage.ports.orphaned)
                        # The port of a service that runs without a record is only free once that service was
                        # ended.
                        known = [name for name in coming if name not in orphaned]
                        self.configuration.check(project, order, coming)
                        await self._ports.decide_ahead(project, known, vanished, order.asked)
                        await self.configuration.try_to_publish(project, order)
                    wanted = await self._begin(project, order, tell)
            return await self._finish(wanted, followers, order.timeout_seconds, began, tell)

    async def restart(self, order: Order, tell: Tell) -> int:
        """Stop services and start them again with the current configuration and environment.

        Refusals and questions come before the stop. Once a service has been stopped, the restart goes on to its
        end, even if its client has gone away.
        """
        began, stack = time.monotonic(), self.stack
        with self._awaiting() as followers:
            async with stack.deciding:
                configured = await self.configuration.read(order)
                project = await self.configuration.settled(configured, order.asked.environ)
                names = to_start(order.services, project, stack.is_wanted)
                refuse_nothing(project, names, order)
                refuse_terminals(project, order)
                await self.naming.settle(project, order)
                if order.only_changed:
                    outdated_now = await self.configuration.outdated(project)
                    names = [name for name in names if name in outdated_now]
                    self._tell_added(project)
                    if not names:
                        return await self._nothing_changed(project, order, began, tell)
                # The order means the services that run now, even after they were stopped.
                named, order = frozenset(order.services), replace(order, services=tuple(names))
                if not any(map(stack.is_present, names)):
                    # No service is stopped for it, so it is a start.
                    refuse_if_abandoned(order)
                wanted = self._wanted_by(order, project)
                await self._see_ended([name for name in wanted if name not in names])
                coming = [name for name in wanted if name in names or not stack.is_wanted(name)]
                await self.configuration.read_pipes(project, coming)
                self.configuration.check(project, order, coming)
                await self.configuration.check_packages(project, order, filter(stack.is_present, names))
                leaving = [*names, *stack.vanished(project)]
                await self._ports.decide_ahead(project, coming, leaving, order.asked)
                self._ports.remember_used(names)
                with stack.expected_back(names), self.stage.ports.given_back_ahead():
                    await self.configuration.try_to_publish(project, order)
                    await self.configuration.take_over(project, order, coming)
                    for name in named.intersection(names):
                        once.forget(self.stage.private, name)
                    await self.naming.withdraw(names)
                    await stack.end(names)
                    order = replace(order, asked=without_questions(order.asked))
                    try:
                        project = await self.configuration.settled(configured, order.asked.environ)
                        wanted = await self._begin(project, order, tell, checked=coming)
                    except Exception as error:  # noqa: BLE001  its client may be gone: the services say why
                        give_up(stack, names, error)
                        wanted = names
            return await self._finish(wanted, followers, order.timeout_seconds, began, tell)

    async def stop(self, names: tuple[str, ...], by: str | None = None) -> Stopped:
        """Stop services and give their ports back. Return the ones that ran.

        `by`: the client that ordered it, and the time, in words.
        """
        async with self.stack.deciding:
            # Nothing may be on record. A service that runs all the same is stopped as configured, if that is
            # readable.
            with suppress(DevinitError):
                await self.configuration.ensure_in_turn(self.stage.caller, None)
            _, stage = await self.configuration.asked_about(names)
            try:
                return await stopping.stop(self.stack, names, stage.project, by, self._let_go)
            finally:
                for runner in self.stack.runners.values():
                    runner.force.clear()

    def _let_go(self, names: list[str]) -> None:
        """Let stopped services start as if for the first time."""
        for name in names:
            self._ports.forget_used(name)
        self._reactions.record.now()

    def force(self, names: tuple[str, ...]) -> None:
        """End these services without grace: those that are ending now, and those that a stop ends next."""
        for name, runner in self.stack.runners.items():
            if not names or name in names or EVERY in names:
                runner.force.set()

    def is_needed(self) -> bool:
        """Return whether there is any service or order left to look after."""
        return self._awaited > 0 or bool(self.stack.returning()) or bool(self.stack.present())

    def leave(self) -> None:
        """Let every service run on without us; the record tells the next supervisor what runs."""
        self._reactions.leave()
        if not self.is_needed():
            self._reactions.record.forget_caller()

    # The steps of a start

    def _wanted_by(self, order: Order, project: Project) -> list[str]:
        """Return the services that an order wants to run, with all their dependencies."""
        chosen = to_start(order.services, project, self.stack.is_wanted)
        return graph.with_dependencies(chosen, dependencies_of(project))

    async def _see_ended(self, wanted: list[str]) -> None:
        """Let stops that an earlier supervisor began come to their end.

        Raise ServiceError when a service outlives its stop.
        """
        stopping.refuse_withstood(self.stack, wanted)
        # Any other stop is complete before the next order decides.
        await self.stack.end([name for name in wanted if self.stack.phase(name) is Phase.STOPPING])
        stopping.refuse_withstood(self.stack, wanted)

    async def _begin(
        self, project: Project, order: Order, tell: Tell, *, checked: Collection[str] = ()
    ) -> list[str]:
        """Start the services of an order; return them with all their dependencies.

        `checked`: services that were checked before others were stopped for them. If anything has changed
        meanwhile, such as a `.env` file that is being edited, only the services that use it fail.
        """
        stack = self.stack
        wanted = self._wanted_by(order, project)
        if project.source is None:
            # Each start, not only the first, reports what detection did not find.
            stack.note_again(project.notes)
        await self._end_what_waits_otherwise(wanted, project, order)
        coming = [name for name in wanted if not stack.is_wanted(name)]
        for text in await warnings_about_tools(self.stage, project, order, coming):
            stack.note_once(text)
        self.configuration.make_room(project, coming)
        unchecked = [name for name in coming if name not in checked]
        await self.configuration.take_over(project, order, unchecked)
        stack.look_at_data()
        starting = [name for name in wanted if not stack.is_wanted(name)]
        for name in starting:
            if name not in coming:
                # The service ended while the configuration was applied.
                self.stage.check(project.services[name])
        for text in warnings_about((project.services[name] for name in starting), project.root):
            stack.note_once(text)
        for name, text in await self.configuration.behind(project, wanted, starting, order):
            self.stage.note(text, name)
        tell({"type": "plan", "at": time.time(), "services": wanted, "starting": starting})
        if starting:
            self._reactions.record.caller_soon()
        await self._end_leftovers(starting, project, order)
        await self._ports.take(starting, order.asked)
        self.stage.publish()
        self._reactions.publish_again()
        self._moves.restart_misinformed()
        if order.sets_up:
            self._require_set_up(wanted, starting)
        for name in starting:
            stack.runners[name].run.terminal.is_lent = name in order.in_terminals
            stack.runners[name].post(lifecycle.StartRequested())
        stack.release_waiting()
        return wanted

    async def _end_what_waits_otherwise(self, wanted: list[str], project: Project, order: Order) -> None:
        """Let waiting services take another configuration, as stopped services do: they have no process yet.

        Before that, raise the error that would prevent their start with this configuration.
        """
        stack = self.stack
        names = [
            name
            for name in wanted
            if name in stack.runners
            and stack.phase(name) is Phase.WAITING
            and not stack.is_returning(name)
            and outdated.is_configured_otherwise(stack.runners[name], project)
        ]
        if names:
            self.configuration.check(project, order, names)
            await stack.end(names)

    async def _end_leftovers(self, starting: list[str], project: Project, order: Order) -> None:
        """End the remaining processes of services that are about to start.

        Raise SupervisorError when some of them run in another container, and StateFileError when the start could
        not write its files. In both cases, nothing is ended.
        """
        runners = {name: self.stack.runners[name] for name in starting}
        here, elsewhere = await leftovers_of(runners, self.stage)
        if elsewhere:
            raise services_out_of_reach(elsewhere, str(self.stage.root))
        if here:
            await self.configuration.try_to_publish(project, order)
            await end_leftovers(here, runners, self.stage)

    def _require_set_up(self, wanted: list[str], starting: list[str]) -> None:
        """Force the `setup` of the services that start; note which services run and therefore skip it."""
        for name in starting:
            require_set_up(self.stage.private, name)
        for name in wanted:
            if name not in starting and self.stack.runners[name].service.setup:
                text = f"{name} runs, so its setup does not: `devinit restart --setup {name}`"
                self.stage.note(text, name)

    async def _finish(
        self,
        wanted: list[str],
        followers: Collection[str],
        timeout_seconds: float | None,
        began: float,
        tell: Tell,
    ) -> int:
        """Wait for the ordered services and for those restarted because of them.

        Send the summary; return the exit code.
        """
        stack = self.stack
        try:
            async with asyncio.timeout(timeout_seconds):
                # For services that ran before: the others are still starting.
                await stack.confirm(wanted)
                await stack.until(lambda: stack.are_settled((*wanted, *followers)))
        except TimeoutError:
            pass  # A service that is still starting counts as timed out; it goes on in the background.
        await self._fixed.note(wanted)
        await self.peers.look()
        # A service may have been removed from the configuration meanwhile.
        present = [name for name in dict.fromkeys((*wanted, *followers)) if name in stack.runners]
        code = outcome.exit_code_of(present, stack.states(), stack.services())
        rows = report.bounded(
            [report.summary_row(stack.runners[name], stack.runners, self.stage) for name in present]
        )
        seconds = time.monotonic() - began
        self._reactions.record.up_to_date()
        tell({"type": "summary", "at": time.time(), "services": rows, "seconds": seconds, "exit_code": code})
        return code

    def _tell_added(self, project: Project) -> None:
        """Note services that a restart does not start because they have never been started."""
        if not self.stack.runners:
            self.stage.note("nothing runs, so nothing is restarted: `devinit start` starts everything")
        elif new := outdated.added(self.stack.runners, project):
            self.stage.note(f"new in the configuration: {', '.join(new)}; `devinit start {' '.join(new)}`")

    async def _nothing_changed(self, project: Project, order: Order, began: float, tell: Tell) -> int:
        """Answer a restart without changes; services removed from the configuration are stopped all the same."""
        now = time.time()
        tell({"type": "plan", "at": now, "services": [], "starting": []})
        if self.stack.runners.keys() != project.services.keys():
            await self.configuration.take_over(project, order)
        else:
            text = "nothing has changed since the services were started"
            tell({"type": "note", "at": now, "service": None, "message": text})
        seconds = time.monotonic() - began
        tell({"type": "summary", "at": now, "services": [], "seconds": seconds, "exit_code": outcome.DONE})
        return outcome.DONE

    def followed(self) -> AbstractContextManager[Collection[str]]:
        """Yield the services that are restarted during this block because an address changed."""
        return self._moves.followed()

    @contextmanager
    def _awaiting(self) -> Iterator[Collection[str]]:
        """Keep the supervisor alive during an awaited order; yield services restarted for a changed address."""
        self._awaited += 1
        try:
            with self._moves.followed() as followers:
                yield followers
        finally:
            self._awaited -= 1


def dependencies_of(project: Project) -> dict[str, tuple[str, ...]]:
    """Return the direct dependencies of each service."""
    return {name: service.depends_on for name, service in project.services.items()}

"""The services of one project and their common state."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from devinit.model.service import Condition, Project, Service
from devinit.model.status import Phase
from devinit.supervisor import lifecycle
from devinit.supervisor.lifecycle import WANTED
from devinit.supervisor.project import graph
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.reporting import outcome
from devinit.supervisor.service.data_watch import look_at_data
from devinit.supervisor.service.runner import Runner

PRESENT = frozenset(Phase) - {Phase.STOPPED}
"""Phases in which a service is still wanted or shown; the supervisor does not end while there is one."""


class Stack:
    """The state that all orders and reactions of a project share."""

    def __init__(self, stage: ProjectState) -> None:
        self.stage = stage
        self.runners: dict[str, Runner] = {}
        self.profile: str | None = None
        """The profile that the services were started with."""
        self.wants_names = False
        """Whether a start asked for names (`--names`), beside what devinit.toml says."""
        self.deciding = asyncio.Lock()
        """Held while an order decides what runs where, but not while it waits for a start."""
        self._changes = asyncio.Event()
        self._returning: Counter[str] = Counter()
        """Services that are stopped for a restart: they must not count as stopped meanwhile."""
        self._waiting: dict[str, Runner] = {}
        """Services that wait for others, the longest wait first; only `follow` writes it."""
        self._noted: set[str] = set()
        stage.on_written = self._has_printed

    def _has_printed(self, name: str) -> None:
        if (runner := self.runners.get(name)) is not None:
            runner.input.printed()

    # Phases

    def phase(self, name: str) -> Phase:
        """Return the phase of a service; an unknown service is stopped."""
        runner = self.runners.get(name)
        return runner.phase if runner else Phase.STOPPED

    def is_wanted(self, name: str) -> bool:
        """Return whether a service runs or is starting."""
        return self.phase(name) in WANTED

    def is_present(self, name: str) -> bool:
        """Return whether a service is still wanted or shown."""
        return self.phase(name) in PRESENT

    def present(self) -> dict[str, Runner]:
        """Return the services that are still wanted or shown."""
        return {name: each for name, each in self.runners.items() if each.phase in PRESENT}

    def running(self) -> dict[str, Service]:
        """Return the services that run or are starting, as they were configured when they started."""
        return {name: each.service for name, each in self.runners.items() if each.phase in WANTED}

    def states(self) -> outcome.States:
        """Return the state of each service."""
        return {name: runner.state for name, runner in self.runners.items()}

    def services(self) -> outcome.Services:
        """Return the configuration of each service."""
        return {name: runner.service for name, runner in self.runners.items()}

    def vanished(self, project: Project) -> list[str]:
        """Return the services that a configuration no longer has."""
        return [name for name in self.runners if name not in project.services]

    async def confirm(self, names: Iterable[str]) -> None:
        """Check once, for each of these services that is ready, whether it still serves."""
        await asyncio.gather(*(self.runners[name].confirm() for name in names if name in self.runners))

    def look_at_data(self) -> None:
        """Detect which servers have lost their data since the last check."""
        for runner in self.runners.values():
            look_at_data(runner, self.stage)

    def note_once(self, text: str) -> None:
        """Show the developer a note, unless it has been shown before."""
        if text not in self._noted:
            self._noted.add(text)
            self.stage.note(text)

    def note_again(self, texts: Iterable[str]) -> None:
        """Let each of these notes be shown once more when it comes up again."""
        self._noted.difference_update(texts)

    # Waits

    def changed(self) -> None:
        """Let each wait check its condition again."""
        self._changes.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when a condition over the services holds. It is checked after each change, never polled."""
        while not condition():
            self._changes.clear()
            await self._changes.wait()

    def are_settled(self, names: Iterable[str]) -> bool:
        """Return whether none of these services will change its state by itself any more."""
        known = [name for name in names if name in self.runners]
        if any(map(self.is_returning, known)):
            return False
        return outcome.are_settled(known, self.states(), self.services())

    def follow(self, runner: Runner) -> None:
        """Record, after each state change of a service, whether it waits for others."""
        if runner.phase is Phase.WAITING:
            self._waiting[runner.name] = runner
        else:
            self._waiting.pop(runner.name, None)

    def release_waiting(self) -> None:
        """Let services go whose dependencies are ready, and give the others the reason why they wait."""
        states: outcome.States = {}
        services: outcome.Services = {}
        for name, runner in [*self._waiting.items()]:
            if runner.phase is not Phase.WAITING or self.runners.get(name) is not runner:
                continue
            if not any(each in self.runners for each in runner.service.depends_on):
                # Without a look at all other services, of which there may be hundreds, for each of hundreds.
                runner.post(lifecycle.DependenciesReady())
                continue
            if not services:
                states, services = self.states(), self.services()
            if outcome.may_start(name, states, services):
                runner.post(lifecycle.DependenciesReady())
            else:
                blocker = outcome.blocker(name, states, services)
                runner.post(lifecycle.Blocked(self._why_blocked(runner, blocker) if blocker else None))

    def _why_blocked(self, runner: Runner, blocker: str) -> str:
        """Say what a service waits for in vain; if that is a failed job, also why it failed."""
        said = f"waits for {blocker}, which {said_of(self.phase(blocker))}"
        reason = self.runners[blocker].state.reason or ""
        if self.phase(blocker) is not Phase.FAILED or not reason:
            return said
        if runner.service.condition_of(blocker) is not Condition.COMPLETED:
            return said
        return f"{said}: {reason.splitlines()[0]}"

    # Stop and return

    async def end(self, names: Iterable[str]) -> None:
        """Stop services in reverse order: each as soon as no service in the list depends on it any more."""
        chosen = {name for name in names if name in self.runners}
        dependencies = {name: self.runners[name].service.depends_on for name in self.runners}

        async def end_one(name: str) -> None:
            above = [other for other in graph.dependants(name, dependencies) if other in chosen]
            await self.until(lambda: all(map(self._is_ended, above)))
            self.runners[name].post(lifecycle.StopRequested())
            await self.until(lambda: self._is_ended(name))
            await self.runners[name].idle()

        await asyncio.gather(*(end_one(name) for name in chosen))

    def _is_ended(self, name: str) -> bool:
        """Return whether the stop of a service is over, even if some of its processes may still run."""
        return self.phase(name) is Phase.STOPPED or self.runners[name].state.has_withstood

    def returning(self) -> frozenset[str]:
        """Return the services that are stopped for a restart."""
        return frozenset(name for name, count in self._returning.items() if count > 0)

    def is_returning(self, name: str) -> bool:
        """Return whether a service is stopped for a restart."""
        return self._returning[name] > 0

    @contextmanager
    def expected_back(self, names: Iterable[str]) -> Iterator[None]:
        """Do not let services that are restarted in this block count as stopped."""
        names = list(names)
        self.expect_back(names)
        try:
            yield
        finally:
            self.came_back(names)

    def expect_back(self, names: Iterable[str]) -> None:
        """Do not let services count as stopped until `came_back` is called for them."""
        self._returning.update(names)

    def came_back(self, names: Iterable[str]) -> None:
        """Undo `expect_back`: the services may count as stopped again."""
        self._returning.subtract(names)
        self.changed()


def said_of(phase: Phase) -> str:
    """Describe the state of a service that others wait for in vain."""
    match phase:
        case Phase.FAILED | Phase.EXITED:
            return phase.value
        case Phase.UNHEALTHY:
            return "is unhealthy"
        case Phase.STARTING:
            return "cannot come up"
        case Phase.STOPPED:
            return "is stopped"
        case Phase.STOPPING:
            return "does not end"
    return "waits itself"

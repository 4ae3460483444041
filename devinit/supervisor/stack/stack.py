"""The services of one project, and what is known of all of them together."""

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
"""Phases in which a service is still wanted or shown: the supervisor stays for it."""


class Stack:
    """What every order and every reaction works on."""

    def __init__(self, stage: ProjectState) -> None:
        self.stage = stage
        self.runners: dict[str, Runner] = {}
        self.profile: str | None = None
        """The profile that the services were started with."""
        self.deciding = asyncio.Lock()
        """Held while it is decided what runs where; not while a start is waited for."""
        self._changes = asyncio.Event()
        self._returning: Counter[str] = Counter()
        """Services that are stopped to be started again: they must not be taken for stopped meanwhile."""
        self._waiting: dict[str, Runner] = {}
        """Services that wait for others, the one that has waited longest first; `follow` alone writes it."""
        self._noted: set[str] = set()
        stage.on_written = self._has_printed

    def _has_printed(self, name: str) -> None:
        if (runner := self.runners.get(name)) is not None:
            runner.input.printed()

    # What they do

    def phase(self, name: str) -> Phase:
        """Return what a service is doing; one that is not known is stopped."""
        runner = self.runners.get(name)
        return runner.phase if runner else Phase.STOPPED

    def is_wanted(self, name: str) -> bool:
        """Whether a service runs, or is on its way up."""
        return self.phase(name) in WANTED

    def is_present(self, name: str) -> bool:
        """Whether a service is still wanted or shown."""
        return self.phase(name) in PRESENT

    def present(self) -> dict[str, Runner]:
        """Return the services that are still wanted or shown."""
        return {name: each for name, each in self.runners.items() if each.phase in PRESENT}

    def running(self) -> dict[str, Service]:
        """Return the services that run, or are on their way up, as they were started."""
        return {name: each.service for name, each in self.runners.items() if each.phase in WANTED}

    def states(self) -> outcome.States:
        """Return the state of each service."""
        return {name: runner.state for name, runner in self.runners.items()}

    def services(self) -> outcome.Services:
        """Return each service as it is to be run."""
        return {name: runner.service for name, runner in self.runners.items()}

    def vanished(self, project: Project) -> list[str]:
        """Return the services that a configuration does not have any more."""
        return [name for name in self.runners if name not in project.services]

    async def confirm(self, names: Iterable[str]) -> None:
        """Ask those of these services that are ready once whether they still serve."""
        await asyncio.gather(*(self.runners[name].confirm() for name in names if name in self.runners))

    def look_at_data(self) -> None:
        """Notice which servers have lost their data since that was looked at last."""
        for runner in self.runners.values():
            look_at_data(runner, self.stage)

    def note_once(self, text: str) -> None:
        """Show the developer a note that has not been shown before."""
        if text not in self._noted:
            self._noted.add(text)
            self.stage.note(text)

    def note_again(self, texts: Iterable[str]) -> None:
        """Let each of these be told once more when it comes up again."""
        self._noted.difference_update(texts)

    # What is waited for

    def changed(self) -> None:
        """Let each wait look at its condition again."""
        self._changes.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when a condition over the services holds; looked at after each change, never polled."""
        while not condition():
            self._changes.clear()
            await self._changes.wait()

    def are_settled(self, names: Iterable[str]) -> bool:
        """Whether nothing more is to be expected of any of these services by itself."""
        known = [name for name in names if name in self.runners]
        if any(map(self.is_returning, known)):
            return False
        return outcome.are_settled(known, self.states(), self.services())

    def follow(self, runner: Runner) -> None:
        """Know whether a service waits for others, after each change of its state."""
        if runner.phase is Phase.WAITING:
            self._waiting[runner.name] = runner
        else:
            self._waiting.pop(runner.name, None)

    def release_waiting(self) -> None:
        """Let those go whose dependencies are there; tell the others what they wait for."""
        states: outcome.States = {}
        services: outcome.Services = {}
        for name, runner in [*self._waiting.items()]:
            if runner.phase is not Phase.WAITING or self.runners.get(name) is not runner:
                continue
            if not any(each in self.runners for each in runner.service.depends_on):
                # Without a look at all the others, of which there may be hundreds, for each of hundreds.
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
        """Say for what a service waits in vain; of a job that failed, also why."""
        said = f"waits for {blocker}, which {said_of(self.phase(blocker))}"
        reason = self.runners[blocker].state.reason or ""
        if self.phase(blocker) is not Phase.FAILED or not reason:
            return said
        if runner.service.condition_of(blocker) is not Condition.COMPLETED:
            return said
        return f"{said}: {reason.splitlines()[0]}"

    # Down, and up again

    async def end(self, names: Iterable[str]) -> None:
        """Stop services in reverse order: each as soon as nothing in the list depends on it any more."""
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
        """Whether nothing more comes of the end of a service, although something of it may still run."""
        return self.phase(name) is Phase.STOPPED or self.runners[name].state.has_withstood

    def returning(self) -> frozenset[str]:
        """Return the services that are stopped to be started again."""
        return frozenset(name for name, count in self._returning.items() if count > 0)

    def is_returning(self, name: str) -> bool:
        """Whether a service is stopped to be started again."""
        return self._returning[name] > 0

    @contextmanager
    def expected_back(self, names: Iterable[str]) -> Iterator[None]:
        """Do not take services for stopped which are started again in this block."""
        names = list(names)
        self.expect_back(names)
        try:
            yield
        finally:
            self.came_back(names)

    def expect_back(self, names: Iterable[str]) -> None:
        """Do not take services for stopped until they `came_back`."""
        self._returning.update(names)

    def came_back(self, names: Iterable[str]) -> None:
        """Expect services no more."""
        self._returning.subtract(names)
        self.changed()


def said_of(phase: Phase) -> str:
    """Say what a service does that others wait for in vain."""
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

"""When services start and stop: joins the services of a project to one another and to their ports.

How one service lives is decided in `lifecycle` and carried out by its `Runner`; this module knows only
about several: who waits for whom, what a moved port means to the others, what a start adds up to.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from msgspec import Struct
from msgspec.structs import replace

from devinit.config.absence import no_services, none_by_itself
from devinit.config.load import load
from devinit.control.elsewhere import services_out_of_reach
from devinit.errors import DevinitError, Interrupted, PortConflict, StateFileError
from devinit.kinds import kind_of
from devinit.kinds.surroundings import warnings_about
from devinit.model.port import ConflictPolicy, GrantedPort, Resolution
from devinit.model.service import Condition, Endpoint, Project, Scheme, Service
from devinit.model.status import Phase
from devinit.runtime.inherited import describe, inherited_names
from devinit.supervisor import lifecycle
from devinit.supervisor.events import from_thread
from devinit.supervisor.lifecycle import WANTED, LifecycleState
from devinit.supervisor.processes.capacity import kept_for
from devinit.supervisor.project import graph, reuse
from devinit.supervisor.project.chosen import EVERY, named, to_start
from devinit.supervisor.project.drift import REMOVED
from devinit.supervisor.project.passwords import Passwords, as_they_run
from devinit.supervisor.project.project_ports import PortQuestion, PortWishes
from devinit.supervisor.project.stage import Stage
from devinit.supervisor.readiness.warming import warm
from devinit.supervisor.record.leftovers import (
    elsewhere_of,
    end_leftovers,
    end_the_rest,
    end_unknown,
    survivors,
)
from devinit.supervisor.record.recording import Recorder, state_of
from devinit.supervisor.record.state_file import Moment, State
from devinit.supervisor.reporting import added, outcome, outdated, report
from devinit.supervisor.reporting.consequences import warning_of, with_changes
from devinit.supervisor.reporting.discovery import Discovery
from devinit.supervisor.service.data_watch import look_at_data
from devinit.supervisor.service.file_watches import FileWatches
from devinit.supervisor.service.preparing import require_set_up
from devinit.supervisor.service.runner import Runner
from devinit.system.descriptors import descriptors

if TYPE_CHECKING:
    from devinit.model.event import Event

SERVING = frozenset({Phase.READY, Phase.UNHEALTHY})
"""Phases in which a service listens: who fails a health check may still answer those who look for it."""
PRESENT = frozenset(Phase) - {Phase.STOPPED}
"""Phases in which a service is still wanted or shown: the supervisor stays for it."""


class Order(Struct, frozen=True, kw_only=True):
    """What a client wants brought up, and how ports are to be decided."""

    services: tuple[str, ...]
    asked: PortWishes
    profile: str | None = None
    timeout_seconds: float | None = None
    only_changed: bool = False
    """Of a restart: only services that are older than the files that say how they are to run."""
    sets_up: bool = False
    """Run the `setup` of what is started, also where nothing that it depends on has changed."""
    is_abandoned: Callable[[], bool] = lambda: False
    """Whether its client has gone away before it was begun."""


class Stopped(Struct, frozen=True, kw_only=True):
    """What a stop came to."""

    stopped: list[str]
    left: list[str]
    """Services whose server devinit does not run: it is not used any more, and runs on."""
    remaining: dict[str, list[int]]
    """Services that still run although they were ended, and the pids of what is left of them."""

    @classmethod
    def of(
        cls, names: Iterable[str], services: Mapping[str, Service], remaining: dict[str, list[int]]
    ) -> Self:
        """Tell who was stopped from who was only let go of, and from who did not end."""
        names = list(names)
        left = [name for name in names if name in services and services[name].external_url is not None]
        stopped = [name for name in names if name not in left and name not in remaining]
        return cls(stopped=stopped, left=left, remaining=remaining)


class Supervisor:
    """The services of one project."""

    def __init__(self, stage: Stage, tasks: asyncio.TaskGroup) -> None:
        self.stage = stage
        self.runners: dict[str, Runner] = {}
        self.profile: str | None = None
        self.starts = 0
        """Starts and restarts that a client still waits for."""
        self._tasks = tasks
        self._discovery = Discovery(stage.root, tasks, stage.note)
        self._deciding = asyncio.Lock()
        """Held while it is decided what runs where; not while a start is waited for."""
        self._changes = asyncio.Event()
        self._noted: set[str] = set()
        self._record = Recorder(stage, self._state, self._note_once)
        self._passwords = Passwords(stage.env_files_of)
        self._files = outdated.Files(stage, lambda: asyncio.to_thread(self._read, None))
        self._watches = FileWatches(tasks, self._files_changed, stage.note)
        self._followers: list[dict[str, None]] = []
        """For each order that is being carried out, the services that are restarted because an address moved."""
        self._returning: Counter[str] = Counter()
        """Services that are stopped to be started again: they must not be taken for stopped meanwhile."""
        self._used: dict[str, int] = {}
        """Services that are stopped to be started again, and the ports of the servers that they found and used."""

    # What a client wants

    async def start(self, order: Order, tell: Callable[[Event], None]) -> int:
        """Bring services up, with all that they need, and wait for them. Return the exit code."""
        began = time.monotonic()
        with self._awaited() as followers:
            async with self._deciding:
                project = await self._load(order)
                refuse_if_abandoned(order)
                wanted = self._wanted_by(order, project)
                refuse_nothing(project, wanted, order)
                coming = [name for name in wanted if self._phase(name) not in WANTED]
                await self._read_pipes(project, coming)
                with self.stage.ports.given_back_ahead():
                    if any(self._phase(name) in PRESENT for name in self._vanished(project)):
                        orphaned = await asyncio.to_thread(self.stage.ports.orphaned)
                        # The port of one that runs without a record is only free once that was ended.
                        known = [name for name in coming if name not in orphaned]
                        await self._decide_before_the_stop(project, coming, known, (), order)
                    wanted = await self._begin(project, order, tell)
            return await self._finish(wanted, followers, order.timeout_seconds, began, tell)

    async def restart(self, order: Order, tell: Callable[[Event], None]) -> int:
        """Stop services and bring them up again with the current configuration and environment.

        What can be refused or has to be asked comes before the stop: once a service has been stopped for it, the
        restart goes on to its end, whether or not its client is still there.
        """
        began = time.monotonic()
        with self._awaited() as followers:
            async with self._deciding:
                configured = await asyncio.to_thread(self._read, order.profile)
                project = self._settled(configured, order.asked.environ)
                names = to_start(order.services, project, self._is_wanted)
                refuse_nothing(project, names, order)
                if order.only_changed:
                    outdated_now = self._outdated(project)
                    names = [name for name in names if name in outdated_now]
                    self._tell_added(project)
                    if not names:
                        return await self._nothing_changed(project, order, began, tell)
                # What runs now is meant, also once it has been stopped.
                order = replace(order, services=tuple(names))
                if not any(self._phase(name) in PRESENT for name in names):
                    # Nothing is stopped for it, so that it is a start.
                    refuse_if_abandoned(order)
                wanted = self._wanted_by(order, project)
                coming = [name for name in wanted if name in names or self._phase(name) not in WANTED]
                await self._read_pipes(project, coming)
                await self._decide_before_the_stop(project, coming, coming, names, order)
                self._used |= self._used_by(names)
                with self._expected_back(names), self.stage.ports.given_back_ahead():
                    await self._configure(self._as_they_run(project), order, coming)
                    await self._end(names)
                    order = replace(order, asked=without_questions(order.asked))
                    project = self._settled(configured, order.asked.environ)
                    wanted = await self._begin(project, order, tell)
            return await self._finish(wanted, followers, order.timeout_seconds, began, tell)

    async def stop(self, names: tuple[str, ...], by: str | None = None) -> Stopped:
        """Stop services, dependants before what they depend on, and give their ports back. Return who ran.

        What counts in the end is that nothing of them is there any more, and not that it was asked to end.
        `by`: who wants it, and since when, in words.
        """
        async with self._deciding:
            _, stage = await self.asked_about(names)
            # Nothing of what is only new in the configuration can run: no start has known of it.
            chosen = [name for name in named(names, stage.project) if name in self.runners]
            running = [name for name in chosen if self._phase(name) in PRESENT]
            for name in running:
                self.runners[name].history.stopped_by = by
            self._warn_dependants(chosen)
            await self._end(chosen)
            remaining = await end_the_rest({name: self.runners[name] for name in running})
            for name in chosen:
                self.stage.ports.give_back(name, self.runners[name].run.spared)
                self._used.pop(name, None)
            self._record.now()
            if not running:
                running = await self._end_unrecorded(names)
                remaining |= survivors(running, self.stage)
            for runner in self.runners.values():
                runner.force.clear()
            return Stopped.of(running, self._services(), remaining)

    def force(self, names: tuple[str, ...]) -> None:
        """Let these services be ended without grace: what is being ended, and what a stop will end next."""
        for name, runner in self.runners.items():
            if not names or name in names or EVERY in names:
                runner.force.set()

    async def ensure_configured(self, environ: dict[str, str], profile: str | None) -> None:
        """Read the configuration if nothing has been read yet, so that questions about it can be answered."""
        async with self._deciding:
            if not self.runners:
                order = Order(services=(), asked=PortWishes(environ=environ), profile=profile)
                await self._configure(self._as_they_run(await self._load(order)), order)

    async def asked_about(self, names: Iterable[str]) -> tuple[report.Runners, Stage]:
        """Return the services, and the stage that they are on, for a question about these.

        One that is new in devinit.toml is among them as a stopped one. Raise ConfigError for a file that cannot
        be read when a name is in question; a name that nothing has is the caller's to refuse.
        """
        if added.are_known(names, self.runners):
            return self.runners, self.stage
        project = self._settled(await asyncio.to_thread(self._read, None), self.stage.caller)
        return added.with_added(
            self.runners,
            self.stage,
            project,
            lambda service, stage: Runner(service, stage, self, self._tasks, self.changed),
        )

    async def confirm(self, names: Iterable[str]) -> None:
        """Ask those of these services that are ready once whether they still serve."""
        await asyncio.gather(*(self.runners[name].confirm() for name in names if name in self.runners))

    def is_needed(self) -> bool:
        """Whether anything is left to look after."""
        if self.starts > 0 or any(count > 0 for count in self._returning.values()):
            return True
        return any(runner.phase in PRESENT for runner in self.runners.values())

    def leave(self) -> None:
        """Let everything run on without us: what runs is on record for the next supervisor."""
        self._discovery.leave()
        self._record.now()
        if not self.is_needed():
            self._record.forget_caller()

    def look_at_data(self) -> None:
        """Notice which servers have lost their data since that was looked at last."""
        for runner in self.runners.values():
            look_at_data(runner, self.stage)

    async def changed_since(self) -> dict[str, list[str]]:
        """Return what of each service that runs is older than its files."""
        project = await self._files.project()
        removed = {name: [REMOVED] for name in self.runners if name not in project.services}
        return self._outdated(self._settled(project, self.stage.caller)) | removed

    async def configuration_error(self) -> str | None:
        """Return why the configuration cannot be read now; None when it can, or was only detected."""
        if not self.runners:
            return None
        await self._files.project()
        return self._files.problem

    async def new_services(self) -> list[Service]:
        """Return the services that the files have now and no start has taken over."""
        if not self.runners:
            return []
        project = await self._files.project()
        return [project.services[name] for name in outdated.added(self.runners, project)]

    # How it is done

    def _outdated(self, project: Project) -> dict[str, list[str]]:
        present = {name: each for name, each in self.runners.items() if each.phase in PRESENT}
        return outdated.changes(present, self.stage, project)

    def _tell_added(self, project: Project) -> None:
        """Name what a restart does not start: services that have not been started yet."""
        if not self.runners:
            self.stage.note("nothing runs, so nothing is restarted: `devinit start` starts everything")
        elif new := outdated.added(self.runners, project):
            self.stage.note(f"new in the configuration: {', '.join(new)}; `devinit start {' '.join(new)}`")

    async def _nothing_changed(
        self, project: Project, order: Order, began: float, tell: Callable[[Event], None]
    ) -> int:
        """Answer a restart of nothing; what the configuration does not have any more is stopped all the same."""
        now = time.time()
        tell({"type": "plan", "at": now, "services": [], "starting": []})
        if self.runners.keys() != project.services.keys():
            await self._configure(self._as_they_run(project), order)
        else:
            text = "nothing has changed since the services were started"
            tell({"type": "note", "at": now, "service": None, "message": text})
        seconds = time.monotonic() - began
        tell({"type": "summary", "at": now, "services": [], "seconds": seconds, "exit_code": outcome.DONE})
        return outcome.DONE

    def _warn_dependants(self, stopping: list[str]) -> None:
        """Say who goes on without a service that it needs: only what was named is stopped."""
        for name, runner in self.runners.items():
            # A job that had to be done first is of no more use to it.
            needed = [other for other in runner.service.depends_on if not self.stage.project.is_job(other)]
            lost = [other for other in needed if other in stopping]
            if lost and name not in stopping and runner.phase in lifecycle.ALIVE:
                self.stage.note(f"{name} depends on {', '.join(lost)} and keeps running", name)

    async def _decide_before_the_stop(
        self,
        project: Project,
        coming: list[str],
        asking: Iterable[str],
        stopping: Iterable[str],
        order: Order,
    ) -> None:
        """Raise what would keep the `coming` services from being started, and take the ports they move to.

        `asking`: those of them whose ports are decided now. `stopping`: services that are stopped next, beside
        those that are not in the configuration any more.
        """
        self._make_room(project, coming)
        self.stage.check_project(self._as_they_run(project), order.asked.environ, coming)
        services = [project.services[name] for name in asking]
        leaving, say = [*stopping, *self._vanished(project)], from_thread(self.stage.note)
        try:
            await asyncio.to_thread(self.stage.ports.take_ahead, services, leaving, project, order.asked, say)
        except PortQuestion as question:
            raise with_all_changes(question, self.stage.with_services(project.services)) from None

    async def _begin(self, project: Project, order: Order, tell: Callable[[Event], None]) -> list[str]:
        wanted = self._wanted_by(order, project)
        if project.source is None:
            # Each start reports what detection did not find, not only the first one.
            self._noted.difference_update(project.notes)
        coming = [name for name in wanted if self._phase(name) not in WANTED]
        self._make_room(project, coming)
        await self._configure(self._as_they_run(project), order, coming)
        # What an earlier supervisor had begun to end; everything else is ended before another order decides.
        await self._end([name for name in wanted if self._phase(name) is Phase.STOPPING])
        self.look_at_data()
        starting = [name for name in wanted if self._phase(name) not in WANTED]
        for name in starting:
            if name not in coming:
                # It ended while the configuration was taken over.
                self.stage.check(project.services[name])
        for text in warnings_about((project.services[name] for name in starting), project.root):
            self._note_once(text)
        for name in wanted:
            if name not in starting and outdated.is_configured_otherwise(self.runners[name], project):
                self.stage.note(f"{name} runs as it was configured before: `devinit restart {name}`", name)
        tell({"type": "plan", "at": time.time(), "services": wanted, "starting": starting})
        if starting:
            self._record.caller_soon()
        await end_leftovers({name: self.runners[name] for name in starting}, self.stage)
        used = {name: self._used[name] for name in starting if name in self._used}
        await self._take_ports(starting, replace(order.asked, used=used))
        self.stage.publish()
        self._restart_misinformed()
        if order.sets_up:
            self._require_set_up(wanted, starting)
        for name in starting:
            self.runners[name].post(lifecycle.StartRequested())
        self._release_waiting()
        return wanted

    def _require_set_up(self, wanted: list[str], starting: list[str]) -> None:
        """Let the `setup` of what is started run in any case; tell for whom it does not."""
        for name in starting:
            require_set_up(self.stage.private, name)
        for name in wanted:
            if name not in starting and self.runners[name].service.setup:
                text = f"{name} runs, so its setup does not: `devinit restart --setup {name}`"
                self.stage.note(text, name)

    def _wanted_by(self, order: Order, project: Project) -> list[str]:
        """Return which services an order is to have running, with all that they need."""
        chosen = to_start(order.services, project, self._is_wanted)
        return graph.with_dependencies(chosen, dependencies_of(project))

    async def _load(self, order: Order) -> Project:
        project = await asyncio.to_thread(self._read, order.profile)
        return self._settled(project, order.asked.environ)

    def _read(self, profile: str | None) -> Project:
        return load(self.stage.root, profile=profile or self.profile)

    def _settled(self, project: Project, environ: dict[str, str]) -> Project:
        """Return a project with the passwords and the servers that its services use, or will use next."""
        place = replace(self.stage.place(), environment=environ)
        return reuse.still_using(self._passwords.settled(project, place), self._running())

    def _as_they_run(self, project: Project) -> Project:
        return as_they_run(project, self._running())

    def _running(self) -> dict[str, Service]:
        return {name: each.service for name, each in self.runners.items() if each.phase in WANTED}

    async def _configure(self, project: Project, order: Order, coming: Iterable[str] = ()) -> None:
        """Take over a configuration: services that vanished from it are stopped, what runs is left alone.

        Raise before that what would keep the `coming` services from being started.
        """
        given = self.stage.check_project(project, order.asked.environ, coming)
        vanished = self._vanished(project)
        for name in vanished:
            if self._phase(name) in PRESENT:
                self.stage.note(f"{name} is stopped: it is not in the configuration any more", name)
        await self._end(vanished)
        for name in vanished:
            self.stage.ports.give_back(name, self.runners[name].run.spared)
        self.runners = {name: runner for name, runner in self.runners.items() if name in project.services}
        self.profile = order.profile or self.profile
        self.stage.configure(project, order.asked.environ, given)
        for name, service in project.services.items():
            if name not in self.runners:
                self.runners[name] = Runner(service, self.stage, self, self._tasks, self.changed)
            elif self._phase(name) not in WANTED:
                self.runners[name].service = service
        if foreign := inherited_names(order.asked.environ, self.stage.root) - self.stage.environment.keys():
            self._note_once(describe(foreign, order.asked.environ))
        for text in project.notes:
            self._note_once(text)

    def _vanished(self, project: Project) -> list[str]:
        return [name for name in self.runners if name not in project.services]

    async def _read_pipes(self, project: Project, coming: Iterable[str]) -> None:
        """Read once for this order what a secret manager writes for services that are to be run."""
        await self.stage.read_pipes((project.services[name] for name in coming), again=True)

    def _make_room(self, project: Project, coming: Collection[str]) -> None:
        """Raise ServiceError when there are not enough open files for these services and those that run."""
        present = (
            each
            for each in self.runners.values()
            if each.phase in PRESENT and each.name not in coming and each.name in project.services
        )
        services = [*(each.service for each in present), *(project.services[name] for name in coming)]
        descriptors.make_room(kept_for(services))

    async def _take_ports(self, names: list[str], asked: PortWishes) -> None:
        services = [self.stage.project.services[name] for name in names]
        say = from_thread(self.stage.note)
        try:
            granted = await asyncio.to_thread(self.stage.ports.take, services, self.stage.project, asked, say)
        except PortQuestion as question:
            raise with_all_changes(question, self.stage) from None
        for port in granted:
            self._tell_port(port, asked.resolutions)
            if port.uses:
                self._use(port)
            elif before := asked.used.get(port.service):
                text = f"{port.service} used the server on {before} until now; it gets one of its own"
                self.stage.note(text, port.service)
        for name in names:
            self._used.pop(name, None)

    def _use(self, found: GrantedPort) -> None:
        """Let a service use the server that was found running on its port."""
        service = reuse.using(self.stage.project.services[found.service], found.port)
        self.stage.replace_service(service)
        self.runners[service.name].service = service

    def _used_by(self, names: Iterable[str]) -> dict[str, int]:
        """Return the ports of the servers that services use which they found there."""
        services = {name: self.runners[name].service for name in names if self._phase(name) in WANTED}
        return {name: reuse.port_of(each) for name, each in services.items() if each.is_reused}

    async def _end_unrecorded(self, names: tuple[str, ...]) -> list[str]:
        """End what runs without a record, named services or all; return whose it was.

        Raise SupervisorError when one of them runs in another container; the others are ended.
        """
        asked = {name: each for name, each in self.runners.items() if not names or name in names}
        idle = {name: each for name, each in asked.items() if each.phase not in PRESENT}
        ended = await end_leftovers(idle, self.stage, refuses_elsewhere=False)
        orphaned = self.stage.ports.orphaned()
        orphaned = orphaned if not names else orphaned & set(names)
        elsewhere = await elsewhere_of(orphaned, self.stage)
        unknown = orphaned - self.runners.keys() - elsewhere
        await end_unknown(sorted(unknown), self.stage)
        if elsewhere:
            raise services_out_of_reach(elsewhere, str(self.stage.root))
        return [*ended, *sorted(unknown)]

    async def _finish(
        self,
        wanted: list[str],
        followers: Collection[str],
        timeout_seconds: float | None,
        began: float,
        tell: Callable[[Event], None],
    ) -> int:
        """Wait for all that was asked for, and for what was restarted on account of it; tell what it came to."""
        try:
            async with asyncio.timeout(timeout_seconds):
                # Of those that ran before: the others are waiting still.
                await self.confirm(wanted)
                await self._until(lambda: all(map(self._is_settled, (*wanted, *followers))))
        except TimeoutError:
            pass  # What is still starting counts as timed out; it goes on in the background.
        # A service may have been taken out of the configuration meanwhile.
        present = [name for name in dict.fromkeys((*wanted, *followers)) if name in self.runners]
        code = outcome.exit_code_of(present, self._states(), self._services())
        rows = report.bounded(
            [report.summary_row(self.runners[name], self.runners, self.stage) for name in present]
        )
        seconds = time.monotonic() - began
        self._record.up_to_date()
        tell({"type": "summary", "at": time.time(), "services": rows, "seconds": seconds, "exit_code": code})
        return code

    async def _end(self, names: Iterable[str]) -> None:
        """Stop services in reverse order: each as soon as nothing in the list depends on it any more."""
        chosen = {name for name in names if name in self.runners}
        dependencies = {name: self.runners[name].service.depends_on for name in self.runners}

        async def end_one(name: str) -> None:
            above = [other for other in graph.dependants(name, dependencies) if other in chosen]
            await self._until(lambda: all(self._phase(other) is Phase.STOPPED for other in above))
            runner = self.runners[name]
            runner.post(lifecycle.StopRequested())
            await self._until(lambda: runner.phase is Phase.STOPPED)
            await runner.idle()

        await asyncio.gather(*(end_one(name) for name in chosen))

    # What happens

    def changed(self, runner: Runner, before: LifecycleState) -> None:
        """React to a service in another state."""
        state = runner.state
        if state.phase is not before.phase or state.reason != before.reason:
            self.stage.broadcaster.tell(report.phase_event(runner, before, self.stage))
        if state.phase is not before.phase:
            if state.phase not in SERVING:
                for name in names_of_ports(runner.service):
                    self._discovery.withdraw(name)
            elif before.phase not in SERVING:
                self._claim_ports(runner.name)
                self._announce(runner)
        if releasing(state) != releasing(before):
            self._release_waiting()
        self._watches.follow(runner)
        self._record.soon()
        self._changes.set()

    async def _files_changed(self, name: str, reason: str) -> None:
        self._returning[name] += 1
        await self._restart_quietly(name, reason, PRESENT - {Phase.STOPPING})

    def _claim_ports(self, name: str) -> None:
        try:
            self.stage.ports.came_up(name, keep_all=self.stage.project.keep_ports)
        except StateFileError as error:
            # A full disk: the service is ready all the same, and only its claim to the port is lost.
            self.stage.note(error.message, name)

    def _announce(self, runner: Runner) -> None:
        service, endpoint = runner.service, self.stage.endpoint(runner.name)
        self.stage.broadcaster.tell(report.port_info(runner, self.stage))
        for name in names_of_ports(service):
            self._write_discovery(runner, self.stage.endpoint(name))
        if service.warm is not None and endpoint.port is not None:
            self._tasks.create_task(warm(endpoint, service.warm, self.stage.note))

    def _write_discovery(self, runner: Runner, endpoint: Endpoint) -> None:
        project = self.stage.project
        file = project.discovery.get(endpoint.service)
        if file is not None and endpoint.port is not None:
            process_id = runner.run.listener or (runner.run.identity.pid if runner.run.identity else 0)
            self._discovery.announce(
                file,
                endpoint,
                process_id,
                project.discovery_refresh_seconds,
                per_process=project.discovery_per_process,
            )

    def _release_waiting(self) -> None:
        """Let those go whose dependencies are there; tell the others what they wait for."""
        waiting = {name: each for name, each in self.runners.items() if each.phase is Phase.WAITING}
        if not waiting:
            return
        states, services = self._states(), self._services()
        for name, runner in waiting.items():
            if runner.phase is not Phase.WAITING:
                continue
            if outcome.may_start(name, states, services):
                runner.post(lifecycle.DependenciesReady())
            else:
                blocker = outcome.blocker(name, states, services)
                runner.post(lifecycle.Blocked(self._why_blocked(runner, blocker) if blocker else None))

    def _why_blocked(self, runner: Runner, blocker: str) -> str:
        """Say for what a service waits in vain; of a job that failed, also why."""
        said = f"waits for {blocker}, which {said_of(self._phase(blocker))}"
        reason = self.runners[blocker].state.reason or ""
        if self._phase(blocker) is not Phase.FAILED or not reason:
            return said
        if runner.service.condition_of(blocker) is not Condition.COMPLETED:
            return said
        return f"{said}: {reason.splitlines()[0]}"

    # Ports that turn out to be taken (Moves)

    async def move(self, service: str, reason: str) -> GrantedPort:
        """Give a port up, take another one, and publish it. Raise PortError when there is none."""
        granted = await asyncio.to_thread(
            self.stage.ports.move, self.runners[service].service, self.stage.project, reason
        )
        self._republish(granted)
        return granted

    async def follow(self, service: str, port: int) -> GrantedPort:
        """Take over the port that a service chose for itself. Raise PortError when that may not be."""
        request = self.runners[service].service.port
        if request is None or request.strict:
            raise PortConflict(
                f"{service} listens on {port}, not on the port that it was given",
                hint="its command must use ${PORT}; or set the port that its code contains in devinit.toml",
            )
        say = from_thread(lambda text: self.stage.note(text, service))
        granted = await asyncio.to_thread(self.stage.ports.follow, request, port, self.stage.project, say)
        self._republish(granted)
        return granted

    async def speaks(self, name: str, scheme: Scheme) -> None:
        """Take over what a service, or a further port of it, was found to speak, and publish the URL."""
        service = name.partition(".")[0]
        try:
            self.stage.speaks(name, scheme)
        except StateFileError as error:
            # A full disk: the service is ready all the same.
            self.stage.note(error.message, service)
        self.stage.note(f"{name} speaks {scheme}: {self.stage.endpoint(name).url}", service)
        runner = self.runners[service]
        runner.run.published_addresses = self.stage.addresses()
        self._restart_misinformed()
        if runner.phase in SERVING:
            self._announce(runner)

    def _republish(self, granted: GrantedPort) -> None:
        """Publish a move that happened during a start."""
        self._tell_port(granted)
        self.stage.publish()
        # It knows its own address: it chose it, or is started again on it.
        self.runners[granted.service].run.published_addresses = self.stage.addresses()
        self._restart_misinformed()

    def _restart_misinformed(self) -> None:
        """Restart what runs with addresses of others that are not true any more. Databases are given none."""
        addresses = self.stage.addresses()
        for name, runner in self.runners.items():
            is_told = kind_of(runner.service).takes_environment and runner.run.process is not None
            if not is_told or self._returning[name] > 0:
                continue
            outdated_now = {
                other: runner.run.published_addresses[other]
                for other, address in addresses.items()
                if runner.run.published_addresses.get(other, address) != address
            }
            if outdated_now:
                self._returning[name] += 1
                for followers in self._followers:
                    followers[name] = None
                reason = report.reason_of_new_addresses(outdated_now, addresses)
                self._tasks.create_task(self._restart_quietly(name, reason))

    async def _restart_quietly(
        self, name: str, reason: str, phases: frozenset[Phase] = lifecycle.ALIVE
    ) -> None:
        try:
            async with self._deciding:
                # It may have been stopped, or given up, while we waited for our turn.
                if self._phase(name) in phases and self._can_restart(name, reason):
                    self.stage.note(f"{name} is restarted: {reason}", name)
                    await self._end([name])
                    self.runners[name].post(lifecycle.StartRequested())
                    self.runners[name].history.restarted_for = reason
                    self._release_waiting()
        finally:
            self._came_back([name])

    def _can_restart(self, name: str, reason: str) -> bool:
        """Whether a service could be started again now. No command asked for its restart: if not, it runs on."""
        try:
            self.stage.check(self.runners[name].service)
        except DevinitError as error:
            self.stage.note(f"{name} is not restarted ({reason}), because {error.message}", name)
            return False
        return True

    @contextmanager
    def _expected_back(self, names: Iterable[str]) -> Iterator[None]:
        names = list(names)
        self._returning.update(names)
        try:
            yield
        finally:
            self._came_back(names)

    def _came_back(self, names: Iterable[str]) -> None:
        self._returning.subtract(names)
        self._changes.set()

    @contextmanager
    def _awaited(self) -> Iterator[Collection[str]]:
        """Stay for an order that a client waits for; yield who is restarted meanwhile because an address moved."""
        followers: dict[str, None] = {}
        self.starts += 1
        self._followers.append(followers)
        try:
            yield followers.keys()
        finally:
            self.starts -= 1
            self._followers = [each for each in self._followers if each is not followers]

    def _is_settled(self, name: str) -> bool:
        if name not in self.runners:
            return True
        return self._returning[name] <= 0 and outcome.is_settled(name, self._states(), self._services())

    def _note_once(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self.stage.note(text)

    def _tell_port(self, granted: GrantedPort, answers: Sequence[Resolution] = ()) -> None:
        self.stage.broadcaster.tell(report.port_event(granted))
        service = self.stage.project.services.get(granted.service)
        if service is not None and (text := warning_of(service, granted, answers)):
            self.stage.note(text, service.name)

    # Who is there

    def _state(self) -> State:
        """Return what is to be on record."""
        returning = frozenset(name for name, count in self._returning.items() if count > 0)
        state = state_of(self.runners, self.stage, self.profile, returning)
        histories = {name: self.runners[name].history for name in state.services}
        moments = {
            name: Moment(since=each.phase_since, restarted_for=each.restarted_for)
            for name, each in histories.items()
        }
        return replace(state, moments=moments)

    def _phase(self, name: str) -> Phase:
        runner = self.runners.get(name)
        return runner.phase if runner else Phase.STOPPED

    def _is_wanted(self, name: str) -> bool:
        return self._phase(name) in WANTED

    def _states(self) -> outcome.States:
        return {name: runner.state for name, runner in self.runners.items()}

    def _services(self) -> outcome.Services:
        return {name: runner.service for name, runner in self.runners.items()}

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Return when a condition over the services holds; looked at after each change, never polled."""
        while not condition():
            self._changes.clear()
            await self._changes.wait()


def releasing(state: LifecycleState) -> tuple[object, ...]:
    """Return what of a service others may wait for."""
    return state.phase, state.stuck, state.spawned_at is not None


def names_of_ports(service: Service) -> list[str]:
    """Return under which names a service answers: its own, and those of its further ports."""
    return [service.name, *(request.service for request in service.extra_ports)]


def refuse_if_abandoned(order: Order) -> None:
    """Raise Interrupted when the client is gone: nothing has begun, and no client knows what it would be."""
    if order.is_abandoned():
        raise Interrupted("the client that ordered the start has gone away")


def refuse_nothing(project: Project, wanted: Collection[str], order: Order) -> None:
    """Raise NoProject or UsageError for an order of nothing, before anything is stopped for it."""
    if not project.services:
        raise no_services(project.source or project.root)
    if not wanted and not order.only_changed:
        raise none_by_itself(project.services)


def with_all_changes(question: PortQuestion, stage: Stage) -> PortQuestion:
    """Return a question about taken ports with what each answer to move would change."""
    question.conflicts = tuple(with_changes(each, stage) for each in question.conflicts)
    return question


def without_questions(asked: PortWishes) -> PortWishes:
    """Return how ports are decided once services were stopped: a question might never be answered."""
    policy = ConflictPolicy.MOVE if asked.policy is ConflictPolicy.ASK else asked.policy
    return replace(asked, policy=policy, can_answer=False)


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
    return "waits itself"


def dependencies_of(project: Project) -> dict[str, tuple[str, ...]]:
    """Return who depends on whom."""
    return {name: service.depends_on for name, service in project.services.items()}

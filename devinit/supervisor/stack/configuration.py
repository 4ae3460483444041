"""The configuration of the services: read for an order, applied by it, and compared with the running services."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable

from msgspec.structs import replace

from devinit.config.load import load
from devinit.errors import ServiceError
from devinit.kinds.process.installing import names_what_it_lacks
from devinit.kinds.surroundings import tool_warnings
from devinit.model.service import Project, Service
from devinit.model.setup_words import folders_in, is_made_by_setup
from devinit.runtime.inherited import describe, inherited_names
from devinit.supervisor.processes.capacity import kept_for
from devinit.supervisor.project import reuse
from devinit.supervisor.project.drift import REMOVED
from devinit.supervisor.project.passwords import Passwords, as_they_run
from devinit.supervisor.project.port_wishes import PortWishes
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.reporting import added, outdated, report
from devinit.supervisor.service.preparing import SETUP_FOLDER
from devinit.supervisor.service.runner import Runner
from devinit.supervisor.stack.order import Order
from devinit.supervisor.stack.stack import Stack
from devinit.supervisor.stack.stopping import give_back_ended, refuse_withstood
from devinit.system.descriptors import descriptors


class Configuration:
    """The configuration as its files state it, for running services and for services to be started."""

    def __init__(self, stack: Stack, runner_of: Callable[[Service, ProjectState], Runner]) -> None:
        self._stack, self._stage, self._runner_of = stack, stack.stage, runner_of
        self._passwords = Passwords(stack.stage.given.env_files_of)
        self._files = outdated.Files(stack.stage, lambda profile: load(self._stage.root, profile=profile))

    # For orders:

    async def read(self, order: Order) -> Project:
        """Return the configured project for an order. Raise ConfigError."""
        return await self._files.read(order.profile or self._stack.profile)

    async def load(self, order: Order) -> Project:
        """Return the same project, settled; for `--setup`, copy examples of `.env` files before."""
        project = await self.read(order)
        if order.sets_up and (copied := await asyncio.to_thread(_copies_of, project)):
            for text in copied:
                self._stack.note_once(text)
            project = await self.read(order)
        await asyncio.to_thread(self._stage.read_code, project)
        return await self.settled(project, order.asked.environ)

    async def settled(self, project: Project, environ: dict[str, str]) -> Project:
        """Return the project with the passwords and servers that its services use now, or will use next."""
        await self._stage.given.read_ahead(project.services.values())
        place = replace(self._stage.place(), environment=environ)
        return reuse.still_using(self._passwords.settled(project, place), self._stack.running())

    def check(self, project: Project, order: Order, coming: Collection[str]) -> None:
        """Raise the error that would prevent the start of the `coming` services as the project configures them."""
        self.make_room(project, coming)
        self._stage.check_project(self._as_they_run(project), order.asked.environ, coming)

    async def check_packages(self, project: Project, order: Order, names: Iterable[str]) -> None:
        """Raise ServiceError when one of these services lacks packages, so that it could not be started again."""
        place = replace(self._stage.place(), environment=order.asked.environ)
        for service in (project.services[name] for name in names):
            lacking = await asyncio.to_thread(self._stage.provider(service).lacking, service, place)
            if lacking is not None and not order.sets_up:
                raise ServiceError(f"{service.name}: {lacking.missing}", hint=lacking.advice)

    async def try_to_publish(self, project: Project, order: Order) -> None:
        """Raise StateFileError when the files with ports and environment could not be written."""
        as_they_run = self._as_they_run(project)
        await asyncio.to_thread(self._stage.try_to_publish, as_they_run, order.asked.environ)

    async def read_pipes(self, project: Project, coming: Iterable[str]) -> None:
        """Read, once for this order, the pipes into which a secret manager writes for services to be started."""
        await self._stage.given.read_pipes((project.services[name] for name in coming), again=True)

    def make_room(self, project: Project, coming: Collection[str]) -> None:
        """Raise ServiceError when there are not enough open files for these services and those that run."""
        present = (
            each
            for each in self._stack.present().values()
            if each.name not in coming and each.name in project.services
        )
        services = [*(each.service for each in present), *(project.services[name] for name in coming)]
        descriptors.make_room(kept_for(services))

    async def take_over(self, project: Project, order: Order, coming: Iterable[str] = ()) -> None:
        """Apply a configuration: stop services that vanished from it, and leave running services alone.

        Before that, raise the error that would prevent the start of the `coming` services. Raise ServiceError when
        a vanished service does not end: it must stay known, so the configuration is not applied.
        """
        stack, project = self._stack, self._as_they_run(project)
        given = self._stage.check_project(project, order.asked.environ, coming)
        vanished = stack.vanished(project)
        refuse_withstood(stack, vanished)
        for name in vanished:
            if stack.is_present(name):
                self._stage.note(f"{name} is stopped: it is not in the configuration any more", name)
        await stack.end(vanished)
        give_back_ended(stack, vanished)
        refuse_withstood(stack, vanished)
        stack.runners = {name: runner for name, runner in stack.runners.items() if name in project.services}
        stack.profile = order.profile or stack.profile
        self._stage.configure(project, order.asked.environ, given)
        for name, service in project.services.items():
            if name not in stack.runners:
                stack.runners[name] = self._runner_of(service, self._stage)
            elif not stack.is_wanted(name):
                stack.runners[name].service = service
        if foreign := inherited_names(order.asked.environ, self._stage.root) - self._stage.environment.keys():
            stack.note_once(describe(foreign, order.asked.environ))
        if misleading := self._stage.misleading_names() & order.asked.environ.keys():
            stack.note_once(
                f"{', '.join(sorted(misleading))} of this shell ignored: programs would connect to another server "
                "than the project's, or refuse it"
            )
        for text in project.notes:
            is_said = is_made_by_setup(text) and (order.sets_up or _is_said_by_services(text, project, order))
            if not is_said:
                stack.note_once(text)

    # For questions

    async def ensure(self, environ: dict[str, str], profile: str | None) -> None:
        """Read the configuration if it has not been read yet, so that questions about it can be answered."""
        async with self._stack.deciding:
            await self.ensure_in_turn(environ, profile)

    async def ensure_in_turn(self, environ: dict[str, str], profile: str | None) -> None:
        """Do the same within an order, which already holds the lock."""
        if not self._stack.runners:
            order = Order(services=(), asked=PortWishes(environ=environ), profile=profile)
            await self.take_over(await self.load(order), order)

    async def asked_about(self, names: Iterable[str]) -> tuple[report.Runners, ProjectState]:
        """Return the services, and the project state that belongs to them, for a question about these names.

        A service that is new in devinit.toml is included as a stopped one. Raise ConfigError when a name is
        unknown so far and the file cannot be read; the caller refuses a name that no service has.
        """
        runners = self._stack.runners
        if added.are_known(names, runners):
            return runners, self._stage
        project = await self.settled(await self._files.read(self._stack.profile), self._stage.caller)
        return added.with_added(self._stack.runners, self._stage, project, self._runner_of)

    async def changed_since(self) -> dict[str, list[str]]:
        """Return, for each running service, which parts are older than its files."""
        while True:
            known, project = self._stage.project, await self._as_read()
            removed = {name: [REMOVED] for name in self._stack.vanished(project)}
            settled = await self.settled(project, self._stage.caller)
            found = await self.outdated(settled) | removed
            # If an order has applied a newer configuration meanwhile, it may have services that `found` lacks.
            if self._stage.project is known:
                return found

    async def outdated(self, project: Project) -> dict[str, list[str]]:
        """Return, for each running service, which parts are older than this configuration."""
        # In a thread: it searches folders, perhaps many.
        return await asyncio.to_thread(outdated.changes, self._stack.present(), self._stage, project)

    async def behind(
        self, project: Project, wanted: list[str], starting: list[str], order: Order
    ) -> list[tuple[str, str]]:
        """Return notes of a start about services that it leaves as they are: service names and texts.

        These services run already, or their packages were installed from files that have changed since.
        """
        runners, root = self._stack.runners, self._stage.root
        running = [runners[name] for name in wanted if name not in starting]
        found = await asyncio.to_thread(outdated.left_as_they_were, running, self._stage, project)
        if (self._stage.private / SETUP_FOLDER).is_dir():
            # With `--setup`, a service that is about to start installs its packages.
            services = [project.services[name] for name in wanted if not (order.sets_up and name in starting)]
            found += await asyncio.to_thread(outdated.left_packages, services, self._stage.private, root)
        return found

    async def error(self) -> str | None:
        """Return why the configuration cannot be read now; None if it can, or if the project was only detected."""
        if not self._stack.runners:
            return None
        await self._as_read()
        return self._files.problem

    async def new_services(self) -> list[Service]:
        """Return the services that are in the files now but that no start has applied yet."""
        if not self._stack.runners:
            return []
        project = await self._as_read()
        return [project.services[name] for name in outdated.added(self._stack.runners, project)]

    async def _as_read(self) -> Project:
        return await self._files.project(self._stack.profile)

    def _as_they_run(self, project: Project) -> Project:
        return as_they_run(project, self._stack.running())


def _copies_of(project: Project) -> list[str]:
    from devinit.supervisor.files.env_copies import copy_examples  # only for `--setup`

    return list(copy_examples(project))


async def warnings_about_tools(
    stage: ProjectState, project: Project, order: Order, names: Iterable[str]
) -> list[str]:
    """Return warnings about tools of these services whose versions are not those that the repository asks for."""
    place = replace(stage.place(), environment=order.asked.environ)
    services = [project.services[name] for name in names]
    # In a thread: it may have to run a program to get its version.
    return await asyncio.to_thread(tool_warnings, services, place) if services else []


def _is_said_by_services(note: str, project: Project, order: Order) -> bool:
    """Return whether the services in a note's folders report the same, with advice, when they start."""
    folders = {project.root / each for each in folders_in(note)}
    about = [each for each in project.services.values() if each.command and each.directory in folders]
    path = order.asked.environ.get("PATH", "")
    return bool(about) and all(names_what_it_lacks(each, path) for each in about)

"""The ports of services to be started: decided before any service is stopped, and taken all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from msgspec.structs import replace

from devinit.errors import PortQuestion
from devinit.model.port import GrantedPort
from devinit.model.service import Project
from devinit.ports.granting.grants import ConflictsFound
from devinit.supervisor.events import from_thread
from devinit.supervisor.project import reuse
from devinit.supervisor.project.port_wishes import PortWishes
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.reporting.consequences import with_changes
from devinit.supervisor.stack.moves import Moves
from devinit.supervisor.stack.stack import Stack


class PortTaking:
    """The allocator of ports for the services of a stack."""

    def __init__(self, stack: Stack, moves: Moves) -> None:
        self._stack, self._stage, self._moves = stack, stack.stage, moves
        self._used: dict[str, int] = {}
        """Service that is being restarted → port of the running server that it found and used."""

    async def decide_ahead(
        self, project: Project, asking: Iterable[str], leaving: list[str], asked: PortWishes
    ) -> None:
        """Decide which ports services get once others have stopped, and take the ports that they move to.

        Raise PortQuestion when a client has to decide.
        """
        services, say = [project.services[name] for name in asking], from_thread(self._stage.note)
        try:
            await asyncio.to_thread(self._stage.ports.take_ahead, services, leaving, project, asked, say)
        except ConflictsFound as found:
            raise question_about(found, self._stage.with_services(project.services)) from None

    def remember_used(self, names: Iterable[str]) -> None:
        """Remember which running servers these services use, for their next start."""
        for name in names:
            if self._stack.is_wanted(name) and (service := self._stack.runners[name].service).is_reused:
                self._used[name] = reuse.port_of(service)

    def forget_used(self, name: str) -> None:
        """Let a service start without the server that it used before."""
        self._used.pop(name, None)

    async def take(self, names: list[str], asked: PortWishes) -> None:
        """Take the ports of services. Raise PortError, or PortQuestion when a client has to decide."""
        asked = replace(asked, used={name: self._used[name] for name in names if name in self._used})
        services = [self._stage.project.services[name] for name in names]
        say = from_thread(self._stage.note)
        try:
            granted = await asyncio.to_thread(
                self._stage.ports.take, services, self._stage.project, asked, say
            )
        except ConflictsFound as found:
            raise question_about(found, self._stage) from None
        for port in granted:
            self._moves.tell_port(port, asked.resolutions)
            if port.uses:
                self._use(port)
            elif before := asked.used.get(port.service):
                text = f"{port.service} used the server on {before} until now; it gets one of its own"
                self._stage.note(text, port.service)
        for name in names:
            self.forget_used(name)

    def _use(self, found: GrantedPort) -> None:
        """Let a service use the server that was found running on its port."""
        service = reuse.using(self._stage.project.services[found.service], found.port)
        self._stage.replace_service(service)
        self._stack.runners[service.name].service = service


def question_about(found: ConflictsFound, stage: ProjectState) -> PortQuestion:
    """Return the question about taken ports; it shows what each answer "move" would change."""
    return PortQuestion(
        str(found),
        hint="answer it at a terminal, or choose --on-conflict kill, move, reuse or fail",
        conflicts=[with_changes(each, stage) for each in found.conflicts],
    )

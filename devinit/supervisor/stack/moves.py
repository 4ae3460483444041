"""Changes of addresses while services run: a lost port, a port that a service chose itself, TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from devinit.errors import PortConflict, StateFileError
from devinit.kinds import kind_of
from devinit.model.names import service_of
from devinit.model.port import GrantedPort, Resolution
from devinit.model.service import Scheme, Service
from devinit.supervisor.events import from_thread
from devinit.supervisor.reporting import report
from devinit.supervisor.reporting.consequences import warning_of
from devinit.supervisor.stack.reactions import SERVING, Reactions
from devinit.supervisor.stack.restarts import restart_expected
from devinit.supervisor.stack.stack import Stack


class Moves:
    """Publisher of changed addresses; it restarts the services that were given an old one."""

    def __init__(self, stack: Stack, reactions: Reactions, tasks: asyncio.TaskGroup) -> None:
        self._stack, self._stage, self._reactions, self._tasks = stack, stack.stage, reactions, tasks
        self._followers: list[dict[str, None]] = []
        """For each order in progress: the services that are restarted because an address changed."""

    async def move(self, service: str, reason: str) -> GrantedPort:
        """Give up a service's port, take another one, and publish it. Raise PortError when no port is free."""
        wanted = self._stack.runners[service].service
        granted = await asyncio.to_thread(self._stage.ports.move, wanted, self._stage.project, reason)
        self._republish(granted)
        return granted

    async def follow(self, service: str, port: int) -> GrantedPort:
        """Adopt the port that a service chose itself. Raise PortError when the service may not have it."""
        request = self._stack.runners[service].service.port
        if request is None or request.strict:
            raise PortConflict(
                f"{service} listens on {port}, not on the port that it was given",
                hint="its command must use ${PORT}; or set the port that its code contains in devinit.toml",
            )
        say = from_thread(lambda text: self._stage.note(text, service))
        granted = await asyncio.to_thread(self._stage.ports.follow, request, port, self._stage.project, say)
        self._republish(granted)
        return granted

    async def speaks(self, name: str, scheme: Scheme) -> None:
        """Record the scheme that a service, or one of its further ports, was found to speak; publish the URL."""
        service = service_of(name)
        try:
            self._stage.speaks(name, scheme)
        except StateFileError as error:
            # The disk is full: the service is ready all the same.
            self._stage.note(error.message, service)
        self._stage.note(f"{name} speaks {scheme}: {self._stage.endpoint(name).url}", service)
        runner = self._stack.runners[service]
        runner.run.published_addresses = self._stage.addresses()
        self.restart_misinformed()
        if runner.phase in SERVING:
            self._reactions.announce(runner)

    def restart_misinformed(self) -> None:
        """Restart running services that were given addresses of others which have changed since."""
        addresses = self._stage.addresses()
        for name, runner in self._stack.runners.items():
            runs = runner.run.process is not None
            if not (runs and is_told_by_restart(runner.service)) or self._stack.is_returning(name):
                continue
            outdated_now = {
                other: runner.run.published_addresses[other]
                for other, address in addresses.items()
                if runner.run.published_addresses.get(other, address) != address
            }
            if outdated_now:
                self._stack.expect_back([name])
                for followers in self._followers:
                    followers[name] = None
                reason = report.reason_of_new_addresses(outdated_now, addresses)
                self._tasks.create_task(restart_expected(self._stack, name, reason))

    @contextmanager
    def followed(self) -> Iterator[Collection[str]]:
        """Yield the services that are restarted during this block because an address changed."""
        followers: dict[str, None] = {}
        self._followers.append(followers)
        try:
            yield followers.keys()
        finally:
            self._followers = [each for each in self._followers if each is not followers]

    def tell_port(self, granted: GrantedPort, answers: Sequence[Resolution] = ()) -> None:
        """Report to clients which port a service got, and what will not work on it."""
        self._stage.broadcaster.tell(report.port_event(granted))
        service = self._stage.project.services.get(granted.service)
        if service is not None and (text := warning_of(service, granted, answers)):
            self._stage.note(text, service.name)

    def _republish(self, granted: GrantedPort) -> None:
        """Publish a port that changed during a start."""
        self.tell_port(granted)
        self._stage.publish()
        # The service knows its own address: it chose the port, or is started again on it.
        self._stack.runners[granted.service].run.published_addresses = self._stage.addresses()
        self.restart_misinformed()


def is_told_by_restart(service: Service) -> bool:
    """Whether a restart tells a service the addresses of others: it is given them, and follows none itself."""
    return service.restart_on_move and is_given_addresses(service)


def is_given_addresses(service: Service) -> bool:
    """Return whether a service is given addresses of others.

    Databases are not; containers are when a template in `env` asks for one.
    """
    kind = kind_of(service)
    is_asked_for = kind.in_container and any("${" in text for text in service.env.values())
    return kind.takes_environment or is_asked_for

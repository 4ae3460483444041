"""Notes about database addresses that are constants in the services' code, which devinit cannot change.

A start prints them. The files are read only where that matters: when a database of the project is not on the usual
port of its kind, or when a service was found to be connected to another server.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from devinit.errors import ConfigError, DevinitError
from devinit.kinds import kind_of

if TYPE_CHECKING:
    from devinit.model.service import Service
    from devinit.sources.fixed.constant import Constant
    from devinit.supervisor.project.project_state import ProjectState
    from devinit.supervisor.stack.stack import Stack

log = logging.getLogger(__name__)


class FixedAddresses:
    """The server addresses that files in the services' folders contain as constants, as of the last reading."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._stage = stack, stack.stage
        self._read: dict[Path, tuple[Constant, ...]] = {}

    async def note(self, names: Iterable[str]) -> None:
        """Note which constants in started services name another port than that of the project's database."""
        self._read.clear()
        try:
            await self._note(names)
        except (OSError, RuntimeError, DevinitError):
            # No threads or descriptors are left, or a plug-in is missing: the start has succeeded all the same.
            log.warning("the code of the services cannot be looked at", exc_info=True)

    async def _note(self, names: Iterable[str]) -> None:
        moved = [each for each in self._stage.project.services.values() if self._is_elsewhere(each)]
        if not moved:
            return
        for service in self._programs(names):
            constants = await self.of(service)
            for text in self._notes(constants, service, moved):
                self._stack.note_once(text)

    async def of(self, service: Service) -> tuple[Constant, ...]:
        """Return the constants in the folder of a service."""
        folder = service.directory
        if folder not in self._read:
            self._read[folder] = await asyncio.to_thread(constants_in, self._stage.root, folder)
        return self._read[folder]

    def _programs(self, names: Iterable[str]) -> Iterator[Service]:
        """Yield, for each folder, one of the services that run a program of the developer."""
        services = self._stage.project.services
        chosen = (services[name] for name in names if name in services)
        yield from {each.directory: each for each in chosen if kind_of(each).runs_a_command}.values()

    def _is_elsewhere(self, service: Service) -> bool:
        kind = kind_of(service)
        port = self._stage.endpoint(service.name).port
        return bool(kind.programs) and port is not None and port != kind.default_port

    def _notes(
        self, constants: Iterable[Constant], service: Service, moved: Iterable[Service]
    ) -> Iterator[str]:
        from devinit.supervisor.diagnosis.named_ports import best_names, ports_meant  # brings patterns

        endpoints = {each.name: self._stage.endpoint(each.name) for each in moved}
        ports = {self._stage.endpoint(name).port for name in self._stage.project.services}
        for constant in constants:
            own = next((each for each in moved if each.provider == constant.kind), None)
            if own is None or constant.port in ports:
                continue
            given = given_to(service, self._stage)
            if constant.port in ports_meant(given):
                continue
            port = endpoints[own.name].port
            names = best_names(given, port) if port is not None else []
            advice = f": read {names[0]} there" if names else ""
            yield f"{said_of(constant, port)}, where {own.name} is{advice}"


def given_to(service: Service, stage: ProjectState) -> dict[str, str]:
    """Return the variables that a service is given beyond those of the shell; none when a file is unusable."""
    try:
        values = stage.environment_of(service)
    except ConfigError:
        return {}
    return {name: value for name, value in values.items() if stage.caller.get(name) != value}


def said_of(constant: Constant, port: int | None) -> str:
    """Describe what a constant names: "alembic.ini:3 names localhost:5432; nothing tells it 5433"."""
    place = f"{constant.evidence.file}:{constant.evidence.line}"
    return f"{place} names localhost:{constant.port}; nothing tells it {port}"


def constants_in(root: Path, folder: Path) -> tuple[Constant, ...]:
    """Return the servers that files of a folder name as constants. Blocking: reads up to 500 files."""
    from devinit.sources.fixed.stores import stores  # it brings a parser, which few starts need
    from devinit.system.bounds import bounds_of

    return tuple(stores(bounds_of(root), folder))

"""Keep discovery files true: write them when a service is ready, refresh them, and remove them when it stops."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from devinit.errors import StateFileError
from devinit.model.service import Endpoint, Project
from devinit.notify.discovery.file import for_process, remove_dead, remove_discovery, write_discovery
from devinit.notify.notifier import Address, Notifier, Surroundings
from devinit.system.writer import claimed_writer

if TYPE_CHECKING:
    import asyncio


class Announced(Struct, frozen=True):
    """The discovery files of one service that is ready."""

    paths: tuple[Path, ...]
    endpoint: Endpoint
    process_id: int


class DiscoveryFiles(Notifier):
    """The discovery files of one project."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._root = surroundings.root
        self._writer = claimed_writer(surroundings.state)
        self._tasks = surroundings.tasks
        self._note = surroundings.note
        self._announced: dict[str, Announced] = {}
        self._refreshing: asyncio.Task[None] | None = None
        """One task for all files, so that an idle supervisor wakes up once per interval; None without files."""
        self._seconds = 0.0
        self._problems: dict[Path, str] = {}
        """Path → the problem that was noted; the same one is not noted again every ten seconds."""

    def ready(self, address: Address, project: Project) -> None:
        """Write the discovery file of a service, and refresh it at the configured interval; 0 means never.

        With `discovery_per_process`, also write a file for its process, and remove those of processes that have
        ended.
        """
        endpoint, process_id = address.endpoint, address.process_id
        file = project.discovery.get(endpoint.service)
        if file is None:
            return
        self.gone(endpoint.service)
        path = self._root / file
        per_process = project.discovery_per_process
        paths = (path, for_process(path, process_id)) if per_process else (path,)
        self._announced[endpoint.service] = announced = Announced(paths, endpoint, process_id)
        self._write(announced)
        if per_process:
            remove_dead(self._root, path, now=time.time(), writer=self._writer)
        seconds = project.discovery_refresh_seconds
        if seconds != self._seconds:
            self.leave()
            self._seconds = seconds
        if seconds > 0 and self._refreshing is None:
            self._refreshing = self._tasks.create_task(self._refresh(seconds))

    def renew(self) -> None:
        """Write all files again: one may have been deleted (`git clean -fdX`)."""
        for announced in self._announced.values():
            self._write(announced)

    def gone(self, name: str) -> None:
        """Remove the files, because the service no longer listens there."""
        announced = self._announced.pop(name, None)
        if announced is not None and announced.endpoint.port is not None:
            for path in announced.paths:
                remove_discovery(
                    self._root,
                    path,
                    port=announced.endpoint.port,
                    process_id=announced.process_id,
                    writer=self._writer,
                )
        if not self._announced:
            self.leave()

    def leave(self) -> None:
        """Stop refreshing and leave the files: the services continue without this supervisor."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            self._refreshing = None

    async def _refresh(self, seconds: float) -> None:
        import asyncio  # commands that read discovery files load this package, and have no loop

        while True:
            await asyncio.sleep(seconds)
            self.renew()

    def _write(self, announced: Announced) -> None:
        endpoint, process_id = announced.endpoint, announced.process_id
        for path in announced.paths:
            try:
                write_discovery(
                    self._root,
                    path,
                    endpoint,
                    process_id=process_id,
                    now=time.time(),
                    writer=self._writer,
                )
            except StateFileError as error:
                if self._problems.get(path) != error.message:
                    self._problems[path] = error.message
                    self._note(f"{error.message}: clients of {endpoint.service} may not find it")
            else:
                self._problems.pop(path, None)

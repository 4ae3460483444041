"""Keep discovery files true: written when a service is ready, refreshed while it is, removed when it is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from devinit.errors import StateFileError
from devinit.model.service import Endpoint
from devinit.runtime.publish import remove_discovery, write_discovery


class Announced(Struct, frozen=True):
    """A file that speaks of a service that is ready."""

    path: Path
    endpoint: Endpoint
    process_id: int


class Discovery:
    """The discovery files of one project."""

    def __init__(self, tasks: asyncio.TaskGroup, note: Callable[[str], None]) -> None:
        self._tasks = tasks
        self._note = note
        self._announced: dict[str, Announced] = {}
        self._refreshing: dict[str, asyncio.Task[None]] = {}

    def announce(self, path: Path, endpoint: Endpoint, process_id: int, refresh_seconds: float) -> None:
        """Write the file now, and again every so many seconds; 0 leaves it at once."""
        self.withdraw(endpoint.service)
        announced = Announced(path, endpoint, process_id)
        self._announced[endpoint.service] = announced
        self._write(announced)
        if refresh_seconds > 0:
            self._refreshing[endpoint.service] = self._tasks.create_task(
                self._refresh(announced, refresh_seconds)
            )

    def withdraw(self, service: str) -> None:
        """Remove the file: nobody listens there any more."""
        refreshing = self._refreshing.pop(service, None)
        if refreshing is not None:
            refreshing.cancel()
        announced = self._announced.pop(service, None)
        if announced is not None and announced.endpoint.port is not None:
            remove_discovery(announced.path, port=announced.endpoint.port, process_id=announced.process_id)

    def leave(self) -> None:
        """Stop refreshing and leave the files: the services go on without us."""
        for refreshing in self._refreshing.values():
            refreshing.cancel()
        self._refreshing.clear()

    async def _refresh(self, announced: Announced, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            self._write(announced)

    def _write(self, announced: Announced) -> None:
        try:
            write_discovery(
                announced.path, announced.endpoint, process_id=announced.process_id, now=time.time()
            )
        except StateFileError as error:
            self._note(f"{error.message}: clients of {announced.endpoint.service} may not find it")

"""Keep the debug ports in an exported launch.json of VS Code up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from devinit.errors import StateFileError
from devinit.model.names import is_of_debugger
from devinit.model.service import Endpoint
from devinit.system.files import LARGEST_SETTINGS, read_text, write_atomically
from devinit.system.former import rights_of

LAUNCH = ".vscode/launch.json"


class LaunchFile:
    """The launch.json in its usual place; an edited one is left unchanged."""

    def __init__(self, root: Path, tasks: asyncio.TaskGroup, note: Callable[[str, str], None]) -> None:
        self._root, self._tasks, self._note = root, tasks, note
        self._path = root / LAUNCH
        self._turn = asyncio.Lock()

    def follow(self, service: str, further: Sequence[Endpoint]) -> None:
        """Update the debug ports of a service. `further`: the endpoints of all its extra ports."""
        ports = [each.port for each in further if each.port is not None and is_of_debugger(each.service)]
        if ports:
            self._tasks.create_task(self._write(service, ports))

    async def _write(self, service: str, ports: list[int]) -> None:
        async with self._turn:
            try:
                if await asyncio.to_thread(self._written, service, ports):
                    self._note(f"{LAUNCH} has its debug port {', '.join(map(str, ports))} now", service)
            except StateFileError as error:
                self._note(error.message, service)

    def _written(self, service: str, ports: list[int]) -> bool:
        there = read_text(self._path, inside=self._root, most=LARGEST_SETTINGS)
        if there is None:
            return False
        from devinit.exporters.vscode.moved_ports import with_ports  # few projects have such a file

        changed = with_ports(there, {service: ports})
        if changed is not None:
            write_atomically(self._path, changed, mode=rights_of(self._path), inside=self._root)
        return changed is not None

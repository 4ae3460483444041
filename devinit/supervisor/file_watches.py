"""The files of services that want to be restarted when they change, watched for as long as somebody wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from devinit.model.status import Phase
from devinit.supervisor.runner import Runner

Restart = Callable[[str, str], Awaitable[None]]
"""Restart a service for a reason."""
Note = Callable[[str, str], None]
"""Tell the developer something about a service."""


class FileWatches:
    """One watch for each service that has patterns and is wanted."""

    def __init__(self, tasks: asyncio.TaskGroup, restart: Restart, note: Note) -> None:
        self._tasks, self._restart, self._note = tasks, restart, note
        self._watching: dict[str, asyncio.Task[None]] = {}
        """Also those whose services turned out to change the files themselves: they have ended."""
        self._renewed: set[str] = set()
        """Services that are just being restarted because of their files."""

    def follow(self, runner: Runner) -> None:
        """Begin or end a watch, as the phase of its service demands."""
        name, watching = runner.name, self._watching.get(runner.name)
        if runner.phase is Phase.STOPPED:
            # A restart by somebody else begins anew: with other patterns perhaps, and another chance.
            if watching is not None and name not in self._renewed:
                self._watching.pop(name).cancel()
        elif runner.service.watch and watching is None:
            from devinit.supervisor.watching import watch  # for those who watch

            service = runner.service
            self._watching[name] = self._tasks.create_task(
                watch(
                    service.directory,
                    service.watch,
                    lambda reason: self._renew(name, reason),
                    lambda text: self._note(f"{name}: {text}", name),
                )
            )

    async def _renew(self, name: str, reason: str) -> None:
        self._renewed.add(name)
        try:
            await self._restart(name, reason)
        finally:
            self._renewed.discard(name)

"""Watches on files whose changes restart a service; each lasts as long as its service is wanted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from devinit.model.status import Phase
from devinit.supervisor.service.runner import Runner

Restart = Callable[[str, str], Awaitable[None]]
"""Restart a service for a reason."""
Note = Callable[[str, str], None]
"""Show the developer a note about a service."""


class FileWatches:
    """The watches of a project: one for each service that has patterns and is wanted."""

    def __init__(self, root: Path, tasks: asyncio.TaskGroup, restart: Restart, note: Note) -> None:
        self._root, self._tasks, self._restart, self._note = root, tasks, restart, note
        self._watching: dict[str, asyncio.Task[None]] = {}
        self._renewed: set[str] = set()
        """Services that are being restarted because their files changed."""

    def follow(self, runner: Runner) -> None:
        """Begin or end the watch of a service, as its phase demands."""
        name, watching = runner.name, self._watching.get(runner.name)
        if runner.phase is Phase.STOPPED:
            # After a restart for another reason, a new watch begins, perhaps with other patterns.
            if watching is not None and name not in self._renewed:
                self._watching.pop(name).cancel()
                runner.watch_condition = None
        elif runner.service.watch and watching is None:
            from devinit.supervisor.files.watching import watch  # only services with `watch` need it

            service = runner.service
            watched = _Watched(runner, self._renew, self._note)
            files = watch(service.directory, self._root, service.watch, watched)
            self._watching[name] = self._tasks.create_task(files)

    async def _renew(self, name: str, reason: str) -> None:
        self._renewed.add(name)
        try:
            await self._restart(name, reason)
        finally:
            self._renewed.discard(name)


class _Watched:
    """A service as its watch sees it."""

    def __init__(self, runner: Runner, restart: Restart, note: Note) -> None:
        self._runner, self._restart, self._note = runner, restart, note

    async def restart(self, reason: str) -> None:
        """Start the service again."""
        await self._restart(self._runner.name, reason)

    def up_seconds(self) -> float | None:
        """Return how long the service has been up, or has been failed; None while it is starting."""
        state = self._runner.state
        match state.phase:
            case Phase.READY | Phase.UNHEALTHY if state.ready_at is not None:
                return time.monotonic() - state.ready_at
            case Phase.FAILED | Phase.EXITED:
                return self._runner.history.in_phase_seconds
        # A stuck service waits until its code is fixed, so a changed file counts as the fix at once.
        return float("inf") if state.stuck is not None else None

    def show(self, condition: str | None) -> None:
        """Set the problem with the watch that `status` and `why` show; None clears it."""
        self._runner.watch_condition = condition

    def note(self, text: str) -> None:
        """Show the developer a note, once."""
        self._note(f"{self._runner.name}: {text}", self._runner.name)

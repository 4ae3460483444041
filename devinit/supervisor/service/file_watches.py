"""Watches on files whose changes restart a service; each lasts as long as its service is wanted.

A reloader may end with the program that a save has broken (hypercorn, `gunicorn --reload`, Flask). Its code
is then watched until it is saved again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from devinit.model.service import RestartMode
from devinit.model.status import Phase
from devinit.supervisor.diagnosis.workers import reloads
from devinit.supervisor.lifecycle import Failure
from devinit.supervisor.service.runner import Runner
from devinit.system.changes import have_changed_since

CODE = tuple(
    f"**/*.{suffix}"
    for suffix in (
        "py",
        "js",
        "cjs",
        "mjs",
        "jsx",
        "ts",
        "cts",
        "mts",
        "tsx",
        "rb",
        "php",
        "go",
        "rs",
        "java",
        "kt",
    )
)
"""What a reloader watches, whatever its language is."""
BELIEVED_SECONDS = 60.0
"""So often a reloader is started again at most for what was saved while its program ended."""
UNSEEN_SECONDS = (0.0, 1.0)
"""When it is looked for that: before the watch begins, and when it has begun, which takes 0.1 s when idle."""
SAVED = "its code was saved while it ended"
AWAITED = "it is started again when its code is saved"

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
        self._awaiting: dict[str, asyncio.Task[None]] = {}
        """Of reloaders that have ended: the wait until their code is saved."""
        self._believed: dict[str, float] = {}
        """When they were started again last for what was saved during their last run, in monotonic seconds."""

    def follow(self, runner: Runner) -> None:
        """Begin or end the watch of a service, as its phase demands."""
        name, watching = runner.name, self._watching.get(runner.name)
        self._await_fix(runner)
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

    def _await_fix(self, runner: Runner) -> None:
        """Begin or end the wait for the fix of a reloader that has ended."""
        name, is_over = runner.name, runner.phase is not Phase.FAILED
        if is_over and name in self._awaiting and name not in self._renewed:
            self._awaiting.pop(name).cancel()
        elif name not in self._awaiting and has_ended_with_its_program(runner):
            self._awaiting[name] = self._tasks.create_task(self._until_fixed(runner))

    async def _until_fixed(self, runner: Runner) -> None:
        from devinit.supervisor.files.watching import watch  # as above

        service, name = runner.service, runner.name
        fix = _Fix(runner, self._renew, self._note)
        watching = self._tasks.create_task(watch(service.directory, self._root, CODE, fix))
        try:
            for seconds in UNSEEN_SECONDS:
                await asyncio.wait([fix.reason], timeout=seconds)
                if not fix.reason.done() and await self._was_saved_meanwhile(runner):
                    await fix.restart(SAVED)
            reason = await fix.reason
        finally:
            watching.cancel()
            runner.watch_condition = None
        await self._renew(name, reason)
        if self._awaiting.get(name) is asyncio.current_task():
            del self._awaiting[name]

    async def _was_saved_meanwhile(self, runner: Runner) -> bool:
        """Whether code was saved after the last run began. A program that writes some itself is believed once."""
        began, now = runner.state.spawned_at, time.monotonic()
        if began is None or now - self._believed.get(runner.name, float("-inf")) < BELIEVED_SECONDS:
            return False
        at, folders = time.time() - (now - began), [str(runner.service.directory)]
        if is_saved := await asyncio.to_thread(have_changed_since, at, folders, CODE):
            self._believed[runner.name] = now
        return is_saved

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


class _Fix(_Watched):
    """A reloader that has ended, as the watch of its code knows it."""

    def __init__(self, runner: Runner, restart: Restart, note: Note) -> None:
        super().__init__(runner, restart, note)
        self.reason: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Which file was saved."""
        self.show(None)

    async def restart(self, reason: str) -> None:
        """Have it started again, once."""
        if not self.reason.done():
            self.reason.set_result(reason)

    def show(self, condition: str | None) -> None:
        """Set what `status` and `why` show: what it waits for, or why that is not seen."""
        super().show(condition or AWAITED)


def has_ended_with_its_program(runner: Runner) -> bool:
    """Whether a service has failed whose program would load its code again if it ran."""
    state, service = runner.state, runner.service
    if runner.phase is not Phase.FAILED or state.failure is not Failure.EXIT or not runner.is_program:
        return False
    if service.watch or service.restart.mode is RestartMode.NEVER:
        return False
    return reloads(service.command or "", runner.output.first_lines())

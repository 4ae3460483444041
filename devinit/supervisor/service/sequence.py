"""Carry out the decisions of a lifecycle in order, action by action.

A later decision interrupts a wait that has become pointless (for a probe, a delay, a set-up), but never the ending
of a process tree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from devinit.supervisor import lifecycle
from devinit.supervisor.lifecycle import Action

INTERRUPTIBLE = (lifecycle.Prepare, lifecycle.AwaitReady, lifecycle.LookAfter, lifecycle.Wait)

Do = Callable[[Action], Awaitable[None]]
Failed = Callable[[Action, Exception], None]
"""Called when an action failed; the rest of its decision is not carried out."""


class Sequence:
    """The actions of one service, of which at most one is running."""

    def __init__(self, tasks: asyncio.TaskGroup, do: Do, failed: Failed) -> None:
        self._tasks, self._do, self._failed = tasks, do, failed
        self._last: asyncio.Task[None] | None = None
        self._doing: tuple[asyncio.Task[None], Action] | None = None
        self._decisions = 0
        """Number of decisions begun so far; it identifies the decision that counts."""

    def begin(self, actions: tuple[Action, ...]) -> None:
        """Carry out these actions after the running one, which is interrupted if it only waits."""
        self._interrupt()
        self._decisions += 1
        self._last = self._tasks.create_task(self._carry_out(actions, self._decisions, self._last))

    def end(self) -> Callable[[], Awaitable[None]]:
        """Return a function that waits for the end of everything begun until now."""
        last = self._last

        async def wait() -> None:
            if last is not None and not last.done():
                await asyncio.wait([last])

        return wait

    async def idle(self) -> None:
        """Return when no action is running any more, including actions that begin meanwhile."""
        while self._last is not None and not self._last.done():
            await asyncio.wait([self._last])

    def _interrupt(self) -> None:
        """Cancel a wait that has become pointless. Cancel only once, since it may be cleaning up already."""
        if self._doing is None:
            return
        task, action = self._doing
        ours = task is asyncio.current_task()
        if isinstance(action, INTERRUPTIBLE) and not ours and not task.cancelling():
            task.cancel()

    async def _carry_out(
        self, actions: tuple[Action, ...], decision: int, previous: asyncio.Task[None] | None
    ) -> None:
        if previous is not None and not previous.done():
            await asyncio.wait([previous])
        for action in actions:
            if decision != self._decisions and not isinstance(action, lifecycle.EndTree):
                # A later decision waits for us, so the rest of this one is pointless. Processes are ended all the
                # same, because the later decision may start new ones.
                continue
            self._doing = current_task(), action
            try:
                await self._do(action)
            except Exception as error:  # noqa: BLE001  the lifecycle gets it, and decides what follows
                self._failed(action, error)
                return
            finally:
                self._doing = None


def current_task() -> asyncio.Task[None]:
    """Return the task that calls this."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  only coroutines ask
    return task

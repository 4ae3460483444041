"""End a service: ask all of its processes, wait for the last one, and only then insist."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from devinit.model.process import ProcessIdentity
from devinit.model.service import StopPolicy
from devinit.system.processes import Process, ProcessTable

KILL_SECONDS = 5.0
"""How long the last signal may take; after that the kernel itself is stuck (a dead network disk)."""


class Lookout:
    """Walks through /proc once for all who ask in the same turn of the loop, as many that are stopped do."""

    def __init__(self) -> None:
        self._next: asyncio.Future[ProcessTable] | None = None

    async def table(self) -> ProcessTable:
        """Return all processes as they are at a moment after this was asked."""
        if self._next is None:
            loop = asyncio.get_running_loop()
            self._next = loop.create_future()
            loop.call_soon(self._look, self._next)
        return await asyncio.shield(self._next)

    def _look(self, asked: asyncio.Future[ProcessTable]) -> None:
        self._next = None
        try:
            asked.set_result(ProcessTable())
        except OSError as error:
            asked.set_exception(error)


async def end_tree(
    root: ProcessIdentity | None,
    marker: str | None,
    policy: StopPolicy,
    say: Callable[[str], None],
    lookout: Lookout | None = None,
) -> list[int]:
    """End every process of a service and return those that are still there, normally none.

    The tree is read again after each wait: while it dies, a process may still start another one.
    """
    lookout = lookout or Lookout()

    async def members_now() -> list[ProcessIdentity]:
        return (await lookout.table()).members_of(root, marker)

    clock = asyncio.get_running_loop().time
    asked = signal.Signals[f"SIG{policy.signal}"]
    insist = signal.SIGKILL if policy.kill else signal.SIGQUIT
    for number, seconds in ((asked, policy.grace_seconds), (insist, KILL_SECONDS)):
        deadline = clock() + seconds
        signalled: set[ProcessIdentity] = set()
        while members := await members_now():
            if clock() >= deadline:
                break
            with opened(members) as processes:
                for process in processes:
                    if process.identity not in signalled:
                        signalled.add(process.identity)
                        ask(process, number)
                await wait_for_exit(processes, deadline - clock())
        if not members:
            return []
        if number is asked:
            pids = ", ".join(str(member.pid) for member in members)
            say(f"still running after {seconds:g} s: {pids}; sending {insist.name}")
    return [member.pid for member in await members_now()]


def ask(process: Process, number: signal.Signals) -> None:
    """Signal a process; one that became another user's (sudo) stays, and is told as still there."""
    with suppress(PermissionError):
        process.send(number)
        # A stopped process takes no TERM before it is continued.
        process.send(signal.SIGCONT)


@contextmanager
def opened(identities: list[ProcessIdentity]) -> Iterator[list[Process]]:
    """Hold these processes so that none is confused with a later one; those that are gone are left out."""
    with ExitStack() as stack:
        found = (Process.open(identity) for identity in identities)
        yield [stack.enter_context(process) for process in found if process is not None]


async def wait_for_exit(processes: list[Process], seconds: float) -> None:
    """Return when all of them have ended, or when the time is over."""
    try:
        async with asyncio.timeout(seconds):
            for process in processes:
                await exit_of(process)
    except TimeoutError:
        return


async def exit_of(process: Process) -> None:
    """Return when a process has ended. Wakes by its pidfd; nothing is polled."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    descriptor = process.fileno()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)

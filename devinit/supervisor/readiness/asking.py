"""Ask a service once, and find out of a server that listens whether a process serves it yet.

The kernel connects clients as soon as a server listens. A server whose workers load the application listens
before they do (gunicorn, Puma, Flask's reloader), and no process accepts a connection meanwhile. Some servers
accept late or never without loading anything, so what counts is what the service does while a connection waits.
"""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from devinit.model.probe import Probe, ProbeResult, ProbeVerdict, TcpProbe
from devinit.supervisor.readiness.probing import NOTHING_LISTENS, attempt, check, intervals, not_yet, ready
from devinit.supervisor.readiness.rest import wants_little
from devinit.system.connections import waiting_clients
from devinit.system.listeners import holders_of, tcp_listeners
from devinit.system.usage import wanted_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinit.supervisor.readiness.subject import Subject

NOT_ACCEPTED = "it listens, but no process accepts the connections"
SOON_SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008)
"""A server that waits for clients accepts one within that time."""
FIRST_LOOK_SECONDS = 0.05
"""Over this time it is measured at first how much of a CPU a service wants ..."""
LOOK_SECONDS = 0.5
"""... and over this time later."""
ALONE_SECONDS = 0.05
"""A process that has its listener to itself and rests for so long loads nothing."""
SHARED_SECONDS = 10.0
"""A listener that several processes have is that of a server with workers: these may wait for a database, too."""
BUSY_SECONDS = 10.0
"""A process that has its listener to itself and is busy for so long is at work."""


class Saw(Protocol):
    """Takes what an attempt saw, and the status of an HTTP answer."""

    def __call__(self, detail: str, answer: int | None = None) -> None:
        """Take notice."""
        ...


async def ask(subject: Subject, seconds: float, saw: Saw) -> ProbeResult:
    """Carry the probe out once, in so many seconds."""
    # An engine may have the kernel send connections on to its container.
    is_own = subject.port is not None and subject.published is None
    if not subject.was_ready:
        return await first_asked(subject.probe, subject, saw, seconds, is_own=is_own)
    # Each attempt would stay in the queue until the process accepts it.
    if subject.port is not None and waiting_clients(subject.port):
        return not_yet(NOT_ACCEPTED)
    return await check(subject.probe, subject.run_command, seconds, subject.read_output, is_own=is_own)


async def first_asked(
    probe: Probe, subject: Subject, saw: Saw, seconds: float | None = None, *, is_own: bool
) -> ProbeResult:
    """Carry out a probe of a service that was not ready yet: a process has to accept connections to its port."""
    result = await attempt(probe, subject.run_command, subject.read_output, seconds, is_own=is_own)
    if result.verdict is not ProbeVerdict.READY or not (is_own and isinstance(probe, TcpProbe)):
        return result
    queue = Queue(probe.port)
    if not await queue.is_served(sum(SOON_SECONDS)):
        await until_served(subject, queue, saw)
    return ready() if tcp_listeners(probe.port) else not_yet(NOTHING_LISTENS)


class Queue:
    """The connections to a port that wait until a process accepts them."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._waiting = waiting_clients(port)

    async def is_served(self, seconds: float) -> bool:
        """Whether a process accepts one of the connections within so many seconds; True if none waits."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        for interval in chain(SOON_SECONDS, intervals()):
            before, self._waiting = self._waiting, waiting_clients(self.port)
            if not self._waiting or self._waiting < before:
                return True
            if (left := end - clock()) <= 0:
                return False
            await asyncio.sleep(min(interval, left))
        return False


async def until_served(subject: Subject, queue: Queue, saw: Saw) -> None:
    """Return when a process accepts a connection, or when it is clear that none of them is loading its code."""
    clock = asyncio.get_running_loop().time
    began, rested, is_shared = clock(), 0.0, False
    seconds = FIRST_LOOK_SECONDS
    while not is_patience_over(clock() - began, rested, is_shared=is_shared):
        pids, before = subject.pids(), clock()
        is_shared = is_shared or has_several_holders(queue.port, pids)
        used = wanted_seconds(pids)
        if await queue.is_served(seconds):
            return
        took = clock() - before
        is_at_rest = wants_little(wanted_seconds(subject.pids()) - used, took)
        # A reloader whose program has crashed is at rest, too.
        rested = rested + took if is_at_rest and not subject.is_stuck() else 0.0
        if clock() - began >= LOOK_SECONDS:
            saw(NOT_ACCEPTED)
            seconds = LOOK_SECONDS
    if clock() - began >= min(SHARED_SECONDS, BUSY_SECONDS):
        subject.note(
            f"counts as ready although no process has accepted a connection to {queue.port} for "
            f"{clock() - began:.0f} s; with `ready.http` its program would be asked"
        )


def is_patience_over(waited: float, rested: float, *, is_shared: bool) -> bool:
    """Whether a service that accepts no connections is not waited for any longer.

    `waited`: since it was seen to listen; `rested`: for how long it has wanted no CPU, both in seconds.
    `is_shared`: whether several of its processes have the listener.
    """
    return rested >= SHARED_SECONDS if is_shared else rested >= ALONE_SECONDS or waited >= BUSY_SECONDS


def has_several_holders(port: int, pids: Sequence[int]) -> bool:
    """Whether several of these processes have a socket that listens on the port."""
    found = holders_of({one.inode for one in tcp_listeners(port)}, pids)
    return any(len(set(holders) & set(pids)) > 1 for holders in found.values())

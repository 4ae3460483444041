"""Whether a service without a port is at rest: it uses little CPU, like a worker that waits for work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from devinit.system.usage import wanted_seconds

MEASURED_SECONDS = 0.5
"""Over this time it is measured how much of a CPU a worker wants."""
LOADING_SHARE = 0.25
"""Loading code takes a whole CPU, or waits for one; a worker that waits for work takes some hundredths."""
STAYING_SECONDS = 0.25
"""How often a program that is started after each end is looked at, until a run lasts."""
STARTED_AGAIN = "its program has ended by itself, and was started again a moment ago"
BUSY_SECONDS = 5.0
"""A service that wants a CPU for so long is at work: few programs load their code for longer."""


async def until_at_rest(
    seconds: float,
    pids: Callable[[], Iterable[int]],
    saw: Callable[[str], None],
    stays: Callable[[], bool] = lambda: True,
) -> None:
    """Return when a service has stayed up for so many seconds and is at rest, or is seen to be at work.

    `stays`: whether its program has, which may be started again and again.
    """
    clock = asyncio.get_running_loop().time
    began = before = clock()
    used = wanted_seconds(pids())
    at_rest = False
    while not stays() or (
        not (at_rest and clock() - began >= seconds) and clock() - began < max(BUSY_SECONDS, seconds)
    ):
        await asyncio.sleep(MEASURED_SECONDS)
        now, wanted = clock(), wanted_seconds(pids())
        at_rest = wants_little(wanted - used, now - before)
        before, used = now, wanted
        saw("it has no port to be asked at" if at_rest else "it is loading its code, or busy")


async def until_staying(stays: Callable[[], bool], saw: Callable[[str], None]) -> None:
    """Return when the program of a service that is started after each end has stayed up for a while."""
    while not stays():
        saw(STARTED_AGAIN)
        await asyncio.sleep(STAYING_SECONDS)


def wants_little(wanted: float, seconds: float) -> bool:
    """Return whether processes that wanted a CPU for so long, within this time, are at rest.

    `wanted` is negative when a process has ended meanwhile: what began in its place is loading.
    """
    return 0.0 <= wanted < LOADING_SHARE * seconds

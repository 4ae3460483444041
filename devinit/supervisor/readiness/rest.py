"""Whether a service without a port is at rest: it uses little CPU, like a worker that waits for work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from devinit.system.usage import wanted_seconds

MEASURED_SECONDS = 0.5
"""Seconds over which the CPU demand of a worker is measured."""
LOADING_SHARE = 0.25
"""Loading code takes a whole CPU, or waits for one; a worker that waits for work takes a few hundredths."""
STAYING_SECONDS = 0.25
"""Seconds between looks at a program that is started after each end, until a run lasts."""
STARTED_AGAIN = "its program has ended by itself, and was started again a moment ago"
BUSY_SECONDS = 5.0
"""A service that wants a CPU for so long is working: few programs load their code for longer."""


async def until_at_rest(
    seconds: float,
    pids: Callable[[], Iterable[int]],
    saw: Callable[[str], None],
    stays: Callable[[], bool] = lambda: True,
) -> None:
    """Return when a service has stayed up for so many seconds and is at rest, or proves to be working.

    `stays`: whether its program has stayed up, since it may be started repeatedly.
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

    `wanted` is negative when a process has ended meanwhile: its successor is loading.
    """
    return 0.0 <= wanted < LOADING_SHARE * seconds

"""Detect that a ready service no longer serves although its process lives: its program crashed under a reloader.

A traceback in the log of a ready service proves nothing, since each failing request may print one. So the output
only shows when to look, and the cause. The proof is in processes and sockets: the worker is dead, or nothing
listens on the port. A service that has begun another run and is quiet then is tested for whether it accepts a
connection: a module that never finishes loading prints nothing. While the log does not grow, nothing wakes up.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

from msgspec import Struct

from devinit.model.probe import ProbeVerdict, TcpProbe
from devinit.supervisor.diagnosis.causes import begins_again, ended_by, of_last_run, stuck_by
from devinit.supervisor.diagnosis.listening import (
    LINES,
    LOOK_SECONDS,
    Ears,
    Finding,
    Sign,
    found_again,
    found_crashed,
    found_dead,
    lost_worker,
)
from devinit.supervisor.diagnosis.respawns import end_of
from devinit.supervisor.diagnosis.workers import DeadWorker
from devinit.supervisor.readiness.probing import check, no_command
from devinit.system.listeners import tcp_listeners

CONFIRM_SECONDS = 3.0
"""How long a ready service may take to answer a check."""
QUIET_SECONDS = 2.5
"""Seconds of silence after which a look is complete: a worker may take a while between its last words and its
end.
"""
EAGER_SECONDS = 10.0
"""Seconds after which a service that goes on printing is looked at less often."""
LONG_LOOK_SECONDS = 1.0
NOISY_SECONDS = 5.0
"""Seconds between checks of a service that goes on printing: its reloader may restart it endlessly."""


class Silence(Struct, frozen=True):
    """The observation of a service that no longer serves and prints no cause: it may still be loading."""

    detail: str


async def until_down(
    ears: Ears, grown: asyncio.Event, ask: Callable[[int], Awaitable[str | None]]
) -> Finding | Silence:
    """Return what is wrong with a ready service as soon as it is proven to be down.

    `grown`: set when its log has grown. `ask`: called with the previous end of the log once the service is quiet,
    and repeatedly while it is not; returns the observation of a service that does not serve, None if it serves.
    """
    end = ears.size()
    while True:
        await grown.wait()
        grown.clear()
        began, is_quiet = asyncio.get_running_loop().time(), False
        while not is_quiet:
            found, is_quiet = await _look_for_a_while(ears, began)
            if found is not None:
                return found
            before, end = end, ears.size()
            if detail := await ask(before):
                return Silence(detail)


async def silence_of(service: str, probe: TcpProbe, printed: str) -> str | None:
    """Return the observation of a ready service that does not serve, after it printed this and is quiet.

    Return None if it serves. It is asked only when its program was started again, and without a request: the
    service would print the request, and that output would cause the next check.
    """
    if not tcp_listeners(probe.port):
        return loading(service, f"nothing listens on port {probe.port} any more")
    if not begins_again(printed.splitlines()):
        return None
    result = await check(probe, no_command, CONFIRM_SECONDS, is_own=True)
    return None if result.verdict is ProbeVerdict.READY else loading(service, result.detail)


def loading(service: str, seen: str) -> str:
    """Describe a service that no longer serves, with advice for the case that it does not recover by itself."""
    return (
        f"{seen}: it may be loading or busy\n"
        f"it is ready again when it answers; `devinit restart {service}` ends a program that never gets that far"
    )


def down_by(ears: Ears) -> Finding | None:
    """Return what is wrong with a ready service, if its processes and sockets prove that it is down now."""
    return found_down(ears, ears.last_lines(LINES))


def found_down(ears: Ears, lines: list[str]) -> Finding | None:
    """Return the same for a service with these last lines."""
    try:
        if again := ears.respawns():
            return found_again(again)
        if worker := lost_worker(ears, lines):
            return _found_dead(worker, of_last_run(lines))
        if dying := ears.dying(lines):
            return Finding(Sign.WORKERS, dying)
        listens = ears.listens()
    except OSError:
        # No descriptors are left: what cannot be examined now is no proof.
        return None
    if listens is True:
        return None
    run = of_last_run(lines)
    # Without a port, its processes have to prove what its output shows. tsx prints nothing when its program ends.
    gone = ears.dead_worker(lines) if listens is None else None
    if gone is not None and gone.status is None:
        cause = end_of(lines)
    else:
        cause = ended_by(run) if listens is None and gone is None else stuck_by(run)
    return found_crashed(cause, run) if cause else None


def _found_dead(worker: DeadWorker, lines: list[str]) -> Finding:
    """Return why a worker died. If a signal ended it, its last lines may be old ones."""
    if worker.status is not None and os.waitstatus_to_exitcode(worker.status) < 0:
        return found_dead(worker, [])
    cause = stuck_by(lines)
    return found_crashed(cause, lines) if cause else found_dead(worker, lines)


async def _look_for_a_while(ears: Ears, began: float) -> tuple[Finding | None, bool]:
    """Look until the service is quiet, or for `NOISY_SECONDS`; return the finding, and whether it is quiet.

    A finding must be made twice in a row, because a reload passes through such states. `began`: when its log began
    to grow, in loop time.
    """
    clock = asyncio.get_running_loop().time
    here = since = clock()
    size, lines = -1, list[str]()
    before: Finding | None = None
    while (now := clock()) - since < QUIET_SECONDS:
        if now - here >= NOISY_SECONDS:
            return None, False
        if (size_now := ears.size()) != size:
            size, since, lines = size_now, now, ears.last_lines(LINES)
        found = found_down(ears, lines)
        if found is not None and found == before:
            return found, True
        before = found
        await asyncio.sleep(LOOK_SECONDS if now - began < EAGER_SECONDS else LONG_LOOK_SECONDS)
    return None, True

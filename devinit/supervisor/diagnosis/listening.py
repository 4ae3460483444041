"""Detect that a starting service cannot come up by itself, long before its time is over.

`uvicorn --reload`, nodemon, `nest start --watch` and air live on after a crash and wait for a change; Next.js and
SvelteKit answer every request with 500; the workers of a server die one after the other. A start that waits for
such a service ends at once, with the cause. The service runs on, and becomes ready when the file is saved.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from devinit.supervisor.diagnosis.causes import (
    LONGEST_CAUSE,
    cause_of,
    dying_by,
    of_last_run,
    own_lines,
    stuck_by,
    worker_words,
)
from devinit.supervisor.diagnosis.own_words import with_last_line
from devinit.supervisor.diagnosis.workers import DeadWorker, said_of
from devinit.supervisor.lifecycle import Moving, Stuck

LOOK_SECONDS = 0.25
WORKER_LOOK_SECONDS = 1.0
"""Seconds between looks at the processes of a silent service: each costs a few reads of /proc."""
SILENT_SECONDS = 2.0
"""A program whose last words were about its end, and that has been silent for so long, does not recover by
itself.
"""
LINES = 80
"""Lines of output that are examined: the longest traceback of a framework."""

ABOVE = 3
"""How many of the last lines may contain the message of a reloader that waits: an empty line may follow."""
BROKEN = 500
"""The status of a page that failed. 502 to 504 often mean "not yet", so they wait for the deadline."""


class Sign(StrEnum):
    """The evidence that a service cannot come up, and how long it must persist."""

    LAST_WORDS = "last words"
    """Its output ends with a crash, and nothing follows for a while."""
    ANSWER = "answer"
    """It answers 500 and prints why, for a while, however much it prints meanwhile."""
    WORKERS = "workers"
    """Its workers die repeatedly, and it prints that, for a while."""
    DEAD_WORKER = "dead worker"
    """Its worker ended without a message about that, and its output has been silent since."""
    INPUT = "input"
    """It waits for input, and its output has been silent since."""


AGAIN = "its reloader starts it again and again"
OF_SILENCE = (Sign.DEAD_WORKER, Sign.INPUT)
REMEDY = {
    Sign.LAST_WORDS: "it runs and waits for a change: it becomes ready when that is fixed",
    Sign.ANSWER: f"it runs and answers {BROKEN}: it becomes ready when that is fixed",
    Sign.WORKERS: "it runs and goes on starting workers: it becomes ready when that is fixed",
    Sign.DEAD_WORKER: "it runs and waits for a change: it becomes ready when that is fixed",
    Sign.INPUT: "it becomes ready when that is answered: `devinit attach`",
}
NODE_WATCH = r"^(?:Failed|Completed) running '"
"""The last lines of `node --watch`. It watches the files that it has loaded by their inodes: a file that was
replaced, or removed and created again, no longer wakes it (measured with Node 20).
"""
NODE_REMEDY = (
    "it runs and waits for a change; node --watch misses a file that was replaced or is back: "
    "`devinit restart` then"
)

TSX_REMEDY = (
    "it runs on; tsx watch begins no program after one that a signal has ended: `devinit restart` does"
)


class Finding(Struct, frozen=True):
    """The problem with a service that lives, and its evidence."""

    sign: Sign
    cause: str
    remedy: str = ""
    """What happens to the service next, where the text for its sign does not apply."""

    def told(self) -> Stuck:
        """Return the finding as an event for the lifecycle."""
        return Stuck(f"{self.cause}\n{self.remedy or REMEDY[self.sign]}")


class Ears(Struct, frozen=True, kw_only=True):
    """The sources of a service's signs of life."""

    size: Callable[[], int]
    """Returns how much it has printed so far, in bytes."""
    last_lines: Callable[[int], list[str]]
    answer: Callable[[], int | None] = lambda: None
    """Returns the status of its last HTTP answer, if that was refused."""
    dead_worker: Callable[[list[str]], DeadWorker | None] = lambda _lines: None
    """Returns the worker that its reloader has lost, if its last lines and its processes show one."""
    listens: Callable[[], bool | None] = lambda: None
    """Returns whether anything listens on its port; None without a port."""
    asks: Callable[[], Finding | None] = lambda: None
    """Returns the input for which it waits."""
    dying: Callable[[list[str]], str | None] = dying_by
    """Returns why its workers die repeatedly, if its last lines and its processes show that."""
    respawns: Callable[[], str | None] = lambda: None
    """Returns why its program ends, if a reloader restarts it repeatedly."""


def lost_worker(ears: Ears, lines: list[str]) -> DeadWorker | None:
    """Return the worker that a reloader has lost; without a port, only one that cannot have ended well."""
    worker = ears.dead_worker(lines)
    if worker is not None and worker.status is None:
        return worker if ears.listens() is False else None
    return worker if worker is not None and (worker.status or ears.listens() is not None) else None


def found_in(lines: list[str], answer: int | None) -> Finding | None:
    """Return the problem that the last lines of a service and its last answer show, if it is certain.

    Lines above the last reload are about a file that has changed since.
    """
    if dying := dying_by(lines):
        return Finding(Sign.WORKERS, dying)
    run = of_last_run(lines)
    if answer == BROKEN and (cause := cause_of(run)):
        return Finding(Sign.ANSWER, cause)
    if cause := stuck_by(run):
        return found_crashed(cause, run)
    return None


def found_again(cause: str) -> Finding:
    """Return the problem with a service whose reloader restarts its program after each end."""
    return Finding(Sign.WORKERS, f"{AGAIN}: {cause}")


def found_crashed(cause: str, lines: list[str]) -> Finding:
    """Return the problem with a service whose output ends with a crash."""
    remedy = NODE_REMEDY if any(re.match(NODE_WATCH, line) for line in lines[-ABOVE:]) else ""
    return Finding(Sign.LAST_WORDS, cause, remedy)


def found_dead(worker: DeadWorker, lines: list[str]) -> Finding:
    """Return what is wrong with a service whose worker ended: how, and its last words."""
    if not worker.is_replaced:
        return Finding(Sign.DEAD_WORKER, said_of(worker), TSX_REMEDY)
    if words := worker_words(lines):
        return Finding(Sign.DEAD_WORKER, f"{said_of(worker)}: {words}")
    return Finding(Sign.DEAD_WORKER, with_last_line(said_of(worker), own_lines(lines))[:LONGEST_CAUSE])


async def listen(
    ears: Ears,
    say: Callable[[str], None],
    tell: Callable[[Stuck | Moving], None],
    known: Finding | None = None,
) -> None:
    """Report when the service cannot come up by itself, and when it makes progress again after all.

    `known`: a problem that is known already.
    """
    clock = asyncio.get_running_loop().time
    since = looked = clock()
    seen = (ears.size(), ears.answer(), ears.respawns()) if known else None
    found, told = known, known is not None
    while True:
        now, before = clock(), found
        if (now_seen := (ears.size(), ears.answer(), ears.respawns())) != seen:
            seen, again = now_seen, now_seen[2]
            found = found_again(again) if again else found_in(ears.last_lines(LINES), now_seen[1])
            if found != before or found is None or found.sign is Sign.LAST_WORDS:
                since = now
        elif is_silent_for_workers(found, now - since) and now - looked >= WORKER_LOOK_SECONDS:
            looked, lines = now, ears.last_lines(LINES)
            worker = lost_worker(ears, lines)
            found = found_dead(worker, of_last_run(lines)) if worker else ears.asks()
        if told and (since == now or found is None):
            told = False
            tell(Moving())
        if found is not None and found != before:
            say(found.cause)
        if found is not None and not told and now - since >= SILENT_SECONDS:
            told = True
            tell(found.told())
        await asyncio.sleep(LOOK_SECONDS)


def is_silent_for_workers(found: Finding | None, seconds: float) -> bool:
    """Return whether a service has been silent for so long that its processes tell more than its output."""
    return seconds >= SILENT_SECONDS and (found is None or found.sign in OF_SILENCE)

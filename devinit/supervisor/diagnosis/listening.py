"""Notice that a service that starts cannot come up by itself, long before its time is over.

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
"""How often a silent service's processes are looked at: a few reads of /proc each."""
SILENT_SECONDS = 2.0
"""A program whose last words were of its end, and that has been silent for so long, does not go on by itself."""
LINES = 80
"""How much of the output is looked at: the longest traceback of a framework."""

ABOVE = 3
"""In how many of the last lines a reloader says that it waits: an empty one may follow."""
BROKEN = 500
"""The status of a page that failed. 502 to 504 often mean "not yet", so they wait for the deadline."""


class Sign(StrEnum):
    """What shows that a service cannot come up, and how long that has to be so."""

    LAST_WORDS = "last words"
    """Its output ends with a crash: nothing may follow for a while."""
    ANSWER = "answer"
    """It answers 500, and says why: for a while, however much it prints meanwhile."""
    WORKERS = "workers"
    """Its workers die again and again, and print that: for a while."""
    DEAD_WORKER = "dead worker"
    """Its worker ended without a word about it, and its output has been silent since."""
    INPUT = "input"
    """It waits for something to be typed, and its output has been silent since."""


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
"""The last words of `node --watch`. It watches the files that it has loaded, by their inodes: one that another
file replaced, or that was removed and is back, wakes it no more (measured with Node 20)."""
NODE_REMEDY = (
    "it runs and waits for a change; node --watch misses a file that was replaced or is back: "
    "`devinit restart` then"
)


class Finding(Struct, frozen=True):
    """What is wrong with a service that lives, and what shows it."""

    sign: Sign
    cause: str
    remedy: str = ""
    """What becomes of the service, where that is not what its sign says."""

    def told(self) -> Stuck:
        """Return it as the lifecycle gets it."""
        return Stuck(f"{self.cause}\n{self.remedy or REMEDY[self.sign]}")


class Ears(Struct, frozen=True, kw_only=True):
    """Where a service's signs of life come from."""

    size: Callable[[], int]
    """How much it has printed so far, in bytes."""
    last_lines: Callable[[int], list[str]]
    answer: Callable[[], int | None] = lambda: None
    """The status of its last HTTP answer, if that was refused."""
    dead_worker: Callable[[list[str]], DeadWorker | None] = lambda _lines: None
    """The worker that its reloader has lost, if its last lines and its processes show one."""
    listens: Callable[[], bool | None] = lambda: None
    """Whether anything listens on its port; None when it has no port."""
    asks: Callable[[], Finding | None] = lambda: None
    """What it waits for that has to be typed."""
    dying: Callable[[list[str]], str | None] = dying_by
    """What its workers die of again and again, if its last lines and its processes show that."""
    respawns: Callable[[], str | None] = lambda: None
    """What its program ends of, where a reloader starts that again and again."""


def lost_worker(ears: Ears, lines: list[str]) -> DeadWorker | None:
    """Return the worker that a reloader has lost; of a service without a port none that may have ended well."""
    worker = ears.dead_worker(lines)
    if worker is not None and worker.status is None:
        return worker if ears.listens() is False else None
    return worker if worker is not None and (worker.status or ears.listens() is not None) else None


def found_in(lines: list[str], answer: int | None) -> Finding | None:
    """Return what the last lines of a service and its last answer say, if that is certain.

    What stands above the last reload is about a file that has been changed since.
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
    """Return what is wrong with a service whose reloader starts its program again after each end."""
    return Finding(Sign.WORKERS, f"{AGAIN}: {cause}")


def found_crashed(cause: str, lines: list[str]) -> Finding:
    """Return what is wrong with a service whose output ends with a crash."""
    remedy = NODE_REMEDY if any(re.match(NODE_WATCH, line) for line in lines[-ABOVE:]) else ""
    return Finding(Sign.LAST_WORDS, cause, remedy)


def found_dead(worker: DeadWorker, lines: list[str]) -> Finding:
    """Return what is wrong with a service whose worker ended: how, and its last words."""
    if words := worker_words(lines):
        return Finding(Sign.DEAD_WORKER, f"{said_of(worker)}: {words}")
    return Finding(Sign.DEAD_WORKER, with_last_line(said_of(worker), own_lines(lines))[:LONGEST_CAUSE])


async def listen(
    ears: Ears,
    say: Callable[[str], None],
    tell: Callable[[Stuck | Moving], None],
    known: Finding | None = None,
) -> None:
    """Tell when the service cannot come up by itself, and when it does something again after all.

    `known`: what is wrong with it already.
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
    """Whether a service has been silent for so long that its processes tell more than its output."""
    return seconds >= SILENT_SECONDS and (found is None or found.sign in OF_SILENCE)

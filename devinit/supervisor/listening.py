"""Listen to what a service that starts prints: a program that waits for its code to be mended is not slow.

`uvicorn --reload`, nodemon and others live on after a crash. Whoever waits for the start is told at once what is
wrong; the service stays, and comes up when the file is saved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from devinit.supervisor.causes import stuck_by
from devinit.supervisor.lifecycle import Moving, Stuck

LOOK_SECONDS = 0.25
SILENT_SECONDS = 2.0
"""A program whose last words were of its end, and who has been silent for so long, does not go on by itself."""
LINES = 80
"""How much of the output is looked at: the longest traceback of a framework."""


async def listen_to_output(
    size: Callable[[], int],
    last_lines: Callable[[int], list[str]],
    say: Callable[[str], None],
    tell: Callable[[Stuck | Moving], None],
) -> None:
    """Tell when the output ends with a crash and nothing follows, and when something follows after all."""
    clock = asyncio.get_running_loop().time
    seen, since, cause, told = -1, clock(), None, False
    while True:
        now, length = clock(), size()
        if length != seen:
            seen, since = length, now
            if told:
                told = False
                tell(Moving())
            cause = stuck_by(last_lines(LINES))
            if cause is not None:
                say(cause)
        elif cause is not None and not told and now - since >= SILENT_SECONDS:
            told = True
            tell(Stuck(f"{cause}\nit lives and waits for a change: it becomes ready when that is mended"))
        await asyncio.sleep(LOOK_SECONDS)

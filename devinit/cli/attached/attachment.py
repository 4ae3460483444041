"""A line-by-line attachment: output and input run concurrently until one of them ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from devinit.cli.attached.endings import how_it_ended
from devinit.cli.attached.piped import Piping
from devinit.cli.attached.session import Session
from devinit.cli.caller import caller_environment
from devinit.cli.output import talk
from devinit.dashboard.link import SupervisorLink
from devinit.errors import DevinitError, Terminated

if TYPE_CHECKING:
    from pathlib import Path

    from devinit.cli.attached.detach_keys import DetachKeys
    from devinit.cli.attached.typed import Typing

LINES = 10
"""The number of earlier lines that a user at a terminal sees by default."""
LEAVING_SECONDS = 1.0
"""The time limit for restoring the terminal."""


def attach(root: Path, service: str, lines: int | None, seconds: float | None, keys: DetachKeys) -> int:
    """Stay attached to a service that accepts input; return the exit code.

    `lines`: the number of earlier lines to show; `seconds`: how long to show output after the end of a pipe, see
    `Piping`. Raise ServiceError when the service fails meanwhile, Terminated for SIGTERM and SIGHUP.
    """
    link = SupervisorLink(root, caller_environment(), os.environ.get("DEVINIT_PROFILE") or None)
    session = Session(root, link, service)
    if not can_edit():
        return asyncio.run(together(session, Piping(session, seconds), lines or 0))
    from devinit.cli.attached.typed import Typing  # 80 ms, not needed for a pipe

    talk(
        f"attached to {service}: what is typed goes to its standard input; {keys.words} detaches and leaves it "
        "running"
    )
    return asyncio.run(together(session, Typing(session, keys), LINES if lines is None else lines))


async def together(session: Session, typing: Typing | Piping, lines: int) -> int:
    """Show output and send input until a key detaches, the input or the service ends, or a signal arrives."""
    terminated = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, terminated.set)
    typed = asyncio.create_task(typing.until_detached())
    others = {
        asyncio.create_task(session.follow(typing.show, typing.say, lines)),
        asyncio.create_task(session.is_over.wait()),
        asyncio.create_task(terminated.wait()),
    }
    done, rest = await asyncio.wait({typed, *others}, return_when=asyncio.FIRST_COMPLETED)
    typing.leave()
    # The terminal is restored before anything else is printed.
    await asyncio.wait({typed}, timeout=LEAVING_SECONDS)
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest)
    for task in done:
        task.result()
    if terminated.is_set():
        raise Terminated("terminated")
    if session.is_over.is_set():
        return how_it_ended(session.service, session.phase, session.reason)
    if not isinstance(typing, Piping):
        await say_goodbye(session)
    return 0


async def say_goodbye(session: Session) -> None:
    """Report that the service keeps running, and how much typed text it has not read."""
    unread = 0
    with suppress(DevinitError):
        unread = (await session.send(""))["unread"]
    left = (
        f"; it has not read the last {unread:,} bytes that were typed, and will when it asks"
        if unread
        else ""
    )
    talk(f"detached: {session.service} keeps running{left}")


def can_edit() -> bool:
    """Whether a user types at a terminal that can move the cursor."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") not in (None, "", "dumb")

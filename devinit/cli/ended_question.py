"""A question at a terminal that a signal ends before the command handles the signal."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

    from prompt_toolkit.application import Application

SOON_SECONDS = 0.01


@contextmanager
def ended_by_signals(application: Application[Any]) -> Iterator[None]:
    """Let the signals that end this command end the question first.

    asyncio would treat an exception from their handlers as the error of one step of the question, and lose it.
    """
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    obeyed = {each: handler for each, handler in before.items() if callable(handler)}
    received: list[int] = []

    def end() -> None:
        if application.is_running and application.future is not None and not application.future.done():
            application.exit(exception=EOFError)
        elif not application.is_done:
            asyncio.get_running_loop().call_later(SOON_SECONDS, end)  # the question is about to appear

    def take(number: int, frame: FrameType | None) -> None:
        loop = application.loop
        if loop is None:
            obeyed[signal.Signals(number)](number, frame)
        else:
            received.append(number)
            loop.call_soon_threadsafe(end)

    for each in obeyed:
        signal.signal(each, take)
    try:
        yield
    finally:
        for each, handler in obeyed.items():
            signal.signal(each, handler)
        if received:
            obeyed[signal.Signals(received[0])](received[0], None)

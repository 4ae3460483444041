"""A question at a terminal that a signal ends, before the command does what the signal means."""

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
    """Let the signals that end this command end a question first.

    What their handlers raise would be taken by asyncio for the error of one step of the question, and be lost.
    """
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    obeyed = {each: handler for each, handler in before.items() if callable(handler)}
    received: list[int] = []

    def end() -> None:
        if application.is_running and application.future is not None and not application.future.done():
            application.exit(exception=EOFError)
        elif not application.is_done:
            asyncio.get_running_loop().call_later(SOON_SECONDS, end)  # it is about to ask

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

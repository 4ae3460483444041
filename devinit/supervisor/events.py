"""Send events to every subscribed client, as they happen."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    # Only described by these types: 1 ms that the supervisor's start does not pay.
    from devinit.model.event import Event

    Listener = Callable[[Event], None]


REMEMBERED = 1000
"""How many of the latest events are kept for clients that ask later."""


def from_thread(say: Callable[[str], None]) -> Callable[[str], None]:
    """Return what a thread calls to have `say` called in the event loop that runs now."""
    loop = asyncio.get_running_loop()

    def say_from_thread(text: str) -> None:
        loop.call_soon_threadsafe(say, text)

    return say_from_thread


class Broadcaster:
    """Hands each event to every client that listens at that moment, and keeps the latest."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._latest: deque[Event] = deque(maxlen=REMEMBERED)
        self.told = 0
        """How many events there were."""

    def add(self, listener: Listener) -> None:
        """Hand events to this listener from now on."""
        self._listeners.append(listener)

    def remove(self, listener: Listener) -> None:
        """Hand it no more."""
        self._listeners.remove(listener)

    def tell(self, event: Event) -> None:
        """Hand an event to all listeners."""
        self._latest.append(event)
        self.told += 1
        for listener in tuple(self._listeners):
            listener(event)

    def since(self, moment: float) -> list[Event]:
        """Return the latest events that happened at that Unix time or later."""
        return [event for event in self._latest if event["at"] >= moment]

    def note(self, message: str, service: str | None = None) -> None:
        """Tell something that the developer should know."""
        self.tell({"type": "note", "at": time.time(), "service": service, "message": message})

    def progress(self, service: str, message: str) -> None:
        """Tell what a service is busy with."""
        self.tell({"type": "progress", "at": time.time(), "service": service, "message": message})

"""Delivery of events to all subscribed clients."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    # Only types need these: importing them would delay the supervisor's start by 1 ms.
    from devinit.model.event import Event

    Listener = Callable[[Event], None]


REMEMBERED = 1000
"""How many of the latest events are kept for clients that ask later."""


def from_thread(say: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function for threads that calls `say` in the event loop that runs now."""
    loop = asyncio.get_running_loop()

    def say_from_thread(text: str) -> None:
        loop.call_soon_threadsafe(say, text)

    return say_from_thread


class Broadcaster:
    """A dispatcher that hands each event to all current listeners and keeps the latest events."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._latest: deque[Event] = deque(maxlen=REMEMBERED)
        self.told = 0
        """Number of events so far."""

    def add(self, listener: Listener) -> None:
        """Hand events to this listener from now on."""
        self._listeners.append(listener)

    def remove(self, listener: Listener) -> None:
        """Hand no more events to this listener."""
        self._listeners.remove(listener)

    def tell(self, event: Event) -> None:
        """Hand an event to all listeners."""
        self._latest.append(event)
        self.told += 1
        for listener in tuple(self._listeners):
            listener(event)

    def since(self, moment: float) -> list[Event]:
        """Return the latest events since a Unix time, inclusive."""
        return [event for event in self._latest if event["at"] >= moment]

    def note(self, message: str, service: str | None = None) -> None:
        """Send a note for the developer."""
        self.tell({"type": "note", "at": time.time(), "service": service, "message": message})

    def progress(self, service: str, message: str) -> None:
        """Report the current work of a service."""
        self.tell({"type": "progress", "at": time.time(), "service": service, "message": message})

"""A queue of keys and pasted text, which passes each on when the previous one has been handled.

Textual sends a key to the widget that has the focus when the key is read. A widget that the previous key opens
gets the focus later, so text typed after such a key would act as commands.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from textual import events

from devinit.dashboard.screens.late import Late

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode

Typed: TypeAlias = events.Key | events.Paste
LONGEST_SECONDS = 5.0
"""The maximum time a widget may delay the next key, so that a hanging one does not block every key."""


class Turns:
    """A queue of keys and pasted text in the order of typing."""

    def __init__(self, app: App[str], dispatch: Callable[[Typed], Awaitable[None]]) -> None:
        self._app = app
        self._dispatch = dispatch
        """Sends an event to the current focus."""
        self._waiting: asyncio.Queue[Typed] = asyncio.Queue()
        self._since = 0.0
        """Input from before this time, in seconds of `monotonic`, is dropped."""

    def add(self, event: Typed) -> None:
        """Append an event to the queue."""
        self._waiting.put_nowait(event)

    def forget(self) -> None:
        """Drop all input so far, even if it has not been added yet, because another program had the terminal."""
        self._since = time.monotonic()

    async def give(self) -> None:
        """Pass events on as long as the application runs."""
        while True:
            event = await self._waiting.get()
            if event.time < self._since:
                continue
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    await self._hand_on(event)
            except TimeoutError:
                continue

    async def _hand_on(self, event: Typed) -> None:
        if isinstance(self._app.screen, Late) and not self._app.screen.takes(event):
            return
        first = self._receiver()
        await _processed(self._app, lambda: self._dispatch(event))
        await _passed(first)
        # The key has reached the application, which carries out actions. The messages that they post take the same
        # way, and a screen that they open is complete once it has processed its messages so far.
        receiver = self._receiver()
        await _passed(receiver)
        while (now := self._receiver()) is not receiver:
            receiver = now
            await _passed(receiver)

    def _receiver(self) -> DOMNode:
        return self._app.focused or self._app.screen


async def _passed(node: DOMNode | None) -> None:
    """Wait until a widget and all its ancestors have processed their messages so far."""
    while node is not None:
        above = node.parent
        await _processed(node, _nothing)
        node = above


async def _processed(node: DOMNode, action: Callable[[], Awaitable[None]]) -> None:
    """Let a widget act after its messages so far, and wait for that; skip a widget that is closing."""
    done = asyncio.Event()

    async def act() -> None:
        try:
            await action()
        finally:
            done.set()

    if node.call_later(act):
        await done.wait()


async def _nothing() -> None:
    """Do nothing."""

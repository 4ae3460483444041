"""Passes keys and pasted text on one after the other, each when the one before has been handled.

Textual hands a key to the widget that has the focus when the key is read. What the key before opens gets the focus
later, so that text behind a key that asks for text would act as commands.
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
"""How long a widget may keep the next key waiting: one that hangs must not take every key with it."""


class Turns:
    """Keys and pasted text in the order in which they were typed."""

    def __init__(self, app: App[str], dispatch: Callable[[Typed], Awaitable[None]]) -> None:
        self._app = app
        self._dispatch = dispatch
        """Hand an event to what has the focus now."""
        self._waiting: asyncio.Queue[Typed] = asyncio.Queue()
        self._since = 0.0
        """What was typed before this time, in seconds of `monotonic`, is for nothing that is shown now."""

    def add(self, event: Typed) -> None:
        """Let an event wait for its turn."""
        self._waiting.put_nowait(event)

    def forget(self) -> None:
        """Let nothing act that was typed so far, also if it has not been added yet: the terminal was not ours."""
        self._since = time.monotonic()

    async def give(self) -> None:
        """Hand events on for as long as the application runs."""
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
        # The key has reached the application, which carries actions out. What they post takes the same way; what
        # they open is complete once it has processed what it was sent so far.
        receiver = self._receiver()
        await _passed(receiver)
        while (now := self._receiver()) is not receiver:
            receiver = now
            await _passed(receiver)

    def _receiver(self) -> DOMNode:
        return self._app.focused or self._app.screen


async def _passed(node: DOMNode | None) -> None:
    """Wait until a widget and everything above it have processed what they were sent so far."""
    while node is not None:
        above = node.parent
        await _processed(node, _nothing)
        node = above


async def _processed(node: DOMNode, action: Callable[[], Awaitable[None]]) -> None:
    """Let a widget act behind what it was sent so far, and wait for that; a widget that closes is skipped."""
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

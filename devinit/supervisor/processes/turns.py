"""Turns for operations that open files for a moment: hundreds of starting services would exceed the limit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Turns:
    """A semaphore with a variable limit: the other callers wait, first come first served."""

    def __init__(self, most: Callable[[], int]) -> None:
        self._most = most
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it within the block."""
        while self._taken >= self._most():
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._waiting = deque(each for each in self._waiting if each is not turn)
                if not turn.cancelled():
                    self._next()
                raise
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
            self._next()

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

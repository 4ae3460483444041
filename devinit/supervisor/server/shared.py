"""One answer for all clients that ask the same question at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Shared(Generic[Answer]):
    """A question that is answered once for all clients that ask before its processing begins.

    No caller gets an answer whose processing began before its question: it could be older than the caller's
    knowledge.
    """

    def __init__(self, find: Callable[[], Awaitable[Answer]]) -> None:
        self._find = find
        self._next: asyncio.Task[Answer] | None = None

    async def answer(self) -> Answer:
        """Return the answer. If a waiting caller is cancelled, the others get theirs all the same."""
        if self._next is None:
            # Shared by the callers that wait for it; all of them may give up.
            self._next = asyncio.create_task(self._begin())
        return await asyncio.shield(self._next)

    async def _begin(self) -> Answer:
        self._next = None
        return await self._find()

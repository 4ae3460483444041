"""A start that was ordered before the dashboard opened: its events, its result, and how to order it again."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinit.control.pending import Pending

Json: TypeAlias = dict[str, Any]
# As on the wire: model.event, and the parameters of a start.


class Begun(Protocol):
    """The interface of such a start; tests implement it without a supervisor."""

    params: Json
    """The parameters of the order."""

    @property
    def seconds(self) -> float:
        """For how long it has gone on."""
        ...

    def listen(self, tell: Callable[[Json], None]) -> None:
        """Call `tell` in the running loop with every event, including those that have arrived already."""
        ...

    async def send(self, params: Json) -> Any:
        """Return the result of the start, ordering it again except on the first call. Raise DevinitError.

        Any: data from the wire.
        """
        ...


class BegunStart:
    """Such a start on the connection on which it was ordered."""

    def __init__(self, pending: Pending, params: Json) -> None:
        self._pending, self.params = pending, params
        self._is_ordered = True

    @property
    def seconds(self) -> float:
        """For how long it has gone on."""
        return time.monotonic() - self._pending.began

    def listen(self, tell: Callable[[Json], None]) -> None:
        """Call `tell` in the running loop with every event."""
        loop = asyncio.get_running_loop()

        def pass_on(event: Json) -> None:
            with suppress(RuntimeError):  # the loop is closed, because the user left the dashboard
                loop.call_soon_threadsafe(tell, event)

        self._pending.listen(pass_on)

    async def send(self, params: Json) -> Any:
        """Return the result of the start."""
        if not self._is_ordered:
            self._pending.order(params)
        self._is_ordered = False
        answered = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # as above
                loop.call_soon_threadsafe(answered.set)

        self._pending.when_answered(wake)
        await answered.wait()
        return self._pending.result()


class Twice:
    """A filter for events that arrive on two connections: that of the start, and that of the dashboard."""

    def __init__(self) -> None:
        self._seen: set[tuple[object, ...]] = set()

    def is_new(self, event: Json, *, goes_on: bool = True) -> bool:
        """Whether an event has not arrived before. `goes_on`: whether events still arrive on both."""
        mark = (event["type"], event["at"], event.get("service"), event.get("message"), event.get("phase"))
        if mark in self._seen:
            self._seen.discard(mark)
            return False
        if goes_on:
            self._seen.add(mark)
        else:
            self._seen.clear()
        return True

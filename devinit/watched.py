"""Where a service answers, each time that this changes, for programs that live longer than an address.

The supervisor's events say when to ask again; what is asked is the same as for `devinit.discover`.
"""

from __future__ import annotations

import asyncio
import os
import select
import threading
import time
from collections.abc import AsyncIterator, Generator, Iterator
from types import TracebackType
from typing import Self

from devinit.addresses import Discovered, discover
from devinit.config.find import find_root_as_text
from devinit.control.client import Client
from devinit.control.launch import connect_to
from devinit.errors import DevinitError, SupervisorError

LOOK_SECONDS = 0.5
"""How often a supervisor is looked for while none runs."""


class Watch:
    """An iterator over where a service answers: now, and after each change; None while it does not.

        for address in devinit.watch("backend"): ...
        async for address in devinit.watch("backend"): ...

    `close`, or the end of a `with` block, ends the iteration, also from another thread.
    """

    def __init__(self, service: str, start: str | os.PathLike[str] | None) -> None:
        self._service, self._start = service, start
        self._changes = self._look_again()
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._is_closed = self._is_over = False
        self._guard = threading.Lock()

    def __iter__(self) -> Iterator[Discovered | None]:
        """Return the changes, for a program that waits for them."""
        return self._changes

    async def __aiter__(self) -> AsyncIterator[Discovered | None]:
        """Return the changes, for a program with a loop. A thread waits for each."""
        while True:
            waiting = asyncio.ensure_future(asyncio.to_thread(next, self._changes, self))
            try:
                changed = await asyncio.shield(waiting)
            except asyncio.CancelledError:
                self.close()
                await asyncio.wait([waiting])  # the thread: it comes to its end at once
                raise
            if isinstance(changed, Watch):
                return
            yield changed

    def __enter__(self) -> Self:
        """Begin a block that ends the iteration at its end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the iteration."""
        self.close()

    def close(self) -> None:
        """End the iteration, also one that another thread waits in."""
        self._wake_up()
        try:
            self._changes.close()
        except ValueError:
            return  # it runs, here or in another thread, and comes to its own end
        self._let_go()

    def _wake_up(self) -> None:
        with self._guard:
            was_closed, self._is_closed = self._is_closed, True
        if not was_closed:
            os.close(self._waker)  # makes the other end readable

    def _let_go(self) -> None:
        """Close the end that is waited at, also of an iteration that was never begun."""
        with self._guard:
            was_over, self._is_over = self._is_over, True
        if not was_over:
            os.close(self._wake)

    def _look_again(self) -> Generator[Discovered | None, None, None]:
        try:
            before: object = self
            for _ in self._occasions():
                found = discover(self._service, self._start)
                if found != before:
                    before = found
                    yield found
        finally:
            self._wake_up()
            self._let_go()

    def _occasions(self) -> Iterator[None]:
        """Yield when there is a reason to ask: at first, after each event, and now and then while nothing runs."""
        while not self._is_closed:
            client = self._supervisor()
            if client is None:
                yield
                self._wait(LOOK_SECONDS)
                continue
            try:
                client.order("events", {"after": time.time(), "follow": True})
                yield
                while not self._is_closed:
                    self._wait(None, client.fileno())
                    if client.pending():
                        yield
            except SupervisorError:
                continue  # it has ended; its services may run on
            finally:
                client.close()

    def _wait(self, seconds: float | None, *descriptors: int) -> None:
        """Wait for something to read, for the end of the iteration, or for so many seconds."""
        poll = select.poll()  # `select.select` knows 1,024 descriptors
        for descriptor in (self._wake, *descriptors):
            poll.register(descriptor, select.POLLIN)
        poll.poll(None if seconds is None else seconds * 1000)

    def _supervisor(self) -> Client | None:
        root = find_root_as_text(os.path.abspath(self._start or "."))  # noqa: PTH100 - the folder may be a link
        try:
            return None if root is None else connect_to(root)
        except DevinitError:
            return None  # another user's, or it hangs: a discovery file may say more


def watch(service: str = "backend", start: str | os.PathLike[str] | None = None) -> Watch:
    """Return an iterator over where a service answers, as `discover` says it: now, then after each change.

    It goes on over the ends and starts of supervisors, and ends with `close`.
    """
    return Watch(service, start)

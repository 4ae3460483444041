"""The address of a service after each change, for programs that run longer than an address stays valid.

The supervisor's events trigger new requests, which are the same as in `devinit.discover`.
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
"""The interval of the search for a supervisor while none runs."""


class Watch:
    """An iterator over the addresses of a service: now, and after each change; None while it does not answer.

        for address in devinit.watch("backend"): ...
        async for address in devinit.watch("backend"): ...

    `close`, or the end of a `with` block, ends the iteration, even from another thread.
    """

    def __init__(self, service: str, start: str | os.PathLike[str] | None) -> None:
        self._service, self._start = service, start
        self._changes = self._look_again()
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._is_closed = self._is_over = False
        self._guard = threading.Lock()

    def __iter__(self) -> Iterator[Discovered | None]:
        """Return the addresses, for a program that blocks while it waits."""
        return self._changes

    async def __aiter__(self) -> AsyncIterator[Discovered | None]:
        """Yield the addresses, for a program with an event loop. A thread waits for each."""
        while True:
            waiting = asyncio.ensure_future(asyncio.to_thread(next, self._changes, self))
            try:
                changed = await asyncio.shield(waiting)
            except asyncio.CancelledError:
                self.close()
                await asyncio.wait([waiting])  # the thread, which ends at once
                raise
            if isinstance(changed, Watch):
                return
            yield changed

    def __enter__(self) -> Self:
        """Enter a block that ends the iteration at its end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the iteration."""
        self.close()

    def close(self) -> None:
        """End the iteration, even while another thread waits in it."""
        self._wake_up()
        try:
            self._changes.close()
        except ValueError:
            return  # it is running, here or in another thread, and ends by itself
        self._let_go()

    def _wake_up(self) -> None:
        with self._guard:
            was_closed, self._is_closed = self._is_closed, True
        if not was_closed:
            os.close(self._waker)  # makes the other end readable

    def _let_go(self) -> None:
        """Close the read end of the pipe, even for an iteration that never began."""
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
        """Yield when there is a reason to ask: at first, after each event, and regularly while nothing runs."""
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
                continue  # it has exited; its services may keep running
            finally:
                client.close()

    def _wait(self, seconds: float | None, *descriptors: int) -> None:
        """Wait for readable data, for the end of the iteration, or for `seconds`."""
        poll = select.poll()  # `select.select` only supports 1,024 descriptors
        for descriptor in (self._wake, *descriptors):
            poll.register(descriptor, select.POLLIN)
        poll.poll(None if seconds is None else seconds * 1000)

    def _supervisor(self) -> Client | None:
        root = find_root_as_text(os.path.abspath(self._start or "."))  # noqa: PTH100 - the folder may be a link
        try:
            return None if root is None else connect_to(root)
        except DevinitError:
            return None  # it belongs to another user, or hangs: a discovery file may help


def watch(service: str = "backend", start: str | os.PathLike[str] | None = None) -> Watch:
    """Return an iterator over the addresses of a service, as `discover` returns them: now, and after each change.

    It continues across exits and starts of supervisors, and ends with `close`.
    """
    return Watch(service, start)

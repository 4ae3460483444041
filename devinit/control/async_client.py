"""An asyncio client of the supervisor, for programs that show things while they wait for answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from devinit.control.client import LONGEST_LINE, Client, gone, message_of, nonsense, refused
from devinit.control.greeting import Greeting
from devinit.control.launch import connect_or_start, connect_to
from devinit.errors import SupervisorError

Json = dict[str, Any]
# What comes off the wire is checked where it is made; here it is passed on as it is.

OnEvent = Callable[[Json], None]


class AsyncClient:
    """One connection: any number of requests at once, and every event as it comes.

    It reads from the moment that it is entered until it is left: the supervisor hangs up on a client that does
    not read.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        greeting: Greeting,
        on_event: OnEvent | None,
    ) -> None:
        self._reader, self._writer = reader, writer
        self.greeting = greeting
        self._on_event = on_event
        self._answers: dict[int, tuple[str, asyncio.Future[Any]]] = {}
        self._last_id = 0
        self._reading: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        self._writer.close()

    async def call(
        self, method: str, params: Json | None = None, on_sent: Callable[[], None] = lambda: None
    ) -> Any:
        """Send a request and return its result. Any: whatever came off the wire.

        `on_sent` is called when the kernel has all of the request: from then on it arrives without us.

        Raise RemoteError when the supervisor refuses, SupervisorError when it goes away.
        """
        if self._gone.is_set():
            raise gone(method)
        self._last_id += 1
        number = self._last_id
        answer = asyncio.get_running_loop().create_future()
        self._answers[number] = method, answer
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}
        try:
            self._writer.write(json.dumps(request, ensure_ascii=False).encode(errors="replace") + b"\n")
            with suppress(ConnectionError):  # the answer says so, too
                await self._writer.drain()
            on_sent()
            return await answer
        finally:
            del self._answers[number]

    async def until_gone(self) -> None:
        """Return when the supervisor has hung up."""
        await self._gone.wait()

    async def _read(self) -> None:
        why = gone
        try:
            while line := await self._reader.readline():
                self._take(message_of(line, "a conversation"))
        except (ConnectionError, ValueError):
            pass  # a line that is longer than any of ours
        except SupervisorError:
            why = nonsense
        finally:
            self._gone.set()
            for method, answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(why(method))

    def _take(self, message: Json) -> None:
        if message.get("method") == "event":
            if self._on_event is not None:
                self._on_event(message["params"])
            return
        # No id: it could not even read the request that was sent last.
        number = message.get("id") or self._last_id
        _, answer = self._answers.get(number, ("", None)) if isinstance(number, int) else ("", None)
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(refused(message["error"], self.greeting))
        else:
            answer.set_result(message.get("result"))


async def connected(root: Path, on_event: OnEvent | None = None, *, start: bool) -> AsyncClient | None:
    """Return a client of the project's supervisor, not entered yet; None when none runs and none is to start."""
    client = await asyncio.to_thread(connect_or_start if start else connect_to, root)
    return None if client is None else await taken_over(client, on_event)


async def taken_over(client: Client, on_event: OnEvent | None = None) -> AsyncClient:
    """Go on with a connection that was greeted already."""
    connection = client.hand_over()
    connection.settimeout(0)
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LONGEST_LINE)
    # Drained means: nothing is left here.
    writer.transport.set_write_buffer_limits(high=0)
    return AsyncClient(reader, writer, client.greeting, on_event)

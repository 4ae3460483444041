"""An asyncio client of the supervisor, for programs that show output while they wait for answers."""

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
# The sender has validated data on the wire; it is passed on unchanged.

OnEvent = Callable[[Json], None]


class AsyncClient:
    """One connection: any number of concurrent requests, and every event as it arrives.

    It reads as long as its context is open, because the supervisor disconnects a client that does not read.
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
        """Send a request and return its result. Any: data from the wire.

        `on_sent` is called when the kernel has the whole request: from then on it arrives without this process.

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
            with suppress(ConnectionError):  # the answer reports the error, too
                await self._writer.drain()
            on_sent()
            return await answer
        finally:
            del self._answers[number]

    async def until_gone(self) -> None:
        """Return when the supervisor has disconnected."""
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
        # Without an id, the supervisor could not even parse the request that was sent last.
        number = message.get("id") or self._last_id
        _, answer = self._answers.get(number, ("", None)) if isinstance(number, int) else ("", None)
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(refused(message["error"], self.greeting))
        else:
            answer.set_result(message.get("result"))


async def connected(root: Path, on_event: OnEvent | None = None, *, start: bool) -> AsyncClient | None:
    """Return an unopened client of the project's supervisor; None if none runs and none is to be started."""
    client = await asyncio.to_thread(connect_or_start if start else connect_to, root)
    return None if client is None else await taken_over(client, on_event)


async def taken_over(client: Client, on_event: OnEvent | None = None) -> AsyncClient:
    """Continue with a connection that has already received the greeting."""
    connection = client.hand_over()
    connection.settimeout(0)
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LONGEST_LINE)
    # With this limit, a drain returns only when nothing is left here.
    writer.transport.set_write_buffer_limits(high=0)
    return AsyncClient(reader, writer, client.greeting, on_event)

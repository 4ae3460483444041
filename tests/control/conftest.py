"""A server on a real socket, with methods for the tests."""

from __future__ import annotations

import asyncio
import importlib
import json
from typing import TYPE_CHECKING, Any, Self

import msgspec
import pytest

from devinit.control.greeting import greeting_of
from devinit.control.messages import ServicesParams
from devinit.control.server import Connection, Server, UnknownMethod
from devinit.errors import PortConflict
from devinit.model.port import Conflict, VerdictKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.conftest import Machine

Message = dict[str, Any]  # JSON-RPC


CONFLICT = Conflict(service="web", port=8000, kind=VerdictKind.STRANGER, summary="held")


NONSENSE = {
    "no JSON": b"HTTP/1.1 400 Bad Request\r\n",
    "no object": b"[1, 2]\n",
    "a number of 5000 digits": b'{"id": %s}\n' % (b"9" * 5000),
    "nested too deeply": b'{"id": 1, "result": %s%s}\n' % (b"[" * 100_000, b"]" * 100_000),
    "an event without parameters": b'{"method": "event"}\n',
    "a refusal that is a text": b'{"id": 1, "error": "no"}\n',
    "bytes that are no text": b"\xff\xfe\x00\n",
}
"""Lines that a program other than a supervisor may send."""


class Asked(PortConflict):
    """An error that carries facts."""


class Methods:
    """The methods of a test's server."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.begun: list[str] = []
        """Every method that was started, in order."""
        self.entered = asyncio.Queue[str]()
        """The same methods as a queue, to wait for."""
        self.done: list[str] = []
        """Every order that was completed."""
        self.release = asyncio.Event()
        self.idle = asyncio.Queue[int]()

    async def handle(self, method: str, params: msgspec.Raw, connection: Connection) -> Any:
        """Execute a method."""
        self.begun.append(method)
        self.entered.put_nowait(method)
        match method:
            case "order":
                await self.release.wait()
                self.done.append(method)
                return "done"
            case "huge":
                return "\ud800"
            case "echo":
                return msgspec.json.decode(params)
            case "names":
                return msgspec.json.decode(params, type=ServicesParams).services
            case "wait":
                await self.release.wait()
                return "released"
            case "subscribe":
                self.connections.append(connection)
                return "subscribed"
            case "tell":
                connection.tell({"type": "note", "message": "first"})
                connection.tell({"type": "note", "message": "second"})
                return "told"
            case "refuse":
                raise Asked("port 8000 is taken", hint="choose another", conflicts=[CONFLICT])
            case "break":
                raise ZeroDivisionError
            case "import":
                return importlib.import_module("devinit.was_here_before")
            case "think":
                return await asyncio.to_thread(len, "thought")
        raise UnknownMethod


class Talk:
    """A client that sends exactly the bytes of a test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def say(self, line: bytes) -> None:
        self.writer.write(line)
        await self.writer.drain()

    async def ask(self, method: str, params: object = None, request_id: int | str = 1) -> Message:
        """Send a request and return the next message."""
        request = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params or {}}
        await self.say(json.dumps(request).encode() + b"\n")
        return await self.hear()

    async def hear(self) -> Message:
        line = await self._reader.readline()
        assert line, "the server has hung up"
        message: Message = json.loads(line)
        return message

    async def is_hung_up_on(self) -> bool:
        """Wait until the server closes the connection."""
        try:
            return await self._reader.read() == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.writer.close()


class House:
    """A server with its methods and its clients."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.methods = Methods()
        greeting = greeting_of(path.parent)
        self.server = Server(path, self.methods.handle, self._on_idle, greeting, orders={"order"})
        self._talks: list[Talk] = []

    async def talk(self) -> Talk:
        """Connect, and receive the greeting."""
        talk = Talk(*await asyncio.open_unix_connection(str(self.path), limit=64 * 1024 * 1024))
        self._talks.append(talk)
        assert (await talk.hear())["method"] == "hello"
        return talk

    def _on_idle(self) -> None:
        self.methods.idle.put_nowait(self.server.connections)

    async def __aenter__(self) -> Self:
        await self.server.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.methods.release.set()
        for talk in self._talks:
            talk.close()
        self.server.stop_listening()
        self.server.hang_up()
        while self.server.connections:
            await self.methods.idle.get()


@pytest.fixture
async def house(machine: Machine) -> AsyncIterator[House]:
    """A listening server."""
    async with House(machine.runtime / "test.sock") as house:
        yield house


@pytest.fixture
def make_house() -> Callable[[Path], House]:
    return House

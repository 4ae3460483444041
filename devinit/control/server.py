"""The supervisor's end of the wire: it accepts the user's own connections and passes requests to a handler."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import socket
import struct
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import msgspec

from devinit import __version__
from devinit.control.greeting import HELLO, WIRE
from devinit.control.messages import (
    APPLICATION_ERROR,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    Request,
    RpcError,
)
from devinit.errors import DevinitError, PortConflict, SupervisorError
from devinit.system.limits import is_about_threads

log = logging.getLogger(__name__)

LONGEST_REQUEST = 16 * 1024 * 1024
TOGETHER_SECONDS = 0.002
"""How long events are collected to be sent together: a start causes twenty within a millisecond, and a client that
wakes for each of them competes with the services for the processor."""
TOGETHER_BYTES = 64 * 1024
"""The most bytes that are collected. More is sent at once, so that it counts for a client that does not read."""
SLOW_CLIENT_BYTES = 4 * 1024 * 1024
"""A client with this many unsent bytes is disconnected, so that it does not fill the supervisor's memory."""

MOST_REQUESTS = 16
"""How many requests of one client run at once; later ones wait in its socket."""
WHO_WE_ARE = {
    "hint": f"this supervisor is devinit {__version__} (wire {WIRE}); the request may be of another version",
    "exit_code": SupervisorError.exit_code,
}
"""The data of an error that usually comes from another version of devinit."""
OURS = "devinit"
"""The prefix of the names of devinit's own modules."""


encoder = msgspec.json.Encoder(enc_hook=str)


def told(value: Any) -> bytes:
    """Return data for the user as JSON; parts of file names that are not UTF-8 are replaced by a mark.

    Answers are not changed, because programs use their content.
    """
    try:
        return encoder.encode(value)
    except UnicodeEncodeError:
        return encoder.encode(_legible(msgspec.to_builtins(value, enc_hook=str)))


def _legible(value: Any) -> Any:  # Any: whatever JSON can hold
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_legible(key): _legible(each) for key, each in value.items()}
        case list():
            return [_legible(each) for each in value]
    return value


class EventLines:
    """An encoder of events for the wire, which encodes an event for many clients only once."""

    def __init__(self) -> None:
        self._last: tuple[Any, bytes] = (None, b"")

    def __call__(self, event: Any) -> bytes:
        """Return an event as a line. Any: a typed dictionary of model.event, which is never changed."""
        if self._last[0] is not event:
            line = told({"jsonrpc": "2.0", "method": "event", "params": event}) + b"\n"
            self._last = event, line
        return self._last[1]


line_of = EventLines()
"""Shared by all connections of this process, because they send the same events."""


class Connection:
    """A connection to one client."""

    def __init__(self, writer: asyncio.StreamWriter, pid: int) -> None:
        self._writer = writer
        self.pid = pid
        """The client's pid according to the kernel; 0 if unknown."""
        self._on_close: list[Callable[[], None]] = []
        self._told: list[bytes] = []
        """Events that still have to be sent."""
        self._told_bytes = 0

    @property
    def is_gone(self) -> bool:
        """Whether the client has disconnected; one that has only finished sending still listens."""
        poll = select.poll()
        if self._writer.is_closing():
            return True
        poll.register(self._writer.get_extra_info("socket").fileno(), 0)
        return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))

    def on_close(self, clean_up: Callable[[], None]) -> None:
        """Call this when the client is gone."""
        self._on_close.append(clean_up)

    def tell(self, event: Any) -> None:
        """Send an event, after a short delay. Any: every event is a typed dictionary of model.event."""
        if self._writer.is_closing():
            return
        if not self._told:
            asyncio.get_running_loop().call_later(TOGETHER_SECONDS, self._send_told)
        self._told.append(line_of(event))
        self._told_bytes += len(self._told[-1])
        if self._told_bytes > TOGETHER_BYTES:
            self._send_told()

    def send(self, message: bytes) -> None:
        """Send one encoded message, after all events."""
        self._told.append(message + b"\n")
        self._send_told()

    def _send_told(self) -> None:
        """Send the collected events; disconnect a client that does not read."""
        lines, self._told, self._told_bytes = b"".join(self._told), [], 0
        if not lines or self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > SLOW_CLIENT_BYTES:
            log.warning("client %s does not read; hanging up", self.pid)
            self._writer.transport.abort()
            return
        self._writer.write(lines)

    def close(self) -> None:
        """Close the connection after everything is sent."""
        while self._on_close:
            self._on_close.pop()()
        self._send_told()
        self._writer.close()


# A handler gets the method, its undecoded parameters and the connection; its result is encoded as JSON.
Handler = Callable[[str, msgspec.Raw, Connection], Awaitable[Any]]


class UnknownMethod(Exception):
    """Raised by a handler for a method that does not exist."""


class Server:
    """A server on the project's socket."""

    def __init__(
        self,
        path: Path,
        handler: Handler,
        on_idle: Callable[[], None],
        greeting: dict[str, Any],
        *,
        orders: Collection[str] = frozenset(),
        serves: Callable[[], bool] = lambda: True,
    ) -> None:
        self._path = path
        self._serves = serves
        """Whether clients get a greeting; one without it looks for another supervisor, or starts one."""
        self._greeting = greeting
        """The greeting of this supervisor (control.greeting); JSON-RPC's free form."""
        self._handler = handler
        self._orders = orders
        """Methods that continue even if their client disconnects; all others are only questions."""
        self._on_idle = on_idle
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._socket: os.stat_result | None = None
        """The identity of our socket file: a process may remove it, and another file may then have its name."""

    @property
    def connections(self) -> int:
        """The number of connected clients."""
        return len(self._connections)

    async def listen(self) -> None:
        """Start accepting. The caller holds the project's lock, so that a leftover socket is dead."""
        self._path.unlink(missing_ok=True)
        bound = bind_private(self._path)
        self._socket = self._path.stat()
        self._server = await asyncio.start_unix_server(self._serve, sock=bound, limit=LONGEST_REQUEST)

    async def listen_again(self, path: Path) -> bool:
        """Listen at this path if our socket is gone; return whether that was necessary. Connections stay."""
        if self._server is None or (path == self._path and self._has_its_socket()):
            return False
        if self._has_its_socket():
            self._path.unlink()
        self._server.close()
        self._path = path
        await self.listen()
        return True

    def stop_listening(self) -> None:
        """Accept no more clients. A client that has connected without a greeting sees the connection end."""
        if self._server is not None:
            if self._has_its_socket():
                self._path.unlink()
            self._server.close()
            self._server = None

    def _has_its_socket(self) -> bool:
        try:
            return self._socket is not None and os.path.samestat(self._path.stat(), self._socket)
        except OSError:
            return False

    def hang_up(self) -> None:
        """Close every connection after everything is sent."""
        for connection in list(self._connections):
            connection.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pid, uid = peer(writer)
        if uid is not None and uid not in (os.geteuid(), 0):
            log.warning("refused a connection of user %s (pid %s)", uid, pid)
            writer.close()
            return
        if self._server is None or not self._serves():
            # The connection was accepted before the server stopped listening, and it stopped before this ran.
            # Without a greeting, the client knows that it has to look for another supervisor.
            writer.close()
            return
        connection = Connection(writer, pid)
        self._connections.add(connection)
        hello = {"jsonrpc": "2.0", "method": HELLO, "params": self._greeting}
        connection.send(encoder.encode(hello))
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._carry_out(reader, connection, tasks)
        except asyncio.CancelledError:
            # The supervisor exits. asyncio's streams may log a cancelled connection as an error.
            log.debug("a connection of pid %s ends with the supervisor", pid)
        finally:
            self._connections.discard(connection)
            connection.close()
            self._on_idle()

    async def _carry_out(
        self, reader: asyncio.StreamReader, connection: Connection, tasks: asyncio.TaskGroup
    ) -> None:
        """Answer a client's requests until it disconnects; then its questions are dropped and its orders continue.

        Of the requests that it sent before, no more are read than one client may run at once.
        """
        room = asyncio.Semaphore(MOST_REQUESTS)
        questions: set[asyncio.Task[None]] = set()
        left_behind = 0
        while line := await read_line(reader):
            await room.acquire()
            if is_gone := connection.is_gone:
                left_behind += 1
                if left_behind > MOST_REQUESTS:
                    break
            request = read_request(line)
            is_order = isinstance(request, Request) and request.method in self._orders
            if is_gone and not is_order:
                room.release()
            else:
                task = tasks.create_task(self._answer(request, connection))
                task.add_done_callback(lambda _: room.release())
                if not is_order:
                    questions.add(task)
                    task.add_done_callback(questions.discard)
            # One request of each client per turn of the loop, so that those of other clients come in between.
            await asyncio.sleep(0)
        if connection.is_gone:
            for task in questions:
                task.cancel()

    async def _answer(self, request: Request | RpcError, connection: Connection) -> None:
        if isinstance(request, RpcError):
            connection.send(refusal(None, request))
            return
        try:
            result = await self._handler(request.method, request.params, connection)
            answer = encoder.encode({"jsonrpc": "2.0", "id": request.id, "result": result})
        except UnknownMethod:
            text = f"unknown method {request.method!r}"
            connection.send(refusal(request.id, RpcError(METHOD_NOT_FOUND, text, WHO_WE_ARE)))
        except msgspec.DecodeError as error:
            text = f"{request.method}: {error}"
            connection.send(refusal(request.id, RpcError(INVALID_PARAMS, text, WHO_WE_ARE)))
        except DevinitError as error:
            connection.send(refusal(request.id, error_of(error)))
        except Exception as error:
            # The only broad catch at the edge of this program: a defect in one request
            # must not end the supervisor.
            log.exception("request %s failed", request.method)
            text = f"{request.method} failed inside the supervisor"
            hint = "the supervisor's log has the details: `devinit doctor` says where it is"
            if is_about_threads(error):
                text = f"{request.method} failed: the system has no room for another thread of the supervisor"
                hint = "see `ulimit -u`; in a container also its pids limit"
            elif isinstance(error, ImportError) and (error.name or "").partition(".")[0] == OURS:
                text = (
                    f"{request.method} failed: the files of devinit were replaced while this supervisor ran"
                )
                hint = (
                    f"`kill {os.getpid()}` ends the supervisor: services keep running, and the next command takes "
                    "them over with the new files"
                )
            connection.send(
                refusal(request.id, RpcError(INTERNAL_ERROR, text, {"hint": hint, "exit_code": 5}))
            )
        else:
            connection.send(answer)


def read_request(line: bytes) -> Request | RpcError:
    """Return the request in a line, or the error for a line that is no request."""
    try:
        return msgspec.json.decode(line, type=Request)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return RpcError(INVALID_REQUEST, f"not a request: {error}")
    except RecursionError:
        return RpcError(INVALID_REQUEST, "not a request: it is nested too deeply")


def error_of(error: DevinitError) -> RpcError:
    """Return one of devinit's errors in the format of the wire, with its facts."""
    data: dict[str, Any] = {  # free-form by JSON-RPC
        "hint": error.hint,
        "exit_code": error.exit_code,
        "kind": type(error).__name__,
    }
    if isinstance(error, PortConflict) and error.conflicts:
        data["conflicts"] = error.conflicts
    return RpcError(APPLICATION_ERROR + error.exit_code, error.message, data)


def refusal(request_id: int | str | None, error: RpcError) -> bytes:
    """Return the encoded answer with an error."""
    return told({"jsonrpc": "2.0", "id": request_id, "error": error})


def bind_private(path: Path) -> socket.socket:
    """Return a socket at a path to which only its owner may connect.

    A umask is not used, because a service that is started at the same moment would inherit it. No other user can
    connect before the chmod: the socket does not listen yet, and its folder is private.
    """
    bound = socket.socket(socket.AF_UNIX)
    try:
        bound.bind(str(path))
        path.chmod(0o600)
    except OSError:
        bound.close()
        raise
    return bound


async def read_line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line; empty if the client is gone, or its line is too long for a request."""
    try:
        return await reader.readline()
    except (ValueError, ConnectionError):
        return b""


def peer(writer: asyncio.StreamWriter) -> tuple[int, int | None]:
    """Return pid and uid of the process at the other end; (0, None) if the kernel does not report them."""
    connection = writer.get_extra_info("socket")
    if not hasattr(socket, "SO_PEERCRED"):
        return 0, None
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", credentials)
    return pid, uid

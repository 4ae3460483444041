"""The supervisor's end of the wire: accepts the user's own connections and hands requests to a handler."""

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
"""How long events are collected that are sent together: a start tells twenty within a millisecond, and a client
that wakes for each of them wants the processor when the services want it, too."""
TOGETHER_BYTES = 64 * 1024
"""How much is collected at most: more is sent at once, so that it counts for a client that does not read."""
SLOW_CLIENT_BYTES = 4 * 1024 * 1024
"""A client that lets this much pile up is hung up on: it must not grow the supervisor."""

MOST_REQUESTS = 16
"""How many requests of one client are carried out at once; those that follow wait in its socket."""
WHO_WE_ARE = {
    "hint": f"this supervisor is devinit {__version__} (wire {WIRE}); the request may be of another version",
    "exit_code": SupervisorError.exit_code,
}
"""What an error tells that most often comes from another version of devinit."""
OURS = "devinit"
"""How the names of devinit's own modules begin."""


encoder = msgspec.json.Encoder(enc_hook=str)


def told(value: Any) -> bytes:
    """Return what is shown to the user as JSON: a file's name that is not UTF-8 text is marked where it is not.

    Answers are not changed, because programs use what is in them.
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
    """Events as they go over the wire: one for many clients is encoded once."""

    def __init__(self) -> None:
        self._last: tuple[Any, bytes] = (None, b"")

    def __call__(self, event: Any) -> bytes:
        """Return an event as a line. Any: a typed dictionary of model.event, which is never changed."""
        if self._last[0] is not event:
            line = told({"jsonrpc": "2.0", "method": "event", "params": event}) + b"\n"
            self._last = event, line
        return self._last[1]


line_of = EventLines()
"""Of this process: every connection tells the same events."""


class Connection:
    """One client: who it is, and how to tell it something."""

    def __init__(self, writer: asyncio.StreamWriter, pid: int) -> None:
        self._writer = writer
        self.pid = pid
        """The client's process, as the kernel knows it; 0 when it does not say."""
        self._on_close: list[Callable[[], None]] = []
        self._told: list[bytes] = []
        """Events that are still to be sent."""
        self._told_bytes = 0

    @property
    def is_gone(self) -> bool:
        """Whether the client has hung up altogether; one that has only finished sending still listens."""
        poll = select.poll()
        if self._writer.is_closing():
            return True
        poll.register(self._writer.get_extra_info("socket").fileno(), 0)
        return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))

    def on_close(self, clean_up: Callable[[], None]) -> None:
        """Do this when the client is gone."""
        self._on_close.append(clean_up)

    def tell(self, event: Any) -> None:
        """Send an event, in a moment. Any: every event is a typed dictionary of model.event."""
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
        """Send what is collected; hang up on a client that does not read."""
        lines, self._told, self._told_bytes = b"".join(self._told), [], 0
        if not lines or self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > SLOW_CLIENT_BYTES:
            log.warning("client %s does not read; hanging up", self.pid)
            self._writer.transport.abort()
            return
        self._writer.write(lines)

    def close(self) -> None:
        """Hang up after what was sent."""
        while self._on_close:
            self._on_close.pop()()
        self._send_told()
        self._writer.close()


# A handler takes the method, its undecoded parameters and the connection; its result is encoded as JSON.
Handler = Callable[[str, msgspec.Raw, Connection], Awaitable[Any]]


class UnknownMethod(Exception):
    """Raised by a handler for a method that does not exist."""


class Server:
    """Listens on the project's socket."""

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
        """Whether clients are greeted; one that is not looks for another supervisor, or starts one."""
        self._greeting = greeting
        """What is said of this supervisor first (control.greeting); JSON-RPC's free form."""
        self._handler = handler
        self._orders = orders
        """Methods that are carried out even if their client hangs up; every other one is only a question."""
        self._on_idle = on_idle
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._socket: os.stat_result | None = None
        """The socket file that is ours: a process may remove it, and another one may have its name then."""

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def listen(self) -> None:
        """Begin to accept. The caller holds the project's lock, so that a socket that is left over is dead."""
        self._path.unlink(missing_ok=True)
        bound = bind_private(self._path)
        self._socket = self._path.stat()
        self._server = await asyncio.start_unix_server(self._serve, sock=bound, limit=LONGEST_REQUEST)

    async def listen_again(self, path: Path) -> bool:
        """Listen here if our socket is gone; return whether that was needed. Connections stay."""
        if self._server is None or (path == self._path and self._has_its_socket()):
            return False
        if self._has_its_socket():
            self._path.unlink()
        self._server.close()
        self._path = path
        await self.listen()
        return True

    def stop_listening(self) -> None:
        """Accept no more clients. One that has connected and was not greeted yet sees that the connection ends."""
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
        """Close every connection after what was sent."""
        for connection in list(self._connections):
            connection.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pid, uid = peer(writer)
        if uid is not None and uid not in (os.geteuid(), 0):
            log.warning("refused a connection of user %s (pid %s)", uid, pid)
            writer.close()
            return
        if self._server is None or not self._serves():
            # Accepted before the door was closed, and it was closed before this ran: not greeted, the client
            # knows that it has to look for another supervisor.
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
            # The supervisor ends. asyncio's streams may log a connection that was cancelled as an error.
            log.debug("a connection of pid %s ends with the supervisor", pid)
        finally:
            self._connections.discard(connection)
            connection.close()
            self._on_idle()

    async def _carry_out(
        self, reader: asyncio.StreamReader, connection: Connection, tasks: asyncio.TaskGroup
    ) -> None:
        """Answer what a client asks until it hangs up; then its questions are dropped and its orders go on.

        Of what it had sent before, no more is looked at than one client may have carried out at once.
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
            # One request of each client in a turn of the loop: those of others come in between.
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
            # The one broad catch of this program's edge: a defect in one request must not end the supervisor.
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
    """Return the request that a line is, or what to answer to one that is none."""
    try:
        return msgspec.json.decode(line, type=Request)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return RpcError(INVALID_REQUEST, f"not a request: {error}")
    except RecursionError:
        return RpcError(INVALID_REQUEST, "not a request: it is nested too deeply")


def error_of(error: DevinitError) -> RpcError:
    """Return an error of ours as it goes over the wire, with the facts that it carries."""
    data: dict[str, Any] = {  # free-form by JSON-RPC
        "hint": error.hint,
        "exit_code": error.exit_code,
        "kind": type(error).__name__,
    }
    if isinstance(error, PortConflict) and error.conflicts:
        data["conflicts"] = error.conflicts
    return RpcError(APPLICATION_ERROR + error.exit_code, error.message, data)


def refusal(request_id: int | str | None, error: RpcError) -> bytes:
    """Return the answer that carries an error, encoded."""
    return told({"jsonrpc": "2.0", "id": request_id, "error": error})


def bind_private(path: Path) -> socket.socket:
    """Return a socket at a path that only its owner may connect to.

    Not by a umask, which a service that is spawned in the same moment would inherit. No other user gets in before:
    the socket does not listen yet, and its folder is private.
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
    """Return the next line; empty when the client is gone, or its line is too long for a request."""
    try:
        return await reader.readline()
    except (ValueError, ConnectionError):
        return b""


def peer(writer: asyncio.StreamWriter) -> tuple[int, int | None]:
    """Return pid and uid of the process at the other end; (0, None) where the kernel does not say."""
    connection = writer.get_extra_info("socket")
    if not hasattr(socket, "SO_PEERCRED"):
        return 0, None
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", credentials)
    return pid, uid

"""A blocking client of the supervisor with few imports, so that commands answer at once."""

from __future__ import annotations

# The module below `socket`, which builds enumerations and loads `selectors` for 3 ms: a tenth of a command.
import _socket as socket
import os
import sys

from devinit.control import wire
from devinit.control.greeting import HELLO, Greeting
from devinit.errors import DevinitError, SupervisorError
from devinit.system.limits import cure_of_limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from devinit.control.wire import Json

LONGEST_LINE = 64 * 1024 * 1024
"""In bytes. A longer line does not come from devinit, and is refused before it fills the memory."""


LONGEST_GREETING = 64 * 1024
HIGHEST_EXIT_CODE = 255
TICK_SECONDS = 0.1
GREETING_SECONDS = 5.0
MISUNDERSTOOD = (-32600, -32601, -32602)
"""JSON-RPC's error codes for a request, a method and parameters that the other side does not know."""


class RemoteError(DevinitError):
    """An error answer of the supervisor, with its message, hint and exit code."""

    def __init__(self, answer: Json) -> None:
        data = answer.get("data")
        data = data if isinstance(data, dict) else {}
        hint, code = data.get("hint"), data.get("exit_code")
        super().__init__(
            str(answer.get("message", "unknown error")), hint=None if hint is None else str(hint)
        )
        self.exit_code = code if isinstance(code, int) and 0 < code <= HIGHEST_EXIT_CODE else 1
        self.kind = str(data.get("kind", ""))
        """The name of the error class on the other side."""
        self.data: Json = data


def refused(answer: Json, greeting: Greeting) -> RemoteError:
    """Return the error in an answer. If the request was not understood, the hint names both versions."""
    error = RemoteError(answer)
    if answer.get("code") in MISUNDERSTOOD:
        error.exit_code = SupervisorError.exit_code
        pid = greeting.pid or "PID"
        error.hint = (
            f"{greeting.beside_ours()}; when nothing is starting, `kill {pid}` ends the supervisor: services keep "
            "running, and the next command starts one like itself, which takes them over"
        )
    elif greeting.is_older and greeting.is_introduced:
        # It may have misread a project that this command understands.
        advice = f"{greeting.beside_ours()}: `devinit start` replaces it"
        error.hint = f"{error.hint}; {advice}" if error.hint else advice
    return error


class Client:
    """One connection to a supervisor."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""
        self._last_id = 0
        self.greeting = Greeting({})
        """The supervisor's greeting, once `is_greeted`."""

    @property
    def peer_pid(self) -> int:
        """The supervisor's pid according to the kernel; 0 if unknown."""
        pid, _ = peer(self._connection)
        return pid

    def call(
        self,
        method: str,
        params: Json | None = None,
        on_event: Callable[[Json], None] | None = None,
        on_tick: Callable[[], None] | None = None,
    ) -> Any:
        """Send a request and return its result; pass every event that arrives before it to `on_event`.

        `on_tick` is called whenever nothing has arrived for a tenth of a second, to show that time passes.

        Raise RemoteError when the supervisor refuses, SupervisorError when it goes away.
        """
        self.order(method, params)
        return self.answer(method, on_event, on_tick)

    def order(self, method: str, params: Json | None = None) -> None:
        """Send a request; `answer` waits for its result."""
        self._last_id += 1
        self._send(method, params, self._last_id)

    def answer(
        self,
        method: str,
        on_event: Callable[[Json], None] | None = None,
        on_tick: Callable[[], None] | None = None,
    ) -> Any:
        """Wait for the result of the request that was sent last (`call`)."""
        self._connection.settimeout(TICK_SECONDS if on_tick else None)
        while True:
            message = self._read_message(method, on_tick)
            if message.get("method") == "event":
                if on_event is not None:
                    on_event(message["params"])
            elif message.get("id") in (self._last_id, None):  # None: it could not even parse the id
                if "error" in message:
                    raise refused(message["error"], self.greeting)
                return message.get("result")

    def pending(self) -> list[Json]:
        """Return the events that have arrived, without waiting. Raise SupervisorError when it has gone."""
        self._connection.settimeout(0)
        try:
            while chunk := self._connection.recv(65536):
                self._buffer += chunk
        except BlockingIOError:
            *lines, self._buffer = self._buffer.split(b"\n")
            messages = [message_of(line, "subscribe") for line in lines]
            return [each["params"] for each in messages if each.get("method") == "event"]
        except OSError as error:
            raise gone("subscribe") from error
        raise gone("subscribe")

    def post(self, method: str, params: Json | None = None) -> None:
        """Send a request while another one is pending, and do not wait for its answer."""
        self._send(method, params, f"beside {self._last_id}")

    def _send(self, method: str, params: Json | None, number: int | str) -> None:
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}
        try:
            # Invalid text (such as a service name with stray bytes) must not make the whole request unreadable.
            line = wire.encode(request).encode(errors="replace")
            self._connection.sendall(line + b"\n")
        except OSError as error:
            raise gone(method) from error

    def is_greeted(self) -> bool:
        """Wait for the supervisor's greeting; return False if it went away. Raise SupervisorError if it hangs."""
        self._connection.settimeout(GREETING_SECONDS)
        try:
            while b"\n" not in self._buffer:
                chunk = self._connection.recv(65536)
                if not chunk or len(self._buffer) > LONGEST_GREETING:
                    self.close()
                    return False
                self._buffer += chunk
                if len(self._buffer) > LONGEST_GREETING and b"\n" not in self._buffer:
                    break
        except TimeoutError:
            pid, _ = peer(self._connection)
            self.close()
            raise silent(pid) from None
        except OSError:
            self.close()
            return False
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            message = message_of(line[:LONGEST_GREETING], HELLO)
        except SupervisorError:
            message = {}
        if message.get("method") != HELLO:
            self.close()
            return False
        said = message.get("params")
        self.greeting = Greeting(said if isinstance(said, dict) else {})
        return True

    def fileno(self) -> int:
        """Return the descriptor of the connection, to wait for data."""
        return self._connection.fileno()

    def hand_over(self) -> socket.socket:
        """Hand the connection over after the greeting, to a caller that reads it in another way."""
        return self._connection

    def close(self) -> None:
        """Close the connection. Services that were started keep running."""
        self._connection.close()

    def _read_message(self, method: str, on_tick: Callable[[], None] | None) -> Json:
        while b"\n" not in self._buffer:
            try:
                chunk = self._connection.recv(65536)
            except TimeoutError:
                if on_tick is not None:
                    on_tick()
                continue
            except OSError as error:
                raise gone(method) from error
            if not chunk or len(self._buffer) > LONGEST_LINE:
                raise gone(method)
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            return message_of(line, method)
        except SupervisorError as error:
            raise SupervisorError(
                error.message, hint=f"{self.greeting.beside_ours()}; {error.hint}"
            ) from None


def message_of(line: bytes, method: str) -> Json:
    """Return a message of a supervisor. Raise SupervisorError for any other line."""
    try:
        message = wire.decode(line)
    except (ValueError, RecursionError):
        # These include numbers with more digits than Python converts, and data that is nested too deeply.
        raise nonsense(method) from None
    if not isinstance(message, dict) or not message:
        raise nonsense(method)
    # The parts that later code accesses: the parameters of an event, and the error of a refusal.
    needed = ["params"] if message.get("method") == "event" else ["error"] if "error" in message else []
    if any(not isinstance(message.get(key), dict) for key in needed):
        raise nonsense(method)
    return message


def connect(path: str | Path) -> Client | None:
    """Return a client of the supervisor that listens at this path, or None if there is none.

    A connection counts only once the supervisor has sent its greeting: a supervisor that is going away accepts no
    more clients, although the kernel still connects them.
    """
    try:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError as error:
        raise SupervisorError(
            f"cannot connect to the supervisor: {error.strerror}",
            hint=cure_of_limit(error),
        ) from error
    try:
        connection.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except OSError as error:
        connection.close()
        raise SupervisorError(
            f"cannot connect to the supervisor at {path}: {error.strerror}",
            hint="the socket must belong to you: run this as the user who started devinit",
        ) from error
    refuse_strangers(connection)
    client = Client(connection)
    return client if client.is_greeted() else None


def refuse_strangers(connection: socket.socket) -> None:
    """Raise SupervisorError when another user listens: that process gets no environment, and is not trusted.

    Root may access the projects of every user, and could intercept the connection anyway.
    """
    pid, uid = peer(connection)
    if uid is None or uid == os.geteuid() or os.geteuid() == 0:
        return
    connection.close()
    raise SupervisorError(
        f"another user (uid {uid}, pid {pid}) listens in place of this project's supervisor",
        hint="run the command as that user, or work in a checkout of your own",
    )


def peer(connection: socket.socket) -> tuple[int, int | None]:
    """Return pid and uid of the process at the other end; (0, None) if the kernel does not report them."""
    if not hasattr(socket, "SO_PEERCRED"):
        return 0, None
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid = (int.from_bytes(credentials[at : at + 4], sys.byteorder) for at in (0, 4))
    return pid, uid


def silent(pid: int) -> SupervisorError:
    """Return the error for a supervisor without a greeting; pid 0 stands for another pid namespace."""
    if not pid:
        return SupervisorError(
            f"the supervisor does not answer within {GREETING_SECONDS:g} s; it runs in another container or "
            "namespace",
            hint="it may be stopped or stuck: look there, where `devinit doctor` names its process",
        )
    return SupervisorError(
        f"the supervisor (pid {pid}) does not answer within {GREETING_SECONDS:g} s",
        hint=f"it may be stopped or stuck: `kill -CONT {pid}` lets a stopped one go on, "
        f"`kill -9 {pid}` ends it; services keep running, and the next command takes them over",
    )


def nonsense(method: str) -> SupervisorError:
    """Return the error for a listener that is no supervisor, or one that this version does not understand."""
    return SupervisorError(
        f"what the supervisor sent during `{method}` is no message that this devinit understands",
        hint="another program, or another version of devinit, listens at its socket: end that, then try again",
    )


def gone(method: str) -> SupervisorError:
    """Return the error for a supervisor that went away during a request."""
    return SupervisorError(
        f"the supervisor went away during `{method}`",
        hint="services keep running; run the command again: it starts a supervisor that takes them over",
    )

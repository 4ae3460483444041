"""The check whether a service can use the server on its port, as far as it is common to all kinds of servers.

A client reaches `localhost` by either address family, and two servers can share a port, one on each. So both
loopback addresses are asked, and both must name the same instance. The server itself has to state its identity:
its processes may belong to another user, or to a container's proxy, of which there is one for each family.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Self, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from devinit.model.running import RunningServer
from devinit.model.service import Endpoint

ASK_SECONDS = 1.0
"""For all steps together, because a start waits for it."""
LOOPBACK = ("127.0.0.1", "::1")
LONGEST_ANSWER = 256 * 1024
"""In bytes, for one message or line, so that no server can fill our memory."""


class Unusable(Exception):
    """Raised when the service cannot use the server; the message is the reason."""


class ServerReply(Struct, frozen=True, kw_only=True):
    """The information of a server about itself, on one of its addresses."""

    server: RunningServer
    instance: str
    """The same on all addresses of one running server, and different for any other server."""


class TimedConnection:
    """A connection with one deadline for all steps together."""

    def __init__(self, host: str, port: int, deadline: float) -> None:
        self._deadline = deadline
        self._socket = socket.create_connection((host, port), timeout=self._left())
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Send all of the data."""
        self._socket.settimeout(self._left())
        self._socket.sendall(data)

    def exactly(self, count: int) -> bytes:
        """Wait for this many bytes."""
        if not 0 <= count <= LONGEST_ANSWER:
            raise Unusable("what it answers makes no sense")
        while len(self._buffer) < count:
            self._receive()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def line(self) -> bytes:
        """Wait for a line; return it without its end."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > LONGEST_ANSWER:
                raise Unusable("what it answers makes no sense")
            self._receive()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _receive(self) -> None:
        self._socket.settimeout(self._left())
        data = self._socket.recv(65536)
        if not data:
            raise Unusable("it closes the connection")
        self._buffer += data

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


Ask: TypeAlias = Callable[[TimedConnection], ServerReply]
"""Talks to a server in its own protocol. Raises Unusable if the service cannot use it."""


def ask_running(endpoint: Endpoint, ask: Ask) -> RunningServer:
    """Ask the server on an endpoint, on both loopback addresses if it is one of them; blocks for a second."""
    port = endpoint.port or 0
    deadline = time.monotonic() + ASK_SECONDS
    answers: dict[str, ServerReply] = {}
    problems: dict[str, str] = {}
    for host in addresses_of(endpoint.host):
        try:
            with TimedConnection(host, port, deadline) as line:
                answers[host] = ask(line)
        except Unusable as error:
            problems[host] = str(error)
        except TimeoutError:
            problems[host] = f"what listens there does not answer within {ASK_SECONDS:g} s"
        except ConnectionRefusedError:
            # Without a server on this address, a client cannot reach another server there.
            continue
        except OSError as error:
            # A machine without IPv6 has no ::1; on the address that clients get, the error is a reason.
            if host == endpoint.host:
                problems[host] = error.strerror or str(error)
    return judge(endpoint.host, answers, problems)


def addresses_of(host: str) -> tuple[str, ...]:
    """Return all addresses at which clients may look for a server, if they get `host`."""
    return LOOPBACK if host in (*LOOPBACK, "localhost") else (host,)


def judge(host: str, answers: dict[str, ServerReply], problems: dict[str, str]) -> RunningServer:
    """Return the combined result of all addresses for clients that get `host`; pure."""
    told = host if host in addresses_of(host) else next(iter((*answers, *problems)), host)
    if told in problems:
        return RunningServer(problem=problems[told])
    if told not in answers:
        return RunningServer(problem=f"nothing answers on {told}")
    server = answers[told].server
    for other, problem in problems.items():
        return replace(
            server, problem=f"{server.title} answers on {told}, another server on {other}: {problem}"
        )
    if len({answer.instance for answer in answers.values()}) > 1:
        others = " and ".join(other for other in answers if other != told)
        return replace(server, problem=f"{server.title} answers on {told}, another one on {others}")
    return server

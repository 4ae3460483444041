"""Access of containers to this machine: the ports of their project's services, and nothing else.

Services listen on 127.0.0.1, which no container reaches. So the process that represents a container listens on the
bridge of the checkout's network, and relays connections from its containers. The ports there differ: a service
that listens on every address must find its own port free. A separate thread relays, so that it does not wait while
output is copied. It runs without devinit, like `shim`.
"""

from __future__ import annotations

import _socket
import _thread
import select
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LOOPBACK = "127.0.0.1"
PART = 1 << 16
WAITING = 64
"""Number of connections that may wait to be accepted."""
ANSWER_SECONDS = 1.0
"""On loopback the kernel answers at once, unless the server has too many connections waiting."""
GONE = select.POLLHUP | select.POLLERR
"""The events of poll(2) for a connection that was closed on both sides, or reset."""
MOST = 256
"""Maximum number of connections at once; each needs two descriptors."""


class Pipe:
    """One direction of a connection: data read from one side that has yet to be written to the other."""

    def __init__(self, source: _socket.socket, target: _socket.socket) -> None:
        self.source, self.target = source, target
        self.rest = b""
        self.has_ended = False

    def wants(self) -> tuple[int, int]:
        """Return the descriptor to wait for, with the events."""
        if self.rest:
            return self.target.fileno(), select.POLLOUT
        return self.source.fileno(), 0 if self.has_ended else select.POLLIN

    @property
    def is_done(self) -> bool:
        """Whether all data that will ever come has been passed on."""
        return self.has_ended and not self.rest

    def move_on(self, found: dict[int, int]) -> bool:
        """Do what is possible now; return whether the source is still there.

        Raise OSError when a side has gone.
        """
        descriptor, events = self.wants()
        if events & found.get(descriptor, 0) or (not self.is_done and found.get(descriptor, 0) & GONE):
            self._move()
        return not (self.is_done and found.get(self.source.fileno(), 0) & GONE)

    def _move(self) -> None:
        with suppress(BlockingIOError):
            if not self.rest:
                self.rest = self.source.recv(PART)
                if not self.rest:
                    self.has_ended = True
                    self.target.shutdown(_socket.SHUT_WR)
                    return
            self.rest = self.rest[self.target.send(self.rest) :]


class Relay:
    """Relays from the gateway of one network to ports of this machine's loopback."""

    def __init__(self, gateway: str, subnet: str, ports: Iterable[tuple[int, int]]) -> None:
        self._gateway, self._subnet = gateway, subnet
        self._listeners: dict[int, tuple[_socket.socket, int]] = {}
        self.not_reached: list[int] = []
        """Ports that cannot be relayed: another program listens on the gateway's port, or the network has gone."""
        self._pairs: list[tuple[Pipe, Pipe]] = []
        for port, relayed_at in ports:
            listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK)
            try:
                listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
                # The process of each container in the network listens: any of them may take a connection.
                listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEPORT, 1)
                listener.bind((gateway, relayed_at))
                listener.listen(WAITING)
            except OSError:
                listener.close()
                self.not_reached.append(port)
            else:
                self._listeners[listener.fileno()] = listener, port

    def begin(self) -> None:
        """Relay until the process ends."""
        if self._listeners:
            _thread.start_new_thread(self._run, ())

    def _run(self) -> None:
        while True:
            waiting: dict[int, int] = {}
            if len(self._pairs) < MOST:
                waiting = dict.fromkeys(self._listeners, select.POLLIN)
            for pair in self._pairs:
                for descriptor, events in (pipe.wants() for pipe in pair):
                    waiting[descriptor] = waiting.get(descriptor, 0) | events
            poll = select.poll()
            for descriptor, events in waiting.items():
                poll.register(descriptor, events)
            found = dict(poll.poll())
            self._pairs = [pair for pair in self._pairs if is_kept(pair, found)]
            for descriptor in found.keys() & self._listeners.keys():
                self._accept(*self._listeners[descriptor])

    def _accept(self, listener: _socket.socket, port: int) -> None:
        with suppress(OSError):  # the caller has gone again
            descriptor, (address, _) = listener._accept()  # type: ignore[attr-defined]  # noqa: SLF001  what socket.accept calls
            caller = _socket.socket(fileno=descriptor)
            is_ours = address != self._gateway and is_within(address, self._subnet)
            # Any other caller is another user of this machine, or another machine.
            server = connected(port) if is_ours else None
            if server is None:
                caller.close()
                return
            for each in (caller, server):
                each.settimeout(0)
                each.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            self._pairs.append((Pipe(caller, server), Pipe(server, caller)))


def connected(port: int) -> _socket.socket | None:
    """Return a connection to a service of this machine; None when it does not listen."""
    server = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    server.settimeout(ANSWER_SECONDS)
    try:
        server.connect((LOOPBACK, port))
    except OSError:
        server.close()
        return None
    return server


def is_kept(pair: tuple[Pipe, Pipe], found: dict[int, int]) -> bool:
    """Pass on available data; return whether the connection goes on.

    `found`: the events of poll(2) by descriptor.
    """
    try:
        is_over = any(not pipe.move_on(found) for pipe in pair) or all(pipe.is_done for pipe in pair)
    except OSError:
        is_over = True
    if is_over:
        for pipe in pair:
            pipe.source.close()
    return not is_over


def is_within(address: str, subnet: str) -> bool:
    """Return whether an IPv4 address is in a subnet: 172.20.0.3 in 172.20.0.0/16."""
    base, _, bits = subnet.partition("/")
    shift = 32 - int(bits)
    return _number(address) >> shift == _number(base) >> shift


def _number(address: str) -> int:
    return int.from_bytes(_socket.inet_aton(address), "big")

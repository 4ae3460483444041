"""The hold: a port that is bound on both families and not listened on, kept until its service has ended.

It tells whether a port is free, in 9 µs; kept open it keeps the port out of the kernel's choice for
outgoing connections and blocks everybody who binds without SO_REUSEADDR, while uvicorn, node,
redis and postgres still bind and listen over it (measured on Linux).
"""

from __future__ import annotations

import errno
import socket
import sys
from enum import Enum

from devinit.errors import PortError

_NO_IPV6 = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}


class Refusal(Enum):
    """Why a port could not be held."""

    TAKEN = "taken"
    """Somebody listens on it, has it bound without SO_REUSEADDR, or uses it for an outgoing connection."""
    FORBIDDEN = "forbidden"
    """The kernel reserves it for root (below 1024), or a security policy refuses it."""


class Hold:
    """The sockets that keep a port; closed explicitly, or by the kernel when the process ends."""

    def __init__(self, port: int, sockets: tuple[socket.socket, ...]) -> None:
        self.port = port
        self._sockets = sockets

    def close(self) -> None:
        """Let the port go."""
        for each in self._sockets:
            each.close()
        self._sockets = ()


def hold(port: int) -> Hold | Refusal:
    """Bind a port on every address of both families without listening, or say why that failed."""
    if sys.platform != "linux":
        return _probe(port)
    taken: list[socket.socket] = []
    try:
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104 - never listened on
            try:
                taken.append(_bound(family, address, port, reuse=True))
            except OSError as error:
                if family == socket.AF_INET6 and error.errno in _NO_IPV6:
                    continue
                raise
    except OSError as error:
        Hold(port, tuple(taken)).close()
        return _refusal(port, error)
    return Hold(port, tuple(taken))


def assigned_port() -> int | None:
    """Return a port that the kernel chooses, as it does for an outgoing connection; None when it has none left."""
    try:
        bound = _bound(socket.AF_INET, "0.0.0.0", 0, reuse=False)  # noqa: S104 - closed at once
    except OSError:
        return None
    with bound:
        number: int = bound.getsockname()[1]
    return number


def _probe(port: int) -> Hold | Refusal:
    """Try four addresses and keep none of them: what can be done where REUSEADDR means something else.

    On BSD and macOS a wildcard bind with SO_REUSEADDR succeeds over a listener on 127.0.0.1, and a
    bound socket would keep the service itself out.
    """
    addresses = (
        (socket.AF_INET, "0.0.0.0"),  # noqa: S104 - closed at once
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET6, "::"),
        (socket.AF_INET6, "::1"),
    )
    for family, address in addresses:
        try:
            _bound(family, address, port, reuse=False).close()
        except OSError as error:
            if family == socket.AF_INET6 and error.errno in _NO_IPV6:
                continue
            return _refusal(port, error)
    return Hold(port, ())


def _bound(family: socket.AddressFamily, address: str, port: int, *, reuse: bool) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)  # close-on-exec, so no service inherits a hold
    try:
        # Without REUSEADDR the TIME_WAIT leftovers of a dead server would make its port look taken for
        # a minute. REUSEPORT never: it joins another server's port in silence.
        if reuse:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    return bound


def _refusal(port: int, error: OSError) -> Refusal:
    match error.errno:
        case errno.EADDRINUSE:
            return Refusal.TAKEN
        case errno.EACCES | errno.EPERM:
            return Refusal.FORBIDDEN
    raise PortError(f"port {port} cannot be bound: {error.strerror}") from error

"""The hold: a port that is bound on both address families without listening, kept until its service has ended.

One socket covers both families, which saves a descriptor for each of hundreds of services.

Binding shows in 9 µs whether a port is free. While the socket is open, the kernel does not choose the port for
outgoing connections, and programs that bind without SO_REUSEADDR are blocked. uvicorn, node, redis and postgres
still bind and listen over it (measured on Linux).
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from enum import Enum

from devinit.errors import PortError
from devinit.system.descriptors import descriptors

_NO_IPV6 = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}


class Refusal(Enum):
    """Why a port could not be held."""

    TAKEN = "taken"
    """A process listens on it, has it bound without SO_REUSEADDR, or uses it for an outgoing connection."""
    FORBIDDEN = "forbidden"
    """The kernel reserves it for privileged programs (usually below 1024), or a security policy refuses it."""


class Hold:
    """The socket that keeps a port; it is closed explicitly, or by the kernel when the process ends."""

    def __init__(self, port: int, descriptor: int | None = None) -> None:
        self.port = port
        self._descriptor = descriptor

    @property
    def fd(self) -> int | None:
        """The descriptor of the socket; None where none is kept."""
        return self._descriptor

    def close(self) -> None:
        """Release the port."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def hold(port: int) -> Hold | Refusal:
    """Bind a port on every address of both families without listening, or return the reason for the failure."""
    if sys.platform != "linux":
        return _probe(port)
    try:
        return Hold(port, descriptors.keep(_bound_to_both(port).detach()))
    except OSError as error:
        return _refusal(port, error)


def refusal_of(port: int) -> Refusal | None:
    """Return why a port is unavailable, or None. The check holds the port for a moment."""
    held = hold(port)
    if isinstance(held, Hold):
        held.close()
        return None
    return held


def assigned_port() -> int | None:
    """Return a port that the kernel chooses, as for an outgoing connection; None if none is left."""
    try:
        bound = _bound(socket.AF_INET, "0.0.0.0", 0, reuse=False)  # noqa: S104 - closed at once
    except OSError:
        return None
    with bound:
        number: int = bound.getsockname()[1]
    return number


def _probe(port: int) -> Hold | Refusal:
    """Try four addresses and keep none of them: the only option on systems where SO_REUSEADDR works differently.

    On BSD and macOS a wildcard bind with SO_REUSEADDR succeeds over a listener on 127.0.0.1, and a bound socket
    would keep the service itself out.
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
    return Hold(port)


def _bound_to_both(port: int) -> socket.socket:
    try:
        return _bound(socket.AF_INET6, "::", port, reuse=True, both=True)
    except OSError as error:
        if error.errno not in _NO_IPV6:
            raise
    return _bound(socket.AF_INET, "0.0.0.0", port, reuse=True)  # noqa: S104 - never listened on


def _bound(
    family: socket.AddressFamily, address: str, port: int, *, reuse: bool, both: bool = False
) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)  # close-on-exec, so no service inherits a hold
    try:
        # Without REUSEADDR, TIME_WAIT connections of a dead server would make its port look taken for a minute.
        # REUSEPORT is never set: it would silently join the port of another server.
        if reuse:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not both))
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

"""The gateway's sockets for browsers: loopback only, on a port that stays the same.

The port is part of every origin, so it is remembered and leased like any other. Port 80, which URLs omit, is used
if the system lets this user bind it; nothing ever runs as root for that.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path

from devinit.errors import PortsExhausted
from devinit.model.port import LeaseOwner
from devinit.ports.leases import Claim, Lease, LeaseStore, Taken, root_name
from devinit.system.paths import state_directory
from devinit.system.privileged import first_port_for

PLAIN = 80
FIRST, LAST = 7080, 7179
BACKLOG = 1024
"""Number of connections that can wait while Caddy restarts."""
_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_NO_FAMILY = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_TAKEN = {errno.EADDRINUSE, errno.EACCES, errno.EPERM}


class Listening:
    """The port of the gateway, with its sockets and its lease."""

    def __init__(self, port: int, sockets: list[socket.socket], lease: Lease) -> None:
        self.port, self.sockets, self.lease = port, sockets, lease

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Return the descriptors of the sockets, for Caddy to inherit."""
        return tuple(each.fileno() for each in self.sockets)

    def close(self) -> None:
        """Close the sockets and release the lease, which persists in a Caddy that has inherited it."""
        for each in self.sockets:
            each.close()
        self.lease.release(keep_reservation=True)


def candidates(remembered: int | None, lowest: int) -> Iterable[int]:
    """Return the ports to try, in order; pure. `lowest`: the lowest port that this user may bind."""
    usual = [PLAIN] if lowest <= PLAIN else []
    wanted = [*([remembered] if remembered else []), *usual, *range(FIRST, LAST + 1)]
    return dict.fromkeys(port for port in wanted if port >= lowest)


def listen(folder: Path, remembered: int | None) -> Listening:
    """Lease and bind the first available port. Raise PortsExhausted when there is none."""
    store = LeaseStore(state_directory() / "leases")
    for port in candidates(remembered, first_port_for(refuses_root=False)):
        owner = LeaseOwner(
            root=root_name(folder),
            project="devinit",
            service="gateway",
            pid=os.getpid(),
            at=time.time(),
            by_program=True,
        )
        lease = store.take(port, owner)
        if isinstance(lease, Taken):
            continue
        if (sockets := _bound(port)) is not None:
            lease.claim(Claim.KEPT)
            return Listening(port, sockets, lease)
        lease.give_back()
    raise PortsExhausted(
        f"the gateway finds no free port from {FIRST} to {LAST}",
        hint="`devinit ports --all` shows who has them",
    )


def _bound(port: int) -> list[socket.socket] | None:
    """Listen on both loopback addresses; return None if either is taken. A machine may have no IPv6."""
    sockets: list[socket.socket] = []
    for family, address in _LOOPBACK:
        try:
            bound = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((address, port))
            bound.listen(BACKLOG)
        except OSError as error:
            bound.close()
            if family == socket.AF_INET6 and error.errno in _NO_FAMILY:
                continue
            for each in sockets:
                each.close()
            if error.errno in _TAKEN:
                return None
            raise
        sockets.append(bound)
    return sockets

"""Connections of processes to servers on this machine, over TCP and over the Unix sockets of PostgreSQL.

The kernel lists all connections at once. The owner of each is found in the descriptors
of the processes in question.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from devinit.model.port import Listener
from devinit.system.connections import sockets_in
from devinit.system.listeners import socket_inodes, tcp_listeners
from devinit.system.procfs import LINUX
from devinit.system.sockets import ESTABLISHED, LISTEN
from devinit.system.unix_sockets import port_of_postgres, unix_sockets

_EVERY_ADDRESS = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - recognised, not bound


class Peer(NamedTuple):
    """A server on this machine, at the remote end of a connection."""

    port: int
    path: str
    """Path of its Unix socket; empty for TCP."""
    inode: int
    """Inode of the listening socket; it stays the same while the server has the socket."""
    uid: int
    """Owner of the socket; -1 if unknown."""


def client_ends() -> dict[int, Peer]:
    """Return the server for each client end of a connection on this machine, by the inode of that end.

    Empty if that cannot be seen, and without /proc: see `peers_of`.
    """
    return {**dict(_over_tcp()), **dict(_over_unix_sockets())} if LINUX else {}


def peers_of(trees: Mapping[str, Collection[int]], ends: Mapping[int, Peer]) -> dict[str, frozenset[Peer]]:
    """Return the servers to which the processes of each name are connected, from the given `client_ends`.

    Processes that are hidden from us, such as those of other users, appear to have no connections.
    """
    if not LINUX:
        from devinit.system import macos  # loads psutil

        return {name: frozenset(_served(macos.connections_of(pids))) for name, pids in trees.items()}
    return {
        name: frozenset(ends[inode] for pid in pids for inode in ends.keys() & socket_inodes(pid))
        for name, pids in trees.items()
    }


def _over_tcp() -> Iterator[tuple[int, Peer]]:
    listening = _by_port(tcp_listeners())
    for one in sockets_in(1 << ESTABLISHED, None):
        # Both ends are listed; the end of the server has the listening port.
        is_client = one.state == ESTABLISHED and one.inode and one.port not in listening
        if is_client and is_here(one.address, one.peer):
            found = _listener_at(one.peer, listening.get(one.peer_port, ()))
            if found is not None:
                yield one.inode, Peer(one.peer_port, "", found.inode, found.uid)


def _over_unix_sockets() -> Iterator[tuple[int, Peer]]:
    try:
        found = list(unix_sockets())
    except OSError:
        return  # refused by a sandbox, or a kernel without unix_diag
    ports = {one.inode: port for one in found if (port := port_of_postgres(one.path)) is not None}
    if not ports:
        return
    servers = {one.path: one for one in found if one.state == LISTEN and one.inode in ports}
    paths = {one.inode: one.path for one in found if one.inode in ports}
    for one in found:
        if not one.path and one.peer in ports and (server := servers.get(paths[one.peer])) is not None:
            yield one.inode, Peer(ports[one.peer], server.path, server.inode, server.uid)


def is_here(address: str, peer: str) -> bool:
    """Whether both ends of a connection are on this machine.

    A client that connects to a non-loopback address of its own machine uses the same address itself.
    """
    return peer == address or peer.startswith("127.") or peer == "::1"


def _served(connections: Iterable[tuple[str, int, str, int]]) -> Iterator[Peer]:
    """Yield the servers of connections, which are given as local address and port, peer address and port."""
    listening = _by_port(tcp_listeners())
    for address, port, peer, peer_port in connections:
        if port not in listening and is_here(address, peer):
            found = _listener_at(peer, listening.get(peer_port, ()))
            if found is not None:
                yield Peer(peer_port, "", found.inode, found.uid)


def _by_port(listeners: Iterable[Listener]) -> dict[int, list[Listener]]:
    found: dict[int, list[Listener]] = {}
    for each in listeners:
        found.setdefault(each.port, []).append(each)
    return found


def _listener_at(address: str, listeners: Collection[Listener]) -> Listener | None:
    """Return the listener on one port that answers at an address: the one with the most specific address."""
    family = 6 if ":" in address else 4
    exact = (each for each in listeners if each.address == address)
    every = (each for each in listeners if each.family == family and each.address == _EVERY_ADDRESS[family])
    both = (
        each
        for each in listeners
        if family == 4 and each.address == _EVERY_ADDRESS[6] and each.dual_stack is not False  # noqa: PLR2004
    )
    return next(chain(exact, every, both), None)

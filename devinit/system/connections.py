"""Processes that are connected to a port, or use it without listening, and so appear in no list of listeners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import TypeAlias

from devinit.model.port import PortUse, UseState
from devinit.system.facts import facts_of, user_name
from devinit.system.listeners import holders_of
from devinit.system.procfs import LINUX
from devinit.system.sockets import (
    ALL_BUT_LISTENING,
    CLOSE,
    ESTABLISHED,
    LISTEN,
    LISTENING,
    TIME_WAIT,
    Socket,
    ask_kernel,
    find,
    read_tables,
)

Address: TypeAlias = tuple[str, int]
"""A numeric address and a port."""


def clients_of(ports: Collection[int]) -> dict[int, int]:
    """Count the established connections to each of these ports, including those that wait to be accepted."""
    if not LINUX:
        from devinit.system import macos  # loads psutil

        found: Iterable[int] = macos.connected_ports()
    else:
        only = next(iter(ports)) if len(ports) == 1 else None
        found = (one.port for one in sockets_in(1 << ESTABLISHED, only) if one.state == ESTABLISHED)
    counted = Counter(port for port in found if port in ports)
    return {port: counted[port] for port in ports}


def is_accepted(port: int, peer_port: int) -> bool:
    """Whether the server on a port has accepted the connection from this local port, or has closed it since.

    The kernel connects clients by itself and queues them. Until a process accepts a connection, no process holds
    it, and its inode is 0 (measured). True if the state cannot be seen.
    """
    if not LINUX:
        return True
    mine = (one for one in sockets_in(1 << ESTABLISHED, port) if one.peer_port == peer_port)
    return all(one.inode for one in mine if one.state == ESTABLISHED)


def arrives(client: Address, server: Address) -> bool:
    """Whether a connection ends at the address to which its client connected. True if that cannot be seen.

    The kernel may redirect it (a DNAT or REDIRECT rule, an eBPF program). Its other end is then a socket
    with another address, on this machine or not, and the server that listens here never sees it. Only
    valid for an open connection.
    """
    if not LINUX:
        return True
    try:
        if find(*server, *client) is not None:
            return True
        # If our own end is missing, the connection was closed meanwhile, and the other end may have gone with it.
        return find(*client, *server) is None or find(*server, *client) is not None
    except OSError:
        return True


def waiting_clients(port: int) -> int:
    """Count the connections to a port that no process has accepted yet; 0 if that cannot be seen."""
    if not LINUX:
        return 0
    return sum(one.queued for one in sockets_in(LISTENING, port) if one.state == LISTEN)


def use_of(port: int) -> PortUse | None:
    """Return who uses a port without listening: an outgoing connection, or a socket that is only bound.

    Return None if no process does, or if it cannot be seen. Kernels since 6.8 report sockets that are only bound.
    """
    if not LINUX:
        return None
    found = [one for one in sockets_in(ALL_BUT_LISTENING, port) if one.state != LISTEN]
    if not found:
        return None
    best = min(found, key=_explanation_rank)
    state = _state(best)
    pids = holders_of({best.inode})[best.inode] if best.inode else []
    peer = f"[{best.peer}]" if ":" in best.peer else best.peer
    return PortUse(
        state=state,
        user=user_name(best.uid),
        peer="" if state is UseState.BOUND else f"{peer}:{best.peer_port}",
        processes=tuple(facts for pid in pids if (facts := facts_of(pid)) is not None),
    )


def sockets_in(states: int, port: int | None) -> list[Socket]:
    """Return the TCP sockets in a set of states (bits), on one local port or on all.

    If netlink is refused, the result includes sockets in other states.
    """
    try:
        return list(ask_kernel(states, port))
    except OSError:
        # Refused by a sandbox (gVisor, seccomp), or a kernel without tcp_diag.
        return list(read_tables(port))


def _state(found: Socket) -> UseState:
    # Asked for bit 13 (TCP_BOUND_INACTIVE), the kernel answers with the state that the socket has: CLOSE.
    if found.state == CLOSE:
        return UseState.BOUND
    return UseState.CLOSED if found.state == TIME_WAIT else UseState.CONNECTED


def _explanation_rank(found: Socket) -> int:
    """Return a rank by how well a socket explains that the port cannot be bound; the best is 0."""
    return (UseState.CONNECTED, UseState.BOUND, UseState.CLOSED).index(_state(found))

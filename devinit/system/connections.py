"""Which processes are connected to a port, or use it without listening: what a list of listeners does not show."""

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
    """Count the established connections to each of these ports, those that wait to be accepted included."""
    if not LINUX:
        from devinit.system import macos  # loads psutil

        found: Iterable[int] = macos.connected_ports()
    else:
        only = next(iter(ports)) if len(ports) == 1 else None
        found = (one.port for one in sockets_in(1 << ESTABLISHED, only) if one.state == ESTABLISHED)
    counted = Counter(port for port in found if port in ports)
    return {port: counted[port] for port in ports}


def is_accepted(port: int, peer_port: int) -> bool:
    """Whether the server on a port has accepted the connection from this local port, or closed it since.

    The kernel connects clients by itself and lets them wait in a queue. Until a process takes it from there, a
    connection is nothing that a process can hold: its inode is 0 (measured). True where that cannot be seen.
    """
    if not LINUX:
        return True
    mine = (one for one in sockets_in(1 << ESTABLISHED, port) if one.peer_port == peer_port)
    return all(one.inode for one in mine if one.state == ESTABLISHED)


def arrives(client: Address, server: Address) -> bool:
    """Whether a connection ends at the address that its client connected to. True where that cannot be seen.

    The kernel may redirect it (a DNAT or REDIRECT rule, a program of eBPF): then its other end is a socket of
    another address, on this machine or not, and what listens here never sees it. Ask while it is open.
    """
    if not LINUX:
        return True
    try:
        if find(*server, *client) is not None:
            return True
        # Without our own end it was closed meanwhile, and the other end may have gone with it.
        return find(*client, *server) is None or find(*server, *client) is not None
    except OSError:
        return True


def waiting_clients(port: int) -> int:
    """Count the connections to a port that no process has accepted yet; 0 where that cannot be seen."""
    if not LINUX:
        return 0
    return sum(one.queued for one in sockets_in(LISTENING, port) if one.state == LISTEN)


def use_of(port: int) -> PortUse | None:
    """Say who uses a port without listening: an outgoing connection, or a socket that is only bound.

    Return None when no process does, or when it cannot be seen. Sockets that are only bound are known from
    kernels since 6.8.
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

    Where netlink is refused, sockets in other states are among them.
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
    """Order by how well a socket explains that the port cannot be bound: the best first."""
    return (UseState.CONNECTED, UseState.BOUND, UseState.CLOSED).index(_state(found))

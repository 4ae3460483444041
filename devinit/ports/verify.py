"""The check that our service listens on its port: a successful connection does not show who answered."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from msgspec import Struct

from devinit.model.port import Listener
from devinit.system.listeners import ephemeral_range, socket_inodes, tcp_listeners
from devinit.system.procfs import command_line_of

SIDE_PORTS = frozenset({2345, 5005, 5678, 9229, 9230, 24678, 35729})
"""Default ports of debuggers (Delve, Java, debugpy, Node) and of page reloaders (Vite inside another server,
LiveReload). They open before the server itself does, for seconds while it compiles.

Sources: the documentation of each program.
"""
DEBUGGER, ADAPTER = "debugpy", "debugpy/adapter"
"""Found in the command lines of a debugged program, and of the adapter between it and its client.

Both listen on random ports for each other: briefly at first, then while the server loads or waits for the client
(debugpy 1.8).
"""


class Ours(Struct, frozen=True):
    """The service listens on its port, and no other process does on either address family."""

    pids: tuple[int, ...]
    """The processes of the service that hold the listening sockets."""


class Nobody(Struct, frozen=True):
    """The service does not listen yet, on this port or any other."""


class Foreign(Struct, frozen=True):
    """Another process listens on the port, possibly on the other family next to the service."""

    listeners: tuple[Listener, ...]


class Elsewhere(Struct, frozen=True):
    """No process listens on the port, but the service listens on others."""

    ports: tuple[int, ...]


Ownership: TypeAlias = Ours | Nobody | Foreign | Elsewhere


def ownership(port: int, pids: Collection[int], *, expected: Collection[int] = ()) -> Ownership:
    """Return who listens on a port, for a service with the process tree `pids`; takes 0.05-0.4 ms.

    `expected` are the service's other ports (such as a debugger's). They do not count
    as a move, nor do SIDE_PORTS or the ports that a debugger opens for itself.
    """
    held = {pid: socket_inodes(pid) for pid in pids}
    ours = frozenset[int]().union(*held.values())
    here = tcp_listeners(port)
    if foreign := tuple(found for found in here if found.inode not in ours):
        return Foreign(foreign)
    if here:
        inodes = {found.inode for found in here}
        return Ours(tuple(pid for pid, sockets in held.items() if sockets & inodes))
    others = {found.inode: found.port for found in tcp_listeners() if found.inode in ours}
    elsewhere = set(others.values()) - {port, *expected, *SIDE_PORTS}
    if elsewhere:
        for pid, sockets in held.items():
            elsewhere -= of_debugger(pid, {others[inode] for inode in sockets & others.keys()})
    return Elsewhere(tuple(sorted(elsewhere))) if elsewhere else Nobody()


def of_debugger(pid: int, ports: Collection[int]) -> set[int]:
    """Return the ports of a process on which the parts of a debugger listen for each other."""
    command = command_line_of(pid) if ports else ""
    if ADAPTER in command:
        return set(ports)
    return {each for each in ports if each in ephemeral_range()} if DEBUGGER in command else set()


def ownership_by_record(port: int, address: str, stands_for: int) -> Ownership:
    """Return who listens on a port that belongs to a container, according to its engine, at one address.

    An engine assigns a port to only one container at a time. The pid `stands_for` represents that container.
    """
    here = tcp_listeners(port)
    if not here:
        return Nobody()
    foreign = tuple(found for found in here if found.address != address)
    return Foreign(foreign) if foreign else Ours((stands_for,))

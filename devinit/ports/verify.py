"""Is it our service that listens there? A connection that succeeds proves nothing about who answered."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from msgspec import Struct

from devinit.model.port import Listener
from devinit.system.listeners import socket_inodes, tcp_listeners
from devinit.system.procfs import command_line_of

SIDE_PORTS = frozenset({2345, 5005, 5678, 9229, 9230, 24678, 35729})
"""Where debuggers listen by default (Delve, Java, debugpy, Node), and what reloads pages (Vite as a part of
another server, LiveReload). They are there before the server itself, for seconds while it is compiled.

Sources: the documentation of each of them.
"""

ADAPTERS = ("debugpy/adapter",)
"""In the command line of a process between a debugger and its client: it listens at a random port, too, for the
processes that it debugs, while the server is loaded or waits for the client (debugpy 1.8)."""


class Ours(Struct, frozen=True):
    """The service listens on its port, and no other process does, on either family."""

    pids: tuple[int, ...]
    """Which of its processes hold the listening sockets."""


class Nobody(Struct, frozen=True):
    """The service does not listen yet, neither there nor elsewhere."""


class Foreign(Struct, frozen=True):
    """Another process listens on the port, possibly on the other family beside the service."""

    listeners: tuple[Listener, ...]


class Elsewhere(Struct, frozen=True):
    """No process listens on the port, but the service does on others."""

    ports: tuple[int, ...]


Ownership: TypeAlias = Ours | Nobody | Foreign | Elsewhere


def ownership(port: int, pids: Collection[int], *, expected: Collection[int] = ()) -> Ownership:
    """Tell who listens on a port, for a service whose tree is `pids`; takes 0.05-0.4 ms.

    `expected` are the service's other ports (a debugger's), which are not taken for a move; nor are SIDE_PORTS
    and those of ADAPTERS.
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
        aside = [sockets for pid, sockets in held.items() if sockets & others.keys() and is_adapter(pid)]
        elsewhere -= {others[inode] for inode in frozenset[int]().union(*aside) & others.keys()}
    return Elsewhere(tuple(sorted(elsewhere))) if elsewhere else Nobody()


def is_adapter(pid: int) -> bool:
    """Whether a process stands between a debugger and its client."""
    command = command_line_of(pid)
    return any(each in command for each in ADAPTERS)


def ownership_by_record(port: int, address: str, stands_for: int) -> Ownership:
    """Tell who listens on a port that an engine has, by its own record, for a container and at one address.

    An engine has a port for one container at a time. The process `stands_for` stands for that.
    """
    here = tcp_listeners(port)
    if not here:
        return Nobody()
    foreign = tuple(found for found in here if found.address != address)
    return Foreign(foreign) if foreign else Ours((stands_for,))

"""Listeners on TCP ports, and the processes that hold their sockets.

The kernel lists sockets at once. The process that holds a socket has to be found in the /proc/PID/fd of every
process in question, so the likely ones are read first.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from devinit.model.port import Listener
from devinit.system.procfs import LINUX, process_ids, read, thread_folders
from devinit.system.sockets import LISTEN, LISTENING, ask_kernel, read_tables

_GONE_OR_HIDDEN = frozenset({errno.ENOENT, errno.ESRCH, errno.EACCES, errno.EPERM})


def tcp_listeners(port: int | None = None) -> list[Listener]:
    """Return the listening TCP sockets, on one port or on all, of both address families."""
    if not LINUX:
        from devinit.system import macos  # loads psutil

        return [found for found in macos.listeners() if port in (None, found.port)]
    try:
        found = list(ask_kernel(LISTENING, port))
    except OSError:
        # Refused by a sandbox (gVisor, seccomp), or a kernel without tcp_diag.
        found = list(read_tables(port))
    return [
        Listener(
            port=one.port,
            address=one.address,
            family=one.family,
            dual_stack=one.dual_stack,
            inode=one.inode,
            uid=one.uid,
        )
        for one in found
        if one.state == LISTEN
    ]


def socket_inodes(pid: int) -> set[int]:
    """Return the inodes of all sockets that a process holds; empty if it is gone or hidden from us."""
    if not LINUX:
        from devinit.system import macos  # loads psutil

        return {found.inode for found in macos.listeners([pid])}
    return set(_sockets_in(f"/proc/{pid}/fd"))


def holders_of(inodes: set[int], first: Sequence[int] = (), *, every: bool = False) -> dict[int, list[int]]:
    """Return the visible pids that hold each socket; an empty list for a socket without any.

    The processes in `first` are read first, and no others if they hold all sockets. Use `every` before a kill: a
    forked worker anywhere may hold the same socket and keep the port.
    """
    holders: dict[int, list[int]] = {inode: [] for inode in inodes}
    _collect(first, holders)
    if every or not all(holders.values()):
        asked = set(first)
        _collect((pid for pid in process_ids() if pid not in asked), holders)
    if LINUX and (missing := {inode: pids for inode, pids in holders.items() if not pids}):
        _collect(process_ids(), missing, of_threads)
    return holders


def ephemeral_range() -> range:
    """Return the ports that the kernel gives to outgoing connections."""
    if not LINUX:
        return range(49152, 65536)
    found = read("/proc/sys/net/ipv4/ip_local_port_range")
    low, high = found.split() if found else (32768, 60999)
    return range(int(low), int(high) + 1)


def of_threads(pid: int) -> set[int]:
    """Return the inodes of all sockets that the threads of a process hold.

    They differ from those of the process if its main thread has ended, or if a thread has its own descriptors.
    """
    return {inode for folder in thread_folders(pid) for inode in _sockets_in(f"{folder}/fd")}


def _collect(
    pids: Iterable[int], holders: dict[int, list[int]], sockets_of: Callable[[int], set[int]] = socket_inodes
) -> None:
    for pid in pids:
        for inode in holders.keys() & sockets_of(pid):
            if pid not in holders[inode]:
                holders[inode].append(pid)


def _sockets_in(directory: str) -> Iterator[int]:
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        # Any other error (such as no free descriptor) must not look as if the process held no socket.
        if error.errno in _GONE_OR_HIDDEN:
            return
        raise
    # Names relative to the opened folder: resolving the whole path for each takes 10 % longer.
    try:
        for name in os.listdir(descriptor):
            try:
                target = os.readlink(name, dir_fd=descriptor)
            except OSError:  # closed in the meantime
                continue
            if target.startswith("socket:["):
                yield int(target[8:-1])
    except OSError as error:  # the process ended in the meantime
        if error.errno not in _GONE_OR_HIDDEN:
            raise
    finally:
        os.close(descriptor)

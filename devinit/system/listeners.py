"""Who listens on a TCP port, and which processes hold the socket.

The kernel's socket diagnosis (netlink) answers in 0.03 ms where /proc/net/tcp takes 9 ms, because it
walks only the listeners; which process holds a socket has to be read from every /proc/PID/fd in question.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from devinit.model.port import Listener
from devinit.system.processes import facts_of, process_ids, user_name

_LINUX = sys.platform.startswith("linux")

# <linux/netlink.h>, <linux/sock_diag.h>, <linux/inet_diag.h>
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301
_ERROR, _DONE = 2, 3
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI H46s")
_ROW = struct.Struct("=BBBB 2s2s 16s16s I8s IIIII")
_ERROR_CODE = struct.Struct("=i")
_BUFFER = 65536

_ESTABLISHED, _SYN_SENT, _TIME_WAIT, _LISTEN, _BOUND_INACTIVE = 1, 2, 6, 10, 13
_LISTENING = 1 << _LISTEN
_ALL_BUT_LISTENING = ((1 << 14) - 1) & ~_LISTENING

_MAPPED = b"\0" * 10 + b"\xff\xff"
_FAMILIES = {socket.AF_INET: 4, socket.AF_INET6: 6}


class _Socket(NamedTuple):
    """A TCP socket of this machine, listening or not."""

    state: int
    family: int
    port: int
    address: str
    peer: str
    peer_port: int
    uid: int
    inode: int


def tcp_listeners(port: int | None = None) -> list[Listener]:
    """Return the TCP sockets that listen, on one port or on all, of both address families."""
    if not _LINUX:
        return [found for found in _listeners_by_psutil() if port in (None, found.port)]
    try:
        found = list(_ask_kernel(_LISTENING, port))
    except OSError:
        # Refused by a sandbox (gVisor, seccomp), or a kernel without tcp_diag.
        found = list(_read_tables(port))
    return [
        Listener(port=one.port, address=one.address, family=one.family, inode=one.inode, uid=one.uid)
        for one in found
        if one.state == _LISTEN
    ]


def socket_inodes(pid: int) -> set[int]:
    """Return the inodes of all sockets that a process holds; empty when it is gone or hidden from us."""
    if not _LINUX:
        return {found.inode for found in _listeners_by_psutil([pid])}
    return set(_sockets_in(f"/proc/{pid}/fd"))


def holders_of(inodes: set[int], first: Sequence[int] = (), *, every: bool = False) -> dict[int, list[int]]:
    """Return the pids that hold each socket, of those visible to us; a socket without any is an empty list.

    The processes of `first` are asked first, and nobody else when they hold all of them. Before a kill
    ask `every`: a forked worker anywhere may hold the same socket and keep the port.
    """
    holders: dict[int, list[int]] = {inode: [] for inode in inodes}
    _collect(first, holders)
    if every or not all(holders.values()):
        asked = set(first)
        _collect((pid for pid in process_ids() if pid not in asked), holders)
    return holders


def listening_ports_of(pids: Iterable[int]) -> list[Listener]:
    """Return what these processes listen on."""
    if not _LINUX:
        return _listeners_by_psutil(pids)
    held = {inode for pid in pids for inode in socket_inodes(pid)}
    return [found for found in tcp_listeners() if found.inode in held] if held else []


def connection_on(port: int) -> str | None:
    """Describe who uses a port without listening: an outgoing connection, or a socket that is only bound.

    Return None when nobody does, or when it cannot be seen. Sockets that are only bound are told by
    kernels since 6.8.
    """
    if not _LINUX:
        return None
    try:
        found = list(_ask_kernel(_ALL_BUT_LISTENING, port))
    except OSError:
        found = [one for one in _read_tables(port) if one.state != _LISTEN]
    if not found:
        return None
    return _describe(min(found, key=_strength))


def ephemeral_range() -> range:
    """Return the ports that the kernel gives to outgoing connections."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            low, high = file.read().split()
    except OSError:
        return range(49152, 65536) if sys.platform == "darwin" else range(32768, 61000)
    return range(int(low), int(high) + 1)


def _collect(pids: Iterable[int], holders: dict[int, list[int]]) -> None:
    for pid in pids:
        for inode in holders.keys() & socket_inodes(pid):
            if pid not in holders[inode]:
                holders[inode].append(pid)


def _sockets_in(directory: str) -> Iterator[int]:
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        try:
            target = os.readlink(f"{directory}/{name}")
        except OSError:  # closed while we look
            continue
        if target.startswith("socket:["):
            yield int(target[8:-1])


def _strength(found: _Socket) -> int:
    """Order by how well a socket explains that the port cannot be bound."""
    order = {_SYN_SENT: 0, _ESTABLISHED: 0, _BOUND_INACTIVE: 1, _TIME_WAIT: 3}
    return order.get(found.state, 2)


def _describe(found: _Socket) -> str:
    peer = f"[{found.peer}]" if ":" in found.peer else found.peer
    if found.state == _TIME_WAIT:
        return f"a connection to {peer}:{found.peer_port} that was closed less than a minute ago"
    who = _who(found)
    if found.state == _BOUND_INACTIVE:
        return f"{who} has bound it without listening"
    return f"{who} uses it for a connection to {peer}:{found.peer_port}"


def _who(found: _Socket) -> str:
    pids = holders_of({found.inode})[found.inode] if found.inode else []
    facts = facts_of(pids[0]) if pids else None
    if facts is None:
        return f"a process of user {user_name(found.uid)}"
    return f"{facts.name} (pid {facts.identity.pid})"


def _ask_kernel(states: int, port: int | None) -> Iterator[_Socket]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as link:
        for family in _FAMILIES:
            request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, states, socket.htons(port or 0), b"")
            header = _HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 0, 0)
            link.send(header + request)
            yield from _answer(link)


def _answer(link: socket.socket) -> Iterator[_Socket]:
    while True:
        data = link.recv(_BUFFER)
        start = 0
        while start < len(data):
            length, kind, _, _, _ = _HEADER.unpack_from(data, start)
            if kind == _DONE:
                return
            if kind == _ERROR:
                code = -_ERROR_CODE.unpack_from(data, start + _HEADER.size)[0]
                raise OSError(code, os.strerror(code))
            yield _parse_row(data, start + _HEADER.size)
            start += (length + 3) & ~3


def _parse_row(data: bytes, start: int) -> _Socket:
    family, state, _, _, port, peer_port, source, destination, _, _, _, _, _, uid, inode = _ROW.unpack_from(
        data, start
    )
    version, address = _address(family, source)
    _, peer = _address(family, destination)
    return _Socket(
        state,
        version,
        int.from_bytes(port, "big"),
        address,
        peer,
        int.from_bytes(peer_port, "big"),
        uid,
        inode,
    )


def _address(family: int, raw: bytes) -> tuple[int, str]:
    """Return 4 or 6 and the address in text."""
    if family == socket.AF_INET:
        return 4, socket.inet_ntop(socket.AF_INET, raw[:4])
    if raw.startswith(_MAPPED):  # Java binds ::ffff:127.0.0.1, which serves IPv4 alone
        return 4, socket.inet_ntop(socket.AF_INET, raw[12:])
    return 6, socket.inet_ntop(socket.AF_INET6, raw)


def _read_tables(port: int | None) -> Iterator[_Socket]:
    for path, family in (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6)):
        try:
            with open(path, encoding="ascii") as file:
                rows = file.readlines()[1:]
        except FileNotFoundError:  # no IPv6
            continue
        for row in rows:
            fields = row.split()
            version, address, own_port = _parse_endpoint(family, fields[1])
            if port in (None, own_port):
                _, peer, peer_port = _parse_endpoint(family, fields[2])
                state = int(fields[3], 16)
                yield _Socket(
                    state, version, own_port, address, peer, peer_port, int(fields[7]), int(fields[9])
                )


def _parse_endpoint(family: int, text: str) -> tuple[int, str, int]:
    address, _, port = text.partition(":")
    # 32-bit words in the machine's byte order.
    words = (int(address[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(address), 8))
    version, readable = _address(family, b"".join(words))
    return version, readable, int(port, 16)


def _listeners_by_psutil(pids: Iterable[int] | None = None) -> list[Listener]:
    import psutil  # cold start, and never needed on Linux

    found = []
    for pid in process_ids() if pids is None else pids:
        try:
            process = psutil.Process(pid)
            for one in process.net_connections("tcp"):
                if one.status == psutil.CONN_LISTEN:
                    address, port = one.laddr
                    found.append(
                        Listener(
                            port=port,
                            address=address,
                            family=_FAMILIES[socket.AddressFamily(one.family)],
                            inode=pid << 16 | port,
                            uid=process.uids().effective,
                        )
                    )
        except (psutil.Error, OSError):  # gone, or another user's
            continue
    return found

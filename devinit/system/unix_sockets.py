"""The kernel's list of Unix sockets, as needed for PostgreSQL servers, by netlink (sock_diag)."""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from devinit.system.sockets import ESTABLISHED, LISTEN, NETLINK_SOCK_DIAG, dump

# <linux/unix_diag.h>
_SHOW_NAME, _SHOW_PEER, _SHOW_UID = 0x01, 0x04, 0x40
_NAME, _PEER, _UID = 0, 2, 7
_REQUEST = struct.Struct("=BBHIII8s")
_ROW = struct.Struct("=BBBBI8s")
_ATTRIBUTE = struct.Struct("=HH")
_NUMBER = struct.Struct("=I")
_NO_COOKIE = b"\xff" * 8
_OF_POSTGRES = re.compile(r"\.s\.PGSQL\.(\d{1,5})")
"""The name of a PostgreSQL socket, with the number of its port (runtime-config-connection, `port`)."""


class UnixSocket(NamedTuple):
    """A Unix socket of this machine that is connected or listens."""

    state: int
    inode: int
    path: str
    """Empty for the end of a client."""
    peer: int
    """The inode of the other end; 0 if there is none."""
    uid: int
    """The owner; -1 if the kernel does not report it (before Linux 5.3)."""


def unix_sockets() -> Iterator[UnixSocket]:
    """Yield the Unix sockets that are connected or listen. Raise OSError when refused."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG) as link:
        states = 1 << ESTABLISHED | 1 << LISTEN
        shown = _SHOW_NAME | _SHOW_PEER | _SHOW_UID
        request = _REQUEST.pack(socket.AF_UNIX, 0, 0, states, 0, shown, _NO_COOKIE)
        yield from (_parse_row(*row) for row in dump(link, request))


def port_of_postgres(path: str) -> int | None:
    """Return the port in the path of a PostgreSQL socket; None for any other path."""
    found = _OF_POSTGRES.fullmatch(path.rpartition("/")[2])
    return int(found[1]) if found else None


def _parse_row(data: bytes, start: int, end: int) -> UnixSocket:
    _, _, state, _, inode, _ = _ROW.unpack_from(data, start)
    path, peer, uid = "", 0, -1
    start += _ROW.size
    while start + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, start)
        if length < _ATTRIBUTE.size:
            break
        value = data[start + _ATTRIBUTE.size : start + length]
        if kind == _NAME:
            # An abstract name begins with a NUL byte, and is no path.
            path = "" if value.startswith(b"\0") else os.fsdecode(value.rstrip(b"\0"))
        elif kind == _PEER:
            peer = _NUMBER.unpack_from(value)[0]
        elif kind == _UID:
            uid = _NUMBER.unpack_from(value)[0]
        start += (length + 3) & ~3
    return UnixSocket(state, inode, path, peer, uid)

"""Ports that are assigned to applications in PM2, running or stopped; no service gets one of them.

A stopped application has no socket or lease that would show its port, and takes the port again on `pm2 restart`.
devinit queries PM2's daemon in its own protocol, in 4 ms, where starting `pm2 jlist` takes 200. Without a daemon,
the list that `pm2 save` wrote counts.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from devinit.errors import StateFileError
from devinit.model.port import HIGHEST_PORT
from devinit.system.files import read_text

PATIENCE_SECONDS = 0.5
"""Time limit for the daemon; a start continues without its answer."""
_LONGEST_ANSWER = 32 * 1024 * 1024
_CALL = {"type": "call", "method": "getMonitorData", "args": [{}]}
_LENGTH = struct.Struct(">I")
_VERSION = 0x10


class Application(Struct, frozen=True, kw_only=True):
    """An application of PM2 with a port in its environment."""

    name: str
    port: int
    directory: str
    """Its working directory."""
    home: str
    """The folder of its PM2."""

    @property
    def delete_command(self) -> str:
        """The shell command that removes the application from PM2."""
        usual = os.path.expanduser("~/.pm2")  # noqa: PTH111 - a text that is shown
        at = "" if self.home == usual else f"PM2_HOME={shlex.quote(self.home)} "
        return f"{at}pm2 delete {shlex.quote(self.name)}"


def applications(environ: Mapping[str, str]) -> dict[int, Application]:
    """Return the applications of the caller's PM2 by port; unreadable data assigns no port."""
    home = environ.get("PM2_HOME") or os.path.join(environ.get("HOME") or "~", ".pm2")  # noqa: PTH118 - text
    home = os.path.expanduser(home)  # noqa: PTH111
    try:
        if os.stat(home).st_uid != os.geteuid():  # noqa: PTH116
            return {}
    except (OSError, ValueError):
        return {}
    described = _of_daemon(f"{home}/rpc.sock")
    if described is None:
        described = _saved(f"{home}/dump.pm2")
    return {each.port: each for each in _with_ports(described, home)}


def _with_ports(described: object, home: str) -> Iterator[Application]:
    """Yield the applications with a port. A description is in PM2's free form, so its types are checked here."""
    for each in described if isinstance(described, list) else ():
        if not isinstance(each, dict):
            continue
        environment = each.get("pm2_env", each)
        if not isinstance(environment, dict):
            continue
        port = _port(environment.get("PORT"))
        if port is not None:
            name, directory = environment.get("name"), environment.get("pm_cwd")
            yield Application(name=str(name), port=port, directory=str(directory or ""), home=home)


def _port(value: object) -> int | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(HIGHEST_PORT)) else 0
    return number if 1 <= number <= HIGHEST_PORT else None


def _saved(path: str) -> object:
    try:
        return json.loads(read_text(path) or "[]")
    except (StateFileError, ValueError, RecursionError):
        return []


def _of_daemon(path: str) -> object:
    """Return the list of applications from PM2's daemon, or None without an answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_SECONDS)
            connection.connect(path)
            connection.sendall(_message(f"j:{json.dumps(_CALL)}", "s:devinit"))
            answer = _first_part(connection, deadline)
        # An error has the form {"error": …}, a result {"args": [the list]}.
        document: Any = json.loads(answer.removeprefix(b"j:"))
        return document["args"][0]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def _message(*parts: str) -> bytes:
    """Return a message in the format of PM2's `amp` library: number of parts, then each part with its length."""
    encoded = [part.encode() for part in parts]
    return bytes([_VERSION | len(parts)]) + b"".join(_LENGTH.pack(len(each)) + each for each in encoded)


def _first_part(connection: socket.socket, deadline: float) -> bytes:
    received = b""
    size = 1 + _LENGTH.size
    while len(received) < size:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError
        received += chunk
        if len(received) > _LENGTH.size:
            size = 1 + _LENGTH.size + _LENGTH.unpack_from(received, 1)[0]
            if size > _LONGEST_ANSWER:
                raise ConnectionError
    return received[1 + _LENGTH.size : size]

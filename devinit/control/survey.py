"""One request to many supervisors at once; a supervisor that hangs only costs its own answer."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterable
from typing import Any

from devinit.control.greeting import HELLO, Greeting

Json = dict[str, Any]
# The sender has validated data on the wire; it is passed on unchanged.

_CHUNK = 65536


def ask_all(paths: Iterable[str], method: str, params: Json, *, seconds: float) -> dict[str, Json | None]:
    """Return the result of each supervisor that listens at one of these sockets; None: no answer in time.

    Paths without a listening supervisor, or with one that was going away, are left out. For a supervisor that we
    cannot talk to, the result contains its `root`, and `apart`: the versions that do not understand each other.
    """
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n"
    calls = [_Call(path) for path in dict.fromkeys(paths)]
    try:
        poll = select.poll()
        open_calls = {call.fileno(): call for call in calls if call.ask(request)}
        for descriptor in open_calls:
            poll.register(descriptor, select.POLLIN)
        deadline = time.monotonic() + seconds
        while open_calls and (left := deadline - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(left * 1000):
                if not open_calls[descriptor].listen():
                    poll.unregister(descriptor)
                    del open_calls[descriptor]
    finally:
        for call in calls:
            call.close()
    return {call.path: call.result for call in calls if call.is_answered or call.is_waiting}


class _Call:
    """One request to one supervisor."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.result: Json | None = None
        self.is_answered = self.is_waiting = False
        self._received = bytearray()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(0)

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when data has arrived."""
        return self._socket.fileno()

    def ask(self, request: bytes) -> bool:
        """Connect and send the request; return whether an answer may come."""
        try:
            self._socket.connect(self.path)
            self._socket.sendall(request)
        except BlockingIOError:
            self.is_waiting = True  # its queue is full of clients that it does not accept: it hangs
            return False
        except OSError:
            return False
        self.is_waiting = True
        return True

    def listen(self) -> bool:
        """Read the data that has arrived; return whether more may come."""
        try:
            chunk = self._socket.recv(_CHUNK)
        except OSError:
            chunk = b""
        self._received += chunk
        for line in self._received.split(b"\n")[:-1]:
            try:
                message: Json = json.loads(line)
            except (ValueError, RecursionError):
                message = {}  # not a supervisor of ours: no answer
            if not isinstance(message, dict):
                continue
            if message.get("method") == HELLO and not self.is_answered:
                greeting = Greeting(message.get("params") or {})
                if not greeting.is_understood:
                    self.is_answered = True
                    self.result = {"root": greeting.root, "apart": greeting.beside_ours()}
            elif message.get("id") == 1 and not self.is_answered:
                self.is_answered, self.result = True, message.get("result")
        self.is_waiting = bool(chunk) and not self.is_answered
        return self.is_waiting

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

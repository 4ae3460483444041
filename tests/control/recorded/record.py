"""Record the conversations between the commands and the supervisor of this checkout.

    python -m tests.control.recorded.record > tests/control/recorded/wire-N.json

A recording is made once, by the code of the commit before the wire changes, and is kept. The tests next to it
play the supervisor's part to today's commands, and the commands' part to today's supervisor.
"""

from __future__ import annotations

import _socket
import contextlib
import io
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from devinit import __version__
from devinit.cli.main import main
from devinit.control import client as wire_client
from devinit.control.launch import connect_to
from tests.control.recorded.parameters import PARAMETERS

PROJECT = """
[services.web]
command = "python3 -m http.server ${PORT} --bind 127.0.0.1"
port = 24311

[services.worker]
command = "sleep 1000"
ready = { after = 0.01 }
depends_on = ["web"]
"""
COMMANDS = (
    ("start", "start"),
    ("start-json", "start", "--json"),
    ("status", "status", "--json"),
    ("env", "env"),
    ("why", "why", "web", "--json"),
    ("ports", "ports", "--json"),
    ("restart-changed", "restart", "--changed"),
    ("restart", "restart", "worker"),
    ("stop-one", "stop", "worker"),
    ("stop", "stop"),
)
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ping", {}),
    ("status", {"measure": False}),
    ("inspect", {"service": "web"}),
    ("ports", {}),
    ("who", {"port": 24311}),
    ("choose_port", {"service": "web", "port": 24312}),
    ("forget_ports", {"services": ["web"]}),
    ("environment", {"environ": {}, "profile": None}),
    ("subscribe", {}),
)
"""Requests of the dashboard and other programs that the command line does not send."""
heard: list[list[Any]] = []


class Recording(_socket.socket):
    """A connection that records its messages."""

    _left = b""

    def sendall(self, data: Any, flags: int = 0) -> None:
        heard.append([">", json.loads(data)])
        super().sendall(data, flags)

    def recv(self, size: int, flags: int = 0) -> bytes:
        chunk = super().recv(size, flags)
        *lines, self._left = (self._left + chunk).split(b"\n")
        heard.extend(["<", json.loads(line)] for line in lines)
        return chunk


class Sockets:
    """The socket module, with recorded connections."""

    socket = Recording

    def __getattr__(self, name: str) -> Any:
        return getattr(_socket, name)


def recorded(*words: str) -> list[list[Any]]:
    """Run a command and return its conversation."""
    heard.clear()
    nowhere = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        code = main(["-C", str(root), *words])
    assert code == 0, (words, code)
    return list(heard)


def called(method: str, params: dict[str, Any]) -> list[list[Any]]:
    heard.clear()
    client = connect_to(root)
    assert client is not None
    client.call(method, params)
    client.close()
    return list(heard)


with tempfile.TemporaryDirectory() as folder:
    root = Path(folder, "shop")
    root.mkdir()
    (root / "devinit.toml").write_text(PROJECT)
    runtime = Path(folder, "run")
    runtime.mkdir(mode=0o700)
    os.environ.clear()
    os.environ.update(
        PATH="/usr/local/bin:/usr/bin:/bin",
        XDG_RUNTIME_DIR=str(runtime),
        XDG_STATE_HOME=f"{folder}/state",
    )
    vars(wire_client)["socket"] = Sockets()  # it has everything that the client uses
    conversations: dict[str, list[list[Any]]] = {}
    state = ""
    for name, *words in COMMANDS:
        if name == "stop-one":
            state = (root / ".devinit" / "state.json").read_text().strip()
            conversations |= {f"call {method}": called(method, params) for method, params in CALLS}
        conversations[name] = recorded(*words)
    parameters = {
        method: [each.name for each in msgspec.structs.fields(kind)] for method, kind in PARAMETERS.items()
    }
    lines = [f' "version": "{__version__}",', f' "state": {state},', ' "parameters": {']
    lines += [",\n".join(f'  "{method}": {json.dumps(names)}' for method, names in parameters.items()), " },"]
    lines += [' "conversations": {']
    lines += [
        ",\n".join(
            f'  "{name}": [\n'
            + ",\n".join(f"   {json.dumps(message, ensure_ascii=False)}" for message in messages)
            + "\n  ]"
            for name, messages in conversations.items()
        )
    ]
    text = "\n".join(["{", *lines, " }", "}", ""])
    text = text.replace(str(root), "{root}").replace(folder, "{home}")
    sys.stdout.write(re.sub(r'"boot_id": ?"[^"]*"', '"boot_id": "{boot}"', text))

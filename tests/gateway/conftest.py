"""Projects whose pages are served by name, with the real Caddy, and clients that ask for them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from devinit.control.client import peer
from devinit.control.gateway import known, running

PATIENCE = 30
CADDY = Path(sys.executable).parent / "caddy"
SERVER = r"""
import http.server, os, signal, threading, time

class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self):
        size = len(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        said = " ".join([os.environ["SERVICE"], os.environ["PORT"], self.command, self.path, str(size),
                         self.headers["Host"], self.headers.get("Origin") or "-"]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    do_POST = do_GET

time.sleep(float(os.environ.get("BOOT", "0")))
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
"""


class Answer(NamedTuple):
    """What was answered to a request."""

    status: int
    text: str
    headers: dict[str, str]


class Site:
    """A project with a backend and a frontend."""

    def __init__(self, root: Path, port: int, name: str = "shop", keys: str = "") -> None:
        self.root = root
        root.mkdir(parents=True)
        (root / "server.py").write_text(SERVER)
        services = "".join(
            f'[services.{each}]\ncommand = "exec {sys.executable} -S server.py"\nport = {port + at}\n'
            f'env = {{ SERVICE = "{each}" }}\n{needs}'
            for at, (each, needs) in enumerate(
                {"backend": "", "frontend": 'depends_on = ["backend"]\n'}.items()
            )
        )
        (root / "devinit.toml").write_text(f'[project]\nname = "{name}"\n{keys}\n{services}')

    def __call__(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "devinit", "-C", str(self.root), *words],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def start(self, *words: str) -> None:
        answer = self("start", "-d", *words)
        assert answer.returncode == 0, answer.stderr

    def status(self) -> dict[str, Any]:
        return {each["name"]: each for each in json.loads(self("status", "--json").stdout)["services"]}

    def environment(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self("env", "--json").stdout)
        return found


def get(host: str, path: str = "/", method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    """Ask for a page by its name, as a browser does."""
    connection = http.client.HTTPConnection("127.0.0.1", port(), timeout=PATIENCE)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body or None, headers={"Host": f"{host}:{port()}", **named})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode(), dict(answer.getheaders()))
    finally:
        connection.close()


def port() -> int:
    """Return where the gateway listens."""
    found = known()
    assert found is not None
    return found.port


def caddy() -> int:
    """Return the process of Caddy."""
    found = known()
    assert found is not None
    return found.caddy


def gateway() -> int:
    """Return the process of the gateway; 0 when none runs."""
    client = running()
    if client is None:
        return 0
    try:
        return peer(client.hand_over())[0]
    finally:
        client.close()


def until(holds: Callable[[], Any]) -> Any:
    """Return what is true in the end."""
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
    return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Return what makes projects; all of them are stopped at the end."""
    if not CADDY.exists():
        pytest.skip("needs the extra `gateway`")
    made: list[Site] = []

    def make(folder: str = "shop", first: int = 8200, **given: str) -> Site:
        made.append(Site(tmp_path / folder, first, **given))
        return made[-1]

    yield make
    for each in made:
        each("stop")
    with suppress(AssertionError):
        until(lambda: gateway() == 0)
    for pid in (gateway(), found.caddy if (found := known()) else 0):
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

"""A project with an API whose port moves, and programs of Node that look for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from devinit.clients.files import PACKAGE
from tests.cli.conftest import Shop

PATIENCE = 30
API = """
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        text = json.dumps({"port": int(os.environ["PORT"])}).encode()
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words):
        pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""


def with_api(shop: Shop, port: int, more: str = "") -> Shop:
    """Give a project its backend."""
    (shop.root / "api.py").write_text(API)
    (shop.root / "devinit.toml").write_text(
        f'[project]\nname = "shop"\n\n[services.backend]\ncommand = "{sys.executable} api.py"\nport = {port}\n{more}'
    )
    return shop


def move(shop: Shop, port: int) -> None:
    """Give the backend another port while it runs."""
    assert shop("ports", "set", "backend", str(port)).returncode == 0
    done = shop("restart", "backend")
    assert done.returncode == 0, done.stderr


class Program:
    """A program of Node that prints a line of JSON for each thing that it sees."""

    def __init__(self, node: str, folder: Path, script: str, **environment: str) -> None:
        text = f"const say = (value) => console.log(JSON.stringify(value));\n{script}"
        modules = "".join(
            f'import * as {name} from "{(PACKAGE / name).as_uri()}.js";\n' for name in ("devinit", "node")
        )
        self.process = subprocess.Popen(
            [node, "--input-type=module", "-e", modules + text],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.seen: list[Any] = []
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, look: Callable[[Any], bool]) -> Any:
        """Wait until it prints something of this kind, and return it."""
        while True:
            try:
                said = json.loads(self._lines.get(timeout=PATIENCE))
            except Empty:
                self.process.kill()
                raise AssertionError((self.seen, self.process.communicate())) from None
            self.seen.append(said)
            if look(said):
                return said

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

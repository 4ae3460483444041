"""Specifies a debugging session at a real terminal, in tmux: a breakpoint is seen, typed into, stepped through, left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.conftest import Shop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux on PATH"),
]

PATIENCE = 45
COLUMNS, LINES = 110, 30
SERVER = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        number = len(self.path)
        breakpoint()
        answer = str(number * 2)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.encode())

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


class Tmux:
    """A terminal in tmux with a command in it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, environment

    def __call__(self, *words: str) -> str:
        return subprocess.run(
            ["tmux", "-S", str(self._folder / "socket"), "-f", os.devnull, *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def opens(self, root: Path, command: list[str]) -> None:
        self("new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES), "-c", str(root), *command)
        self("set-option", "remain-on-exit", "on")

    def shows(self, *expected: str, gone: str = "") -> str:
        """Wait until the pane shows all of this."""
        return wait_for(
            lambda: self("capture-pane", "-p"),
            lambda text: all(each in text for each in expected) and (not gone or gone not in text),
        )

    def ends(self) -> None:
        """Wait until the program of the pane has ended and nothing has its terminal any more."""
        # What tmux writes into a dead pane is not always to be seen there.
        wait_for(lambda: self("list-panes", "-F", "#{pane_dead}"), lambda text: text.strip() == "1")

    def types(self, line: str) -> None:
        self("send-keys", "-l", line)
        self("send-keys", "Enter")


def wait_for(look: Callable[[], str], condition: Callable[[str], bool]) -> str:
    deadline = time.monotonic() + PATIENCE
    while not condition(text := look()):
        assert time.monotonic() < deadline, f"the pane shows:\n{text}"
        time.sleep(0.1)
    return text


@pytest.fixture
def tmux() -> Iterator[Tmux]:
    # Not below pytest's directory: the path of a unix socket has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="dvt-", dir="/tmp"))
    made = Tmux(folder, {**os.environ, "TERM": "xterm-256color"})
    yield made
    subprocess.run(["tmux", "-S", str(folder / "socket"), "kill-server"], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


class Request(threading.Thread):
    """A browser that waits for its page."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._url = f"http://127.0.0.1:{port}/hello"
        self.answer = ""
        self.start()

    def run(self) -> None:
        with urlopen(self._url, timeout=PATIENCE) as answer:  # noqa: S310  our own server
            self.answer = answer.read().decode()


@pytest.mark.parametrize("tty", [False, True], ids=["standard input", "terminal"])
def test_a_breakpoint_is_seen_typed_into_and_left_although_the_supervisor_is_killed(
    shop: Shop, port: int, tmux: Tmux, tty: bool
) -> None:
    (shop.root / "web.py").write_text(SERVER)
    command = f"exec {sys.executable} -E web.py"
    shop.service("web", command=command, port=port, tty=tty)
    shop.service("other", "never", ready={"after": 0})

    # The start opens the dashboard.
    tmux.opens(shop.root, shop.program("start"))
    tmux.shows("2 of 2 ready", "● web", "● other", "q Quit")
    pid = shop.status()["web"]["pid"]

    # A request reaches the breakpoint: the dashboard says so, and the service stays what it was.
    request = Request(port)
    tmux.shows("▌ web", "waits for input at (Pdb)", "i Type")
    assert shop.status()["web"]["phase"] == "ready"

    # It is given the terminal: look, step.
    tmux("send-keys", "Enter")
    tmux.shows("attached to", "(Pdb)", gone="q Quit")
    tmux.types("p number")
    tmux.shows("(Pdb) p number\n6\n")
    tmux.types("n")
    tmux.shows("-> self.send_response(200)")

    # The supervisor is killed: the session goes on.
    supervisor = supervisor_of(shop)
    os.kill(supervisor, signal.SIGKILL)
    tmux.types("p answer * 2")
    tmux.shows("'1212'")

    # The page comes, and the dashboard comes back with its service as it was.
    tmux.types("c")
    request.join(PATIENCE)
    assert request.answer == "12"
    tmux("send-keys", "C-]")
    if tty:
        # A line for standard input has started another supervisor; a terminal has needed none.
        tmux.shows("The supervisor is gone: what runs keeps running", "▌ web")
        tmux("send-keys", "C-r")
    tmux.shows("● web", "● other", "q Quit", gone="waits for input")
    after = shop.status()["web"]
    assert (after["pid"], after["phase"], after["restarts"]) == (pid, "ready", 0)
    assert supervisor_of(shop) != supervisor

    # It is left, and the terminal is a terminal again.
    tmux("send-keys", "q")
    tmux.ends()
    assert "q Quit" not in tmux("capture-pane", "-p")


def supervisor_of(shop: Shop) -> int:
    pid: int = json.loads(shop("status", "--json").stdout)["supervisor"]["pid"]
    return pid

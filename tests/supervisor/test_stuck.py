"""Specifies a start of what cannot come up by itself but lives: told with its cause, left running, ready when fixed."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from devinit.supervisor.readiness.probing import ATTEMPT_SECONDS
from devinit.system.procfs import LINUX
from tests.supervisor.test_trouble import summary

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import Shop

PAGES = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        broken = os.path.exists("broken")
        if broken:
            print("Module not found: Can't resolve './nothing-there'", flush=True)
        self.send_response(int(sys.argv[1]) if broken else 200)
        self.end_headers()

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Pages).serve_forever()
"""
"""Answers as a framework does whose page cannot be compiled."""

PARTICULAR = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        welcome = self.headers["Host"] == f"localhost:{os.environ['PORT']}" and not os.path.exists("broken")
        self.send_response(200 if welcome else 403)
        self.end_headers()

print("cannot migrate: the table exists", file=sys.stderr, flush=True)
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Pages).serve_forever()
"""
"""Answers only the host that its URL names, and logs each request, as Python's own server does."""

NODE_SERVER = """
require("http").createServer((_, answer) => answer.end("ok")).listen(process.env.PORT, "127.0.0.1")
"""

RELOADER = """
import os, signal, socket, sys, time
print("INFO:     Started reloader process [1] using StatReload", flush=True)
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(os.environ["PORT"])))
while True:
    broken, worker = os.path.exists("broken"), os.fork()
    if worker == 0:
        if broken:
            sys.exit("DATABASE_URL is missing")
        server.listen()
        signal.pause()
    while os.path.exists("broken") == broken:
        time.sleep(0.02)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
"""
"""Does with its worker what `uvicorn --reload` does: it neither prints nor reaps before a file changes."""


def python(path: Path, text: str, *words: str) -> str:
    """Write a program and return the command that runs it."""
    path.write_text(text)
    return " ".join([sys.executable, "-S", "-E", str(path), *words])


class TestAServerThatIsAsked:
    def test_is_asked_as_a_browser_asks_that_opens_its_url(self, shop: Shop, port: int) -> None:
        shop.service(
            "web", port=port, command=python(shop.root / "pages.py", PARTICULAR), ready={"http": "/"}
        )

        shop.up()

        assert f"GET http://localhost:{port}/ succeeds" in shop("why", "web").stdout

    def test_shows_its_own_last_lines_and_not_the_requests_that_it_was_asked_with(
        self, shop: Shop, port: int
    ) -> None:
        (shop.root / "broken").touch()
        shop.service(
            "web",
            port=port,
            command=python(shop.root / "pages.py", PARTICULAR),
            ready={"http": "/", "timeout": 5},
        )

        command = shop.begin("start")

        assert command.finish() == 4
        tail: Any = summary(command, "web")["log_tail"]  # as on the wire
        assert [line for line in tail if "GET" not in line] == ["cannot migrate: the table exists"]
        assert len(tail) == 2
        assert shop.log("web").count("GET / ") > 20


class TestAServerThatAnswers500:
    def test_and_says_why_is_told_with_that_long_before_its_time_is_over(self, shop: Shop, port: int) -> None:
        (shop.root / "broken").touch()
        shop.service(
            "web", port=port, command=python(shop.root / "pages.py", PAGES, "500"), ready={"http": "/"}
        )

        command = shop.begin("start")

        assert command.finish() == 1
        row = summary(command, "web")
        assert row["phase"] == "starting"
        assert str(row["reason"]).startswith("Module not found: Can't resolve './nothing-there'\n")

    def test_becomes_ready_in_the_same_process_when_it_is_fixed(self, shop: Shop, port: int) -> None:
        (shop.root / "broken").touch()
        shop.service(
            "web", port=port, command=python(shop.root / "pages.py", PAGES, "500"), ready={"http": "/"}
        )
        shop.begin("start").finish()
        before = shop.status()["web"]["pid"]
        with shop.subscribe() as events:
            (shop.root / "broken").unlink()

            events.until(type="phase", service="web", phase="ready")
        assert shop.status()["web"]["pid"] == before
        assert shop.status()["web"]["reason"] is None


class TestAServerThatAnswers503:
    def test_runs_on_when_its_time_is_over(self, shop: Shop, port: int) -> None:
        (shop.root / "broken").touch()
        command = python(shop.root / "pages.py", PAGES, "503")
        shop.service("web", port=port, command=command, ready={"http": "/", "timeout": 0.5})

        start = shop.begin("start")

        assert start.finish() == 4
        row = summary(start, "web")
        assert row["phase"] == "starting"
        assert str(row["reason"]).startswith("not ready after 0.5 s: GET / answered 503\n")
        before = shop.status()["web"]["pid"]
        with shop.subscribe() as events:
            (shop.root / "broken").unlink()
            events.until(type="phase", service="web", phase="ready")
        assert shop.status()["web"]["pid"] == before


@pytest.mark.skipif(not LINUX, reason="reads /proc")
class TestAWorkerThatDiesUnderItsReloader:
    def test_is_told_with_its_last_words_and_replaced_when_that_is_fixed(self, shop: Shop, port: int) -> None:
        (shop.root / "broken").touch()
        shop.service("web", port=port, command=python(shop.root / "reloader.py", RELOADER, "--reload"))

        start = shop.begin("start")

        assert start.finish() == 1
        reason = str(summary(start, "web")["reason"])
        assert "exited with code 1: DATABASE_URL is missing" in reason
        with shop.subscribe() as events:
            (shop.root / "broken").unlink()
            events.until(type="phase", service="web", phase="ready")


class TestACheckOfAServerWhoseWorkerHasJustDied:
    def test_ends_with_the_cause_instead_of_waiting_for_an_answer(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, command=python(shop.root / "reloader.py", RELOADER))
        shop.up()
        (shop.root / "broken").touch()

        report = json.loads(shop("check", "web", "--json").stdout)

        [row] = report["services"]
        assert (row["well"], row["phase"]) == (False, "starting")
        assert "exited with code 1: DATABASE_URL is missing\n" in row["detail"]
        assert row["seconds"] < ATTEMPT_SECONDS


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
class TestNodeThatWatches:
    def test_is_said_to_need_a_restart_when_its_file_has_gone_and_that_helps(
        self, shop: Shop, port: int
    ) -> None:
        (shop.root / "server.js").write_text(NODE_SERVER)
        shop.service("web", command="node --watch server.js", port=port)
        shop.up()
        with shop.subscribe() as heard:
            (shop.root / "server.js").unlink()
            heard.until(type="phase", service="web", phase="starting")
        reason = shop.status()["web"]["reason"]

        # As `git checkout` does to and fro.
        (shop.root / "server.js").write_text(NODE_SERVER)

        assert "Cannot find module" in reason
        assert "becomes ready" not in reason
        assert "node --watch misses a file that was replaced or is back: `devinit restart` then" in reason
        assert shop("restart", "web").returncode == 0
        assert shop.status()["web"]["phase"] == "ready"

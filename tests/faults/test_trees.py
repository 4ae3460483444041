"""Faults of real process trees: what package managers and reloaders leave between a command and its server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit import wait_for
from devinit.system.listeners import tcp_listeners
from devinit.system.procfs import command_line_of
from tests.network import on_the_network

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop

NODE = """
require("http").createServer((_, answer) => answer.end("ok")).listen(process.env.PORT, "127.0.0.1");
"""

STREAM = """
import asyncio

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"text/event-stream")]})
    while scope["path"] == "/events":
        await send({"type": "http.response.body", "body": b"data: tick\\n\\n", "more_body": True})
        await asyncio.sleep(0.1)
    await send({"type": "http.response.body", "body": b"ok"})
"""


RELOAD = "--reload --reload-delay 0.02"
"""A save before the first look is never noticed: with the usual quarter of a second that is after we call it ready."""


@pytest.fixture(scope="module")
def uvicorn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program of an installed uvicorn."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("needs uv to install uvicorn")
    folder = tmp_path_factory.mktemp("uvicorn")
    subprocess.run([uv, "venv", "-q", folder], check=True)
    words = on_the_network(uv, "pip", "install", "-q", "--python", str(folder / "bin" / "python"), "uvicorn")
    installed = subprocess.run(words, check=False)
    if installed.returncode != 0:
        pytest.skip("uvicorn could not be installed")
    return folder / "bin" / "uvicorn"


@pytest.mark.slow
class TestUvicornWithReload:
    def test_and_an_open_event_stream_ends_with_everything_when_it_is_stopped(
        self, shop: Shop, port: int, uvicorn: Path
    ) -> None:
        (shop.root / "app.py").write_text(STREAM)
        shop.service(
            "web",
            port=port,
            command=f"{uvicorn} app:app {RELOAD} --port ${{PORT}}",
            ready={"http": "/"},
            stop={"grace": 1},
        )
        shop.up()
        with socket.create_connection(("127.0.0.1", port)) as stream:
            stream.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200" in stream.recv(1000)

            stop = shop.begin("stop")
            assert stop.finish() == 0

        assert not tcp_listeners(port)
        shop.expect_nothing_left()

    def test_and_a_broken_import_is_told_and_heals(self, shop: Shop, port: int, uvicorn: Path) -> None:
        (shop.root / "app.py").write_text("import shop_missing\n")
        shop.service("web", port=port, command=f"{uvicorn} app:app {RELOAD} --port ${{PORT}}")

        start = shop.begin("start")

        assert start.finish() == 1
        assert start.seen[-1]["seconds"] < 30
        reason = shop.status()["web"]["reason"]
        assert reason.startswith("ModuleNotFoundError: No module named 'shop_missing'")
        with shop.subscribe() as events:
            (shop.root / "app.py").write_text(STREAM)
            events.until(type="phase", service="web", phase="ready")

    @pytest.mark.parametrize(
        ("broken", "cause"),
        [
            ("def broken(:\n", "SyntaxError: invalid syntax (app.py, line 1)\n"),
            ("import shop_missing\n", "ModuleNotFoundError: No module named 'shop_missing'\n"),
            (
                "raise SystemExit('DATABASE_URL is missing')\n",
                "exited with code 1: DATABASE_URL is missing\n",
            ),
        ],
    )
    def test_and_a_save_that_breaks_it_later_is_not_ready_anywhere_until_it_is_fixed(
        self, shop: Shop, port: int, uvicorn: Path, broken: str, cause: str
    ) -> None:
        (shop.root / "app.py").write_text(STREAM)
        shop.service("web", port=port, command=f"{uvicorn} app:app {RELOAD} --port ${{PORT}}")
        shop.up()
        before = shop.status()["web"]["pid"]
        with shop.subscribe() as events:
            (shop.root / "app.py").write_text(broken)

            told = events.until(type="phase", service="web", phase="starting")

            start = shop.begin("start")
            assert start.finish() == 1
            with pytest.raises(TimeoutError, match="it is starting"):
                wait_for("web", timeout=0.2, start=shop.root)
            status = shop.status()["web"]
            (shop.root / "app.py").write_text(STREAM)
            events.until(type="phase", service="web", phase="ready")
        assert cause in told["reason"]
        assert cause in status["reason"]
        assert cause in start.seen[-1]["services"][0]["reason"]
        assert shop.status()["web"]["reason"] is None
        assert shop.status()["web"]["pid"] == before

    def test_whose_worker_is_killed_is_found_out_by_whoever_asks(
        self, shop: Shop, port: int, uvicorn: Path
    ) -> None:
        (shop.root / "app.py").write_text(STREAM)
        shop.service("web", port=port, command=f"{uvicorn} app:app {RELOAD} --port ${{PORT}}")
        shop.up()
        workers = [pid for pid in shop.pids("web") if "spawn_main" in command_line_of(pid)]

        os.kill(workers[0], signal.SIGKILL)

        why = json.loads(shop("why", "web", "--json").stdout)
        assert why["phase"] == "starting"
        assert why["reason"].startswith(f"its worker (pid {workers[0]}) was ended by SIGKILL\n")
        assert shop.begin("start").finish() == 1
        with shop.subscribe() as events:
            (shop.root / "app.py").write_text(STREAM + "\n")
            events.until(type="phase", service="web", phase="ready")


@pytest.fixture(scope="module")
def nodemon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program of an installed nodemon."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm to install nodemon")
    folder = tmp_path_factory.mktemp("nodemon")
    options = ("--silent", "--no-audit", "--no-fund", "--prefix", str(folder))
    words = on_the_network(npm, "install", *options, "nodemon")
    if subprocess.run(words, check=False).returncode != 0:
        pytest.skip("nodemon could not be installed")
    return folder / "node_modules" / ".bin" / "nodemon"


@pytest.mark.slow
class TestNodemon:
    def test_and_a_save_that_breaks_the_server_is_told_and_heals(
        self, shop: Shop, port: int, nodemon: Path
    ) -> None:
        (shop.root / "server.js").write_text(NODE)
        shop.service("web", port=port, command=f"{nodemon} server.js")
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "server.js").write_text("throw new Error('DATABASE_URL is missing')\n")
            told = events.until(type="phase", service="web", phase="starting")
            (shop.root / "server.js").write_text(NODE)
            events.until(type="phase", service="web", phase="ready")

        assert told["reason"].startswith("DATABASE_URL is missing (server.js, line 1)\n")

    def test_of_a_service_without_a_port_is_told_and_heals(self, shop: Shop, nodemon: Path) -> None:
        (shop.root / "job.js").write_text("setInterval(() => {}, 1000)\n")
        shop.service("worker", command=f"{nodemon} job.js")
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "job.js").write_text("throw new Error('QUEUE is missing')\n")
            told = events.until(type="phase", service="worker", phase="starting")
            assert events.stays_silent(4, type="phase", phase="ready")
            (shop.root / "job.js").write_text("setInterval(() => {}, 1000)\n")
            events.until(type="phase", service="worker", phase="ready")

        assert told["reason"].startswith("QUEUE is missing (job.js, line 1)\n")


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
class TestNpmRun:
    def test_with_its_shell_and_node_is_gone_after_a_stop(self, shop: Shop, port: int) -> None:
        (shop.root / "package.json").write_text('{"name": "shop", "scripts": {"dev": "node server.js"}}')
        (shop.root / "server.js").write_text(NODE)
        shop.service("web", port=port, command="npm run dev")
        shop.up()
        assert len(shop.pids("web")) >= 2

        assert shop("stop").returncode == 0

        assert not tcp_listeners(port)
        shop.expect_nothing_left()

    def test_of_a_program_that_is_not_installed_says_so(self, shop: Shop, port: int) -> None:
        (shop.root / "package.json").write_text('{"name": "shop", "scripts": {"dev": "no-such-tool dev"}}')
        shop.service("web", port=port, command="npm run dev")

        assert shop.begin("start").finish() == 1

        assert shop.status()["web"]["reason"].endswith(": no-such-tool: not found")


@pytest.mark.skipif(shutil.which("uv") is None, reason="needs uv")
class TestUvRun:
    def test_with_the_process_below_it_is_gone_after_a_stop(self, shop: Shop, port: int) -> None:
        command = f"uv run --no-project python {shop.root}/service.py"
        shop.service("web", port=port, command=command)
        shop.up()

        assert shop("stop").returncode == 0

        assert not tcp_listeners(port)
        shop.expect_nothing_left()

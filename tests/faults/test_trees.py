"""Faults of real process trees: what package managers and reloaders leave between a command and its server."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.system.listeners import tcp_listeners

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


@pytest.fixture(scope="module")
def uvicorn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program of an installed uvicorn."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("needs uv to install uvicorn")
    folder = tmp_path_factory.mktemp("uvicorn")
    subprocess.run([uv, "venv", "-q", folder], check=True)
    installed = subprocess.run(
        [uv, "pip", "install", "-q", "--python", folder / "bin" / "python", "uvicorn"], check=False
    )
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
            command=f"{uvicorn} app:app --reload --port ${{PORT}}",
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
        shop.service("web", port=port, command=f"{uvicorn} app:app --reload --port ${{PORT}}")

        start = shop.begin("start")

        assert start.finish() == 1
        assert start.seen[-1]["seconds"] < 30
        reason = shop.status()["web"]["reason"]
        assert reason.startswith("ModuleNotFoundError: No module named 'shop_missing'")
        with shop.subscribe() as events:
            (shop.root / "app.py").write_text(STREAM)
            events.until(type="phase", service="web", phase="ready")


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

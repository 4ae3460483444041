"""Specifies a reloader that ends with the program that a save has broken: the next save starts it again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from devinit.supervisor.diagnosis.workers import reloads
from devinit.supervisor.service.file_watches import AWAITED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import Shop

SERVER = """
import os, socket, sys
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(os.environ["PORT"])))
server.listen()
server.settimeout(0.05)
while not os.path.exists("broken"):
    try:
        server.accept()[0].close()
    except TimeoutError:
        pass
sys.exit("SECRET_KEY is missing")
"""
"""Ends when its code is broken, as hypercorn does with `--reload`."""
WRITER = """
import sys, time
open("written.py", "w").write(str(time.time()))
open("runs.txt", "a").write("x")
sys.exit("no luck")
"""
"""Writes code itself, and fails each time."""


def service(shop: Shop, program: str, *options: str, **keys: Any) -> None:
    path: Path = shop.root / "server"
    path.write_text(program)
    command = " ".join([sys.executable, "-S", "-E", str(path), *options])
    shop.service("web", command=command, restart={"failures": 2}, **keys)


class TestAReloaderThatHasEnded:
    def test_is_started_again_when_its_code_is_saved(self, shop: Shop, port: int) -> None:
        service(shop, SERVER, "--reload", port=port)
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "broken").touch()
            events.until(type="phase", service="web", phase="failed")
            waiting, told = shop.status()["web"]["watch"], shop("status").stdout
            (shop.root / "broken").unlink()
            (shop.root / "app").mkdir()
            (shop.root / "app" / "main.py").write_text("fixed = True")
            events.until(type="phase", service="web", phase="ready")
        status = shop.status()["web"]

        assert waiting == AWAITED
        assert f"SECRET_KEY is missing; given up after 2 failures in 60 s  watch: {AWAITED}" in told
        assert status["watch"] is None
        assert status["restarted_for"] == "app/main.py changed"

    def test_that_never_was_ready_is_so_as_well_and_a_wait_knows_it(self, shop: Shop, port: int) -> None:
        (shop.root / "broken").touch()
        service(shop, SERVER, "--reload", port=port)
        assert shop("start").returncode == 1
        (shop.root / "broken").unlink()
        (shop.root / "main.py").write_text("fixed = True")

        assert shop("wait", "web").returncode == 0

    def test_is_left_alone_by_other_files_and_after_a_stop(self, shop: Shop, port: int) -> None:
        (shop.root / "broken").touch()
        service(shop, SERVER, "--reload", port=port)
        shop("start")
        with shop.subscribe() as events:
            (shop.root / "notes.txt").write_text("")
            assert events.stays_silent(2, type="phase", service="web")
            assert shop("stop").returncode == 0
        (shop.root / "main.py").write_text("")

        assert shop("wait", "--timeout", "2").returncode != 0

    def test_that_writes_code_itself_is_not_started_without_end(self, shop: Shop) -> None:
        service(shop, WRITER, "--reload")
        shop("start")
        with shop.subscribe() as events:
            while not events.stays_silent(3, type="phase", service="web"):
                pass

        assert len((shop.root / "runs.txt").read_text()) <= 2
        assert shop.status()["web"]["phase"] == "failed"

    @pytest.mark.parametrize("keys", [{"watch": ["*.txt"]}, {"restart": {"mode": "never"}}])
    def test_is_left_to_what_the_configuration_says(
        self, shop: Shop, port: int, keys: dict[str, object]
    ) -> None:
        (shop.root / "broken").touch()
        (shop.root / "server").write_text(SERVER)
        shop.service("web", command=f"{sys.executable} -S -E {shop.root}/server --reload", port=port, **keys)
        shop("start")

        assert shop.status()["web"]["watch"] != AWAITED


class TestAProgram:
    @pytest.mark.parametrize(
        ("command", "first", "is_one"),
        [
            ("hypercorn --reload app:app", [], True),
            ("vite-node --watch server.ts", [], True),
            ("flask --app shop run --debug", [], True),
            ("fastapi dev main.py", [], True),
            ("python manage.py runserver 8000", [], True),
            ("npm run dev", ["INFO:     Started reloader process [4] using StatReload"], True),
            ("npm run dev", ["listening"], False),
            ("python /srv/watchtower.py", [], False),
            ("flask run", [], False),
        ],
    )
    def test_that_loads_its_code_again_is_known_by_its_command_or_its_words(
        self, command: str, first: list[str], is_one: bool
    ) -> None:
        assert reloads(command, first) is is_one

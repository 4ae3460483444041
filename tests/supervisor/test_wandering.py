"""Specifies what becomes of a service that chooses a port by itself while it runs, and returns to its own."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop

RELOADER = """
import os, signal, socket, time
def chosen():
    return open("chosen").read() if os.path.exists("chosen") else os.environ["PORT"]
while True:
    port, worker = chosen(), os.fork()
    if worker == 0:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", int(port)))
        server.listen()
        while True:
            server.accept()[0].close()
    while chosen() == port:
        time.sleep(0.02)
    print("server.py changed, reloading.", flush=True)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
"""
"""Listens on the port that a file names, or on its own, and starts its worker again when that changes."""


class Wanderer:
    """A service that devinit has followed from its own port to another one."""

    def __init__(self, shop: Shop, free_ports: FreePorts) -> None:
        self.shop = shop
        self.own, self.other = free_ports(2)
        (shop.root / "reloader.py").write_text(RELOADER)
        shop.service(
            "api",
            command=f"{sys.executable} -S -E reloader.py",
            port=self.own,
            range=f"{self.own}-{self.own}",
        )
        self.choice = shop.root / "chosen"
        shop.up()
        self.move(self.other)

    def move(self, port: int) -> None:
        """Let it listen elsewhere, and wait until devinit has found that out."""
        with self.shop.subscribe() as events:
            if port == self.own:
                self.choice.unlink()
            else:
                temporary = self.choice.with_suffix(".new")
                temporary.write_text(str(port))
                temporary.rename(self.choice)
            events.until(type="port", service="api", port=port)
            events.until(type="phase", service="api", phase="ready")

    @property
    def port(self) -> int:
        found: int = self.shop.status()["api"]["port"]
        return found


@pytest.fixture
def wanderer(shop: Shop, free_ports: FreePorts) -> Wanderer:
    return Wanderer(shop, free_ports)


class TestAServiceThatWasFollowed:
    def test_is_ready_again_when_it_returns_to_its_own_port(self, wanderer: Wanderer) -> None:
        pids = wanderer.shop.pids("api")[:1]

        wanderer.move(wanderer.own)
        wanderer.move(wanderer.other)
        wanderer.move(wanderer.own)

        assert wanderer.shop.pids("api")[:1] == pids
        assert wanderer.port == wanderer.own
        assert wanderer.shop("check", "api").returncode == 0

    def test_has_its_own_port_on_record_once_it_has_returned(self, wanderer: Wanderer) -> None:
        wanderer.move(wanderer.own)
        wanderer.shop("stop")

        wanderer.shop.expect_nothing_left()
        [row] = json.loads(wanderer.shop("ports", "--all", "--json").stdout)["ports"]
        assert row["port"] == wanderer.own

    @pytest.mark.parametrize("returns", [True, False])
    def test_asks_for_its_own_port_again_at_its_next_start(self, wanderer: Wanderer, returns: bool) -> None:
        with wanderer.shop.subscribe() as events:
            if returns:
                wanderer.choice.unlink()
            answer = wanderer.shop("restart", "api")
            told = events.until(type="port", service="api")["port"]

        assert answer.returncode == 0, answer.stderr
        assert told == wanderer.own
        assert wanderer.port == (wanderer.own if returns else wanderer.other)


class TestAPortOfAnotherService:
    def test_is_refused_to_a_service_that_chooses_it_and_its_owner_is_named(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        own, others, now = free_ports(3)
        shop.service("away", f"elsewhere={now}", port=others)
        shop.service("api", f"elsewhere={others}", port=own)
        shop.up("away")

        answer = shop("start", "api")

        assert answer.returncode == 3
        assert f"api listens on {others}, which is leased by away of this project" in answer.stderr

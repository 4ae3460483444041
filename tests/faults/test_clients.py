"""Faults of those who look on: clients that hang, leave and come back, checkouts and shells beside each other."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

from devinit.control.server import SLOW_CLIENT_BYTES
from devinit.system.paths import socket_path

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, MakeShop, Shop

LONG = "x" * 1_000_000
"""The name of a method that does not exist: the answer repeats it."""
ALLOWED = {"exec": "test -e allowed"}


class TestAClientThatDoesNotRead:
    def test_is_hung_up_on_while_the_supervisor_and_its_peers_go_on(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": LONG, "params": {}}).encode() + b"\n"
        with socket.socket(socket.AF_UNIX) as deaf, shop.subscribe() as peer:
            deaf.connect(str(socket_path(shop.root)))
            deaf.settimeout(30)
            with suppress(BrokenPipeError, ConnectionResetError):
                for _ in range(4 * SLOW_CLIENT_BYTES // len(LONG)):
                    deaf.sendall(request)
                    assert peer.ask("ping")["root"] == str(shop.root)

            assert shop("restart").returncode == 0
            assert peer.until(type="phase", service="web", phase="ready")
        assert "does not read; hanging up" in shop.log("supervisor")


class TestAClientThatWasSuspended:
    def test_holds_nobody_up_and_misses_nothing_when_it_goes_on(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, ready=ALLOWED)
        start = shop.begin("start")
        start.until(type="phase", service="web", phase="starting")
        start.process.send_signal(signal.SIGSTOP)

        (shop.root / "allowed").touch()
        shop.up()

        start.process.send_signal(signal.SIGCONT)
        assert start.finish() == 0
        assert start.phases().count(("web", "ready")) == 1
        assert [event["type"] for event in start.seen].count("summary") == 1


class TestClientsThatAreKilled:
    def test_leave_what_they_started_and_those_who_stay_alone(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port, ready=ALLOWED)
        first = shop.begin("start")
        first.until(type="phase", service="web", phase="starting")
        stays = shop.begin("start")
        stays.until(type="plan")
        leaving = [first, *(shop.begin("start") for _ in range(3))]
        for each in leaving[1:]:
            each.until(type="plan")
        for each in leaving:
            each.process.kill()
            each.process.wait()

        (shop.root / "allowed").touch()

        assert stays.finish() == 0
        assert stays.phases() == [("web", "ready")]
        assert len(shop.notes()) == 1


class TestTwoCheckouts:
    def test_that_start_at_once_have_ports_of_their_own_which_every_shell_is_told(
        self, make_shop: MakeShop, port: int
    ) -> None:
        shops = [make_shop("first"), make_shop("second")]
        for each in shops:
            each.service("web", "note=notes", port=port)

        starts = [each.begin("start") for each in shops]
        assert [start.finish() for start in starts] == [0, 0]

        taken = [each.status()["web"]["port"] for each in shops]
        assert port in taken
        assert len({*taken}) == 2
        for each, number in zip(shops, taken, strict=True):
            assert in_a_new_shell(each) == str(number)
            assert [note["PORT"] for note in each.notes()][-1] == str(number)

    def test_whose_second_start_only_looks_on_runs_everything_once(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(2)
        shop.service("db", "note=notes", port=ports[0])
        shop.service("web", "note=notes", port=ports[1], depends_on=["db"], ready=ALLOWED)
        first = shop.begin("start")
        first.until(type="phase", service="web", phase="starting")
        second = shop.begin("start")
        assert second.until(type="plan")["starting"] == []

        (shop.root / "allowed").touch()

        assert [first.finish(), second.finish()] == [0, 0]
        assert len(shop.notes()) == 2
        assert shop.supervisors() == [shop.supervisor()]


def in_a_new_shell(shop: Shop) -> str:
    """Return the port of `web` as a shell is told it that knows nothing of the start."""
    words = [*shop.program(), "run", "--", "sh", "-c", "echo $WEB_PORT"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

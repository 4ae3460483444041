"""Specifies what is said and done when something of a service outlives its stop."""

from __future__ import annotations

import json
import shutil
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.supervisor.conftest import FreePorts, Shop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs Redis"),
]


class TestARedisThatCannotSave:
    """It must not be killed, so its stop fails."""

    def test_is_shown_as_running_until_a_later_stop_succeeds(self, shop: Shop, free_ports: FreePorts) -> None:
        with running(shop, free_ports(3)) as pid:
            failed = shop("stop")
            shown = shop.status()["db"]
            again = shop("stop", "--json")
        last = shop("stop", "--json")

        assert failed.returncode == 1
        assert "has ended" not in failed.stderr
        assert "db  stopped" not in failed.stderr
        assert (shown["phase"], shown["pid"]) == ("stopping", pid)
        assert f"Redis (pid {pid}) has not ended yet, and is not killed" in shown["reason"]
        assert again.returncode == 1
        assert json.loads(again.stdout.splitlines()[-2])["remaining"] == {"db": [pid]}
        assert (last.returncode, json.loads(last.stdout.splitlines()[-1])["services"]) == (0, ["db"])
        shop.expect_nothing_left()
        assert b"value" in (shop.root / "dump.rdb").read_bytes()

    def test_keeps_its_port_and_every_start_of_it_is_refused_until_it_has_ended(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        with running(shop, free_ports(3)) as pid:
            ports, environment = shop.ports(), shop.environment()
            assert shop("stop").returncode == 1

            refused = shop("start")
            dependant = shop("start", "worker")
            alone = shop("start", "web")
            shown = shop.status()["db"]
            after_refusals = (shop.ports(), shop.environment())
            shop.remove("db")
            shop.remove("worker")
            removed = shop("start")
            known = shop.status()["db"]
            shop.end_process(pid)
            started = shop("start")

        for answer in (refused, dependant, removed):
            assert answer.returncode == 1
            assert "db was stopped and still runs: Redis" in answer.stderr
        assert alone.returncode == 0, alone.stderr
        assert (shown["phase"], shown["pid"], shown["port"]) == ("stopping", pid, ports["db"])
        assert after_refusals == (ports, environment)
        assert (known["phase"], known["pid"]) == ("stopping", pid)
        assert started.returncode == 0, started.stderr
        assert shop.leases() == [ports["web"]]
        assert shop("stop").returncode == 0
        shop.expect_nothing_left()

    def test_is_still_stopping_for_the_next_supervisor(self, shop: Shop, free_ports: FreePorts) -> None:
        with running(shop, free_ports(3)) as pid:
            ports, environment = shop.ports(), shop.environment()
            assert shop("stop").returncode == 1
            shop.kill_supervisor()

            refused = shop("start")
            shown = shop.status()["db"]
            published = (shop.ports(), shop.environment())
            shop.kill_supervisor()
            stopped = shop("stop", "--json")
        last = shop("stop")

        assert refused.returncode == 1
        assert "db was stopped and still runs: Redis" in refused.stderr
        assert (shown["phase"], shown["pid"], shown["port"]) == ("stopping", pid, ports["db"])
        assert published == (ports, environment)
        assert stopped.returncode == 1
        assert json.loads(stopped.stdout.splitlines()[-2])["remaining"] == {"db": [pid]}
        assert last.returncode == 0
        shop.expect_nothing_left()


@contextmanager
def running(shop: Shop, ports: range) -> Iterator[int]:
    """Start a Redis with unsaved data, and what does and does not need it; yield its pid while it cannot save."""
    shop.service("web", port=ports[1])
    command = f"redis-server --bind 127.0.0.1 --port {ports[0]} --save 3600 1 --dir {shop.root}"
    shop.server("db", command=command, port=ports[0], stop={"grace": 0.2})
    shop.service("worker", depends_on=["db"])
    shop.up()
    pid = shop.status()["db"]["pid"]
    with socket.create_connection(("127.0.0.1", ports[0])) as client:
        client.sendall(b"SET key value\r\n")
        assert client.recv(100) == b"+OK\r\n"
    (shop.root / "dump.rdb").mkdir()
    yield pid
    (shop.root / "dump.rdb").rmdir()

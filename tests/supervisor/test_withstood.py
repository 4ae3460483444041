"""Specifies what is said and done when something of a service outlives its stop."""

from __future__ import annotations

import json
import shutil
import socket
import time
from contextlib import contextmanager, suppress
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


class TestAServiceThatFailed:
    def test_is_failed_and_not_stopped_while_its_process_does_not_end(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        """Its page never comes, and it saves nothing when it is ended for that."""
        port, other = free_ports(2)
        command = f"redis-server --bind 127.0.0.1 --port {port} --save 3600 1 --dir {shop.root}"
        ready = {"http": "/", "timeout": 3}
        shop.server("db", provider="process", command=command, port=port, ready=ready, stop={"grace": 0.2})
        shop.service("web", port=other)
        starting = shop.begin("start")
        starting.until(type="phase", service="db", phase="starting")
        with connected(port) as client:
            client.sendall(b"SET key value\r\n")
            assert client.recv(100) == b"+OK\r\n"
        (shop.root / "dump.rdb").mkdir()
        pid = shop.status()["db"]["pid"]
        with shop.subscribe() as events:
            assert starting.finish() != 0
            left = (
                f"db: Redis (pid {pid}) has not ended yet, and is not killed: it may still be saving its data; "
                "`devinit stop --force` kills it, and what is not saved is lost"
            )
            assert not events.stays_silent(60, type="note", message=left)
        shown = shop.status()["db"]
        words = shop("status").stdout
        refused = shop("start")
        stopped = shop("stop")
        after = shop.status()["db"]
        (shop.root / "dump.rdb").rmdir()
        last = shop("stop")

        assert (shown["phase"], shown["pid"]) == ("failed", pid)
        assert f"Redis (pid {pid}) has not ended yet" in shown["reason"]
        assert "Failed: " in words
        assert "has not ended yet" in words
        assert refused.returncode == 1
        assert "db has failed and still runs: Redis" in refused.stderr
        assert stopped.returncode == 1
        assert (after["phase"], after["pid"]) == ("stopping", pid)
        assert last.returncode == 0
        shop.expect_nothing_left()


def connected(port: int) -> socket.socket:
    """Return a connection to a server that is about to listen."""
    for _ in range(300):
        with suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port))
        time.sleep(0.02)
    raise AssertionError("nothing listens")


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

"""Specifies what is said and done when something of a service outlives its stop."""

from __future__ import annotations

import json
import shutil
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs Redis"),
]


class TestARedisThatCannotSave:
    """It must not be killed, so its stop fails."""

    def test_is_shown_as_running_until_a_later_stop_succeeds(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("web", port=ports[1])
        command = f"redis-server --bind 127.0.0.1 --port {ports[0]} --save 3600 1 --dir {shop.root}"
        shop.server("db", command=command, port=ports[0], stop={"grace": 0.2})
        shop.up()
        pid = shop.status()["db"]["pid"]
        with socket.create_connection(("127.0.0.1", ports[0])) as client:
            client.sendall(b"SET key value\r\n")
            assert client.recv(100) == b"+OK\r\n"
        (shop.root / "dump.rdb").mkdir()

        failed = shop("stop")
        shown = shop.status()["db"]
        again = shop("stop", "--json")
        (shop.root / "dump.rdb").rmdir()
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

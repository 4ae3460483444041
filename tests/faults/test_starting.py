"""Faults of a start: what a service says when it cannot come up, and servers that do not stay where they are put."""

from __future__ import annotations

import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest

from devinit.system.listeners import tcp_listeners

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop

DAEMON = """
import os, signal, socket, sys
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(os.environ["PORT"])))
server.listen()
open("daemons", "a").write(f"{os.getpid()}\\n")
while True:
    server.accept()[0].close()
"""

RELOADER = """
import subprocess, sys, time
while True:
    subprocess.run([sys.executable, "-S", "-E", "app.py"])
    before = open("app.py").read()
    while open("app.py").read() == before:
        time.sleep(0.05)
    print("reloading", flush=True)
"""

SERVER = """
import os, socket
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    server.accept()[0].close()
"""


def python(shop: Shop, name: str, code: str) -> str:
    """Return the command that runs some code in the project."""
    (shop.root / name).write_text(code)
    return f"{sys.executable} -u -S -E {name}"


class TestAServerThatPutsItselfIntoTheBackground:
    def test_is_ready_and_looked_after_instead_of_finished(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, command=python(shop, "daemon.py", DAEMON))

        shop.up()

        [daemon] = (shop.root / "daemons").read_text().split()
        status = shop.status()["web"]
        assert (status["phase"], status["pid"]) == ("ready", int(daemon))
        assert shop("stop").returncode == 0
        assert not tcp_listeners(port)
        shop.expect_nothing_left()

    def test_is_started_again_when_it_dies(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, command=python(shop, "daemon.py", DAEMON))
        shop.up()
        with shop.subscribe() as events:
            shop.end_process(shop.status()["web"]["pid"])
            events.until(type="phase", service="web", phase="ready")

        first, second = (shop.root / "daemons").read_text().split()
        assert shop.status()["web"]["pid"] == int(second) != int(first)

    def test_is_taken_over_by_the_next_supervisor(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, command=python(shop, "daemon.py", DAEMON))
        shop.up()
        before = shop.status()["web"]["pid"]

        shop.kill_supervisor()

        assert shop.status()["web"]["pid"] == before
        assert shop("stop").returncode == 0
        shop.expect_nothing_left()


class TestAServerThatExitsWithZero:
    def test_before_it_was_ready_has_failed(self, shop: Shop, port: int) -> None:
        shop.service("web", "exit=0", port=port)

        start = shop.begin("start")

        assert start.finish() == 1
        assert shop.status()["web"]["reason"] == "exited with code 0 before it was ready"

    def test_is_started_again_because_a_server_never_finishes(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", "bye-on-request", port=port)
        shop.up()
        with shop.subscribe() as events:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"bye\n")
            told = events.until(type="phase", service="web", phase="backoff")
            events.until(type="phase", service="web", phase="ready")

        assert told["reason"] == "exited with code 0"
        assert len(shop.notes()) == 2


class TestAReloaderWhoseProgramCrashes:
    def test_is_told_within_seconds_and_becomes_ready_when_the_file_is_mended(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(2)
        (shop.root / "app.py").write_text("import shop_missing\n")
        shop.service("backend", port=ports[0], command=python(shop, "reloader.py", RELOADER))
        shop.service("frontend", port=ports[1], depends_on=["backend"])
        began = time.monotonic()

        start = shop.begin("start")
        assert start.finish() == 1

        took = time.monotonic() - began
        status = shop.status()
        assert status["backend"]["phase"] == "starting"
        assert status["backend"]["reason"].startswith("ModuleNotFoundError: No module named 'shop_missing'\n")
        assert status["frontend"]["reason"] == "waits for backend, which cannot come up"
        [row, _] = start.seen[-1]["services"]
        assert "ModuleNotFoundError: No module named 'shop_missing'" in row["log_tail"]
        assert took < 20
        with shop.subscribe() as events:
            (shop.root / "app.py").write_text(SERVER)
            events.until(type="phase", service="frontend", phase="ready")
        assert shop.status()["backend"]["reason"] is None

    def test_has_no_deadline_while_it_waits(self, shop: Shop, port: int) -> None:
        (shop.root / "app.py").write_text("import shop_missing\n")
        shop.service("web", port=port, command=python(shop, "reloader.py", RELOADER), ready={"timeout": 3})
        assert shop.begin("start").finish() == 1
        with shop.subscribe() as events:
            assert events.stays_silent(4, type="phase", phase="failed")

    def test_says_the_cause_to_people(self, shop: Shop, port: int) -> None:
        (shop.root / "app.py").write_text("def broken(:\n")
        shop.service("web", port=port, command=python(shop, "reloader.py", RELOADER))

        shown = shop("start")

        assert shown.returncode == 1
        assert "web cannot start: SyntaxError: invalid syntax (app.py, line 1)" in shown.stderr
        assert "it runs and waits for a change" in shown.stderr
        assert "not ready in time" not in shown.stderr


class TestAProgramThatFailsAtOnce:
    def test_is_told_with_the_probable_cause(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, command=python(shop, "app.py", "import shop_missing"))

        start = shop.begin("start")

        assert start.finish() == 1
        assert shop.status()["web"]["reason"] == (
            "exited with code 1 before it was ready: ModuleNotFoundError: No module named 'shop_missing'"
        )

    def test_in_a_migration_is_told_with_the_cause(self, shop: Shop, port: int) -> None:
        shop.service(
            "web",
            port=port,
            before_start="echo \"FAILED: Can't locate revision identified by 'abc'\"; exit 255",
        )
        start = shop.begin("start")

        assert start.finish() == 1
        reason = shop.status()["web"]["reason"].splitlines()[0]
        assert reason.startswith("before_start of web failed: ")
        assert reason.endswith("exited with code 255: Can't locate revision identified by 'abc'")


class TestAnExtraPort:
    def test_that_somebody_took_while_the_service_was_down_fails_it_by_its_name(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(8)
        # It takes its own debugger's port away, as somebody else would: from outside of its tree.
        shop.service(
            "web", "note=notes", port=ports[0], extra_ports={"debugger": ports[4]}, range=span(ports)
        )
        shop.up()
        with shop.subscribe() as events:
            thief = socket.socket()
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind(("127.0.0.1", ports[4]))
            thief.listen()
            shop.end_process(shop.status()["web"]["pid"])
            told = events.until(type="phase", service="web", phase="failed")
            thief.close()

        assert told["reason"].startswith(f"another process took its extra port {ports[4]} (debugger)\n")
        assert shop.ports()["web"] == ports[0]


class TestAServerAtTheOtherLoopbackAddress:
    def test_is_told_where_it_listens_instead_of_a_time_out(self, shop: Shop, port: int) -> None:
        if not has_ipv6():
            pytest.skip("this machine has no ::1")
        code = SERVER.replace(
            '("127.0.0.1", int(os.environ["PORT"]))',
            '("::1", int(os.environ["PORT"])), family=socket.AF_INET6',
        )
        shop.service("web", port=port, command=python(shop, "app.py", code))

        start = shop.begin("start")

        assert start.finish() == 3
        assert shop.status()["web"]["reason"].startswith(
            f"it listens on [::1]:{port} alone, and is looked for at 127.0.0.1\ntell the program where to listen"
        )

    def test_is_ready_where_the_configuration_says_so(self, shop: Shop, port: int) -> None:
        if not has_ipv6():
            pytest.skip("this machine has no ::1")
        code = SERVER.replace(
            '("127.0.0.1", int(os.environ["PORT"]))',
            '("::1", int(os.environ["PORT"])), family=socket.AF_INET6',
        )
        shop.service("web", port=port, host="::1", command=python(shop, "app.py", code))

        shop.up()


def span(ports: range) -> str:
    return f"{ports[0]}-{ports[3]}"


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True

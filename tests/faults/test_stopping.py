"""Faults of a stop: what does not end, who waits for it, and how somebody who is in a hurry ends it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from devinit.ports.hold import Hold, hold
from devinit.system.listeners import tcp_listeners
from devinit.system.paths import run_mark
from devinit.system.processes import alive, identity_of, tree_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import FreePorts, Shop

LONG = {"grace": 60}

TREE = """
import os, signal, socket, subprocess, sys, time
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
sleeper = [sys.executable, "-S", "-E", "-c", "import signal; signal.pause()"]
deaf = [sys.executable, "-S", "-E", "-c",
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"]
subprocess.Popen(sleeper, start_new_session=True)
subprocess.Popen(sleeper, process_group=0)
subprocess.Popen(sleeper, start_new_session=True, env={})
if "deaf" in sys.argv:
    subprocess.Popen(deaf, start_new_session=True)
while True:
    server.accept()[0].close()
"""

HOLDS_CONNECTIONS = """
import os, signal, socket
signal.signal(signal.SIGTERM, signal.SIG_IGN)
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
clients = []
while True:
    clients.append(server.accept())
"""


def tree(shop: Shop, *words: str) -> str:
    (shop.root / "tree.py").write_text(TREE)
    return " ".join([sys.executable, "-S", "-E", "tree.py", *words])


class TestAStopThatTakesLong:
    def test_says_for_whom_it_waits_and_who_is_connected(self, shop: Shop, port: int) -> None:
        (shop.root / "holds.py").write_text(HOLDS_CONNECTIONS)
        shop.service(
            "web", port=port, command=f"{sys.executable} -S -E holds.py", stop=LONG, ready={"exec": "true"}
        )
        shop.up()
        pid = shop.status()["web"]["pid"]
        with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
            stop = shop.begin("stop")
            told = stop.until(type="progress", service="web")
            assert shop("stop", "--force").returncode == 0
            assert stop.finish() == 0

        assert told["message"] == f"waits for pid {pid} python, 2 open connections, up to 60 s"
        shop.expect_nothing_left()

    def test_is_hurried_by_a_second_command(self, shop: Shop, port: int) -> None:
        shop.service("web", "stubborn", port=port, stop=LONG)
        shop.up()
        began = time.monotonic()
        stop = shop.begin("stop")
        stop.until(type="phase", phase="stopping")

        assert shop("stop", "--force").returncode == 0

        assert stop.finish() == 0
        assert time.monotonic() - began < 20
        shop.expect_nothing_left()

    def test_hurries_what_waits_for_its_turn_as_well(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("base", "stubborn", port=ports[0], stop=LONG)
        shop.service("above", "stubborn", port=ports[1], stop=LONG, depends_on=["base"])
        shop.up()

        began = time.monotonic()
        assert shop("stop", "--force").returncode == 0

        assert time.monotonic() - began < 20
        shop.expect_nothing_left()

    def test_leaves_a_later_stop_its_grace(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port)
        shop.service("other", port=port + 1)
        shop.up()
        assert shop("stop", "web", "--force").returncode == 0
        shop.service("web", "stubborn", port=port, stop={"grace": 0.5})
        shop.up("web")

        stop = shop.begin("stop", "web")

        assert stop.until(type="progress")["message"].startswith("still running after 0.5 s: ")
        assert stop.finish() == 0


class TestCtrlCDuringAStop:
    def test_once_is_polite_and_twice_forces(self, shop: Shop, port: int) -> None:
        shop.service("web", "stubborn", port=port, stop=LONG)
        shop.up()
        stop = subprocess.Popen([*shop.program(), "stop"], stderr=subprocess.PIPE, text=True)
        assert stop.stderr is not None
        said = iter(stop.stderr.readline, "")

        assert any("stopping" in line for line in said)
        stop.send_signal(signal.SIGINT)
        assert any("the stop goes on, also without this command" in line for line in said)
        stop.send_signal(signal.SIGINT)
        assert any("what is left is ended by force" in line for line in said)

        assert any(line.startswith("stopped web in ") for line in said)
        assert stop.wait(30) == 0
        stop.stderr.close()
        shop.expect_nothing_left()

    def test_three_times_leaves_and_the_stop_goes_on(self, shop: Shop, port: int) -> None:
        shop.service("web", "stubborn", port=port, stop={"grace": 2})
        shop.up()
        [supervisor] = shop.supervisors()
        stop = subprocess.Popen([*shop.program(), "stop"], stderr=subprocess.PIPE, text=True)
        assert stop.stderr is not None
        said = iter(stop.stderr.readline, "")
        assert any("stopping" in line for line in said)
        # Nobody answers while the supervisor stands still.
        os.kill(supervisor, signal.SIGSTOP)
        for number in range(2):
            stop.send_signal(signal.SIGINT)
            assert any(("goes on" if number == 0 else "by force") in line for line in said)
        stop.send_signal(signal.SIGINT)

        assert any("goes on in the background" in line for line in said)
        assert stop.wait(30) == 130
        stop.stderr.close()
        os.kill(supervisor, signal.SIGCONT)
        shop.expect_nothing_left()


class TestAServiceWithProcessesEverywhere:
    """Its grandchildren are in sessions, groups and environments of their own."""

    def test_is_gone_with_all_of_them_and_its_port_can_be_bound(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, command=tree(shop))
        shop.up()
        members = [
            identity_of(pid) for pid in tree_of(shop.status()["web"]["pid"], run_mark(shop.root, "web"))
        ]
        assert len(members) == 4

        assert shop("stop").returncode == 0

        assert not any(member is not None and alive(member) for member in members)
        found = hold(port)
        assert isinstance(found, Hold)
        found.close()
        shop.expect_nothing_left()

    def test_that_ignores_term_is_killed_when_the_grace_is_over_which_all_share(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", port=port, command=tree(shop, "deaf"), stop={"grace": 1})
        shop.up()
        began = time.monotonic()

        assert shop("stop").returncode == 0

        assert 1 <= time.monotonic() - began < 15
        assert not tcp_listeners(port)
        shop.expect_nothing_left()

    def test_ends_in_half_a_second_when_it_is_an_ordinary_tree(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, command=tree(shop))
        shop.up()

        stop = shop.begin("stop")

        assert stop.finish() == 0
        # Generous for a busy machine; 0.03 s on an idle one.
        assert stop.seen[-1]["seconds"] < 5


class TestAGrandchildThatHoldsTheOutput:
    def test_does_not_make_the_stop_hang(self, shop: Shop, port: int, tmp_path: Path) -> None:
        shop.service("web", "fork", port=port)
        shop.up()

        assert shop("stop").returncode == 0

        shop.expect_nothing_left()

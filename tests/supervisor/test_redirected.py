"""Specifies a port whose connections the kernel sends to another program: what answers there is not the service."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from devinit.system.connections import arrives
from devinit.system.procfs import LINUX
from tests.supervisor.test_extra_ports import ADMIN, describe

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop

DRIVER = """
import json, subprocess, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer

port, to, program = *sys.argv[1:3], json.loads(sys.argv[3])

class Stranger(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

stranger = HTTPServer(("127.0.0.1", 9999), Stranger)
threading.Thread(target=stranger.serve_forever, daemon=True).start()
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
rule = ["-p", "tcp", "-d", "127.0.0.1", "--dport", port, "-j", "REDIRECT", "--to-ports", to]
redirected = subprocess.run(["iptables", "-t", "nat", "-A", "OUTPUT", *rule]).returncode == 0

def run(*words):
    done = subprocess.run([*program, *words], capture_output=True, text=True)
    return {"code": done.returncode, "output": done.stdout, "errors": done.stderr}

answers = [run("start", "--json"), run("status", "--json"), run("stop")]
print(json.dumps({"redirected": redirected, "answers": answers}))
"""
"""Has the network of its own in which it runs redirect a port to a stranger, and starts the project there."""

STRANGER, NOBODY = 9999, 9

needs_a_network = pytest.mark.skipif(
    not LINUX or os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "ip", "iptables"))),
    reason="needs root, unshare, ip and iptables",
)


def started_there(shop: Shop, port: int, to: int = STRANGER) -> list[dict[str, Any]]:
    """Start and stop a project where connections to its port are redirected; return what the commands said."""
    driver = shop.root / "driver.py"
    driver.write_text(DRIVER)
    command = [
        "unshare",
        "--net",
        sys.executable,
        str(driver),
        str(port),
        str(to),
        json.dumps(shop.program()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    result = json.loads(done.stdout)
    if not result["redirected"]:
        pytest.skip("the kernel has no NAT here")
    answers: list[dict[str, Any]] = result["answers"]
    return answers


@needs_a_network
class TestARedirectedPort:
    @pytest.mark.parametrize(
        ("ready", "to", "reason"),
        [
            ({"http": "/"}, STRANGER, "the kernel redirects them elsewhere"),
            ({"tcp": True}, STRANGER, "the kernel redirects them elsewhere"),
            ({"log": "up"}, STRANGER, "the kernel redirects them elsewhere"),
            ({"exec": "true"}, STRANGER, "the kernel redirects them elsewhere"),
            ({"tcp": True}, NOBODY, "are refused although it listens there"),
        ],
    )
    def test_is_left_for_one_that_is_not(
        self, shop: Shop, port: int, ready: dict[str, Any], to: int, reason: str
    ) -> None:
        shop.service("web", "note=notes", "say=up", port=port, ready=ready)

        start, status, _ = started_there(shop, port, to)

        assert start["code"] == 0, start
        [web] = json.loads(status["output"])["services"]
        assert (web["phase"], web["mode"]) == ("ready", "moved")
        assert web["port"] > port
        # Where the probe makes no connection, the port is found out before the service is started on it.
        assert len(shop.notes()) == (2 if ready.keys() & {"http", "tcp"} else 1)
        assert reason in start["output"]

    def test_that_is_fixed_is_a_failure_with_that_reason(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, strict_port=True)

        start, _, _ = started_there(shop, port)

        assert start["code"] == 3
        row = json.loads(start["output"].splitlines()[-1])["services"][0]
        assert row["phase"] == "failed"
        assert f"connections to 127.0.0.1:{port} do not reach it" in row["reason"]

    def test_that_is_a_further_one_is_a_failure_with_that_reason(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(6)
        describe(shop, ports, **ADMIN)

        start, _, _ = started_there(shop, ports[2])

        row = json.loads(start["output"].splitlines()[-1])["services"][0]
        assert row["phase"] == "failed"
        assert f"connections to 127.0.0.1:{ports[2]} do not reach it" in row["reason"]


@pytest.mark.skipif(not LINUX, reason="the other end is looked for by netlink")
class TestAConnection:
    @pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
    def test_ends_where_it_was_made_to_before_and_after_it_is_accepted_and_closed(self, address: str) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as listener:
            listener.bind((address, 0))
            listener.listen()
            with socket.create_connection(listener.getsockname()[:2]) as client:
                ends = client.getsockname()[:2], client.getpeername()[:2]
                assert arrives(*ends)
                accepted, _ = listener.accept()
                assert arrives(*ends)
                accepted.close()
                assert arrives(*ends)

    def test_to_a_server_of_both_families_ends_there(self) -> None:
        with (
            socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener,
            socket.create_connection(("127.0.0.1", listener.getsockname()[1])) as client,
        ):
            assert arrives(client.getsockname()[:2], client.getpeername()[:2])

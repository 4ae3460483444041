"""Specifies the further ports of a service: answered, shown and found like its own."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

import devinit
from tests.supervisor.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop, Stranger

TWO = r"""
import http.server, os, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/console" else 404)
        self.end_headers()

def serve(port):
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()

threading.Thread(target=serve, args=(os.environ["PORT"],), daemon=True).start()
if "wait" in sys.argv:
    open("gate").read()
serve(os.environ["WEB_ADMIN_PORT"])
"""
ADMIN = {"url_path": "/console", "ready": "/console"}


def describe(shop: Shop, ports: range, *options: str, **admin: object) -> None:
    (shop.root / "two.py").write_text(TWO)
    command = " ".join([sys.executable, "two.py", *options])
    extra = {"debugger": ports[4], "admin": {"port": ports[2], **admin}}
    shop.service("web", command=command, port=ports[0], extra_ports=extra)


def last_probe(shop: Shop) -> str | None:
    found: str | None = json.loads(shop("why", "web", "--json").stdout)["last_probe"]
    return found


class TestAFurtherPort:
    def test_is_waited_for_where_that_is_asked(self, shop: Shop, free_ports: FreePorts) -> None:
        describe(shop, free_ports(6), "wait", **ADMIN)
        os.mkfifo(shop.root / "gate")
        start = shop.begin("start")

        start.until(type="phase", service="web", phase="starting")
        deadline = time.monotonic() + PATIENCE
        while "web.admin: nothing listens" not in (last_probe(shop) or ""):
            assert time.monotonic() < deadline
        assert shop.status()["web"]["phase"] == "starting"
        (shop.root / "gate").write_text("go")

        assert start.finish() == 0, start.seen

    def test_has_a_url_and_a_line_wherever_its_service_has(
        self, shop: Shop, free_ports: FreePorts, stranger: Stranger
    ) -> None:
        ports = free_ports(6)
        stranger(ports[2])
        describe(shop, ports, **ADMIN)
        url = f"http://localhost:{ports[3]}/console"

        table = shop("start").stdout.splitlines()

        [line] = [line for line in table if "web.admin" in line]
        assert line.split() == ["web.admin", str(ports[3]), "moved", "from", str(ports[2]), url]
        assert shop.environment()["WEB_ADMIN_URL"] == url
        assert shop.environment()["WEB_DEBUGGER_URL"] == f"http://localhost:{ports[4]}"
        assert f"  web.admin (port {ports[3]})  {url}" in shop("status").stdout.splitlines()
        assert f"web.admin {ports[3]}, preferred {ports[2]}  {url}" in shop("why", "web").stdout
        assert shop.status()["web"]["extra_ports"][1] == {
            "name": "web.admin",
            "port": ports[3],
            "preferred_port": ports[2],
            "url": url,
        }
        found = devinit.discover("web.admin", start=shop.root)
        assert found is not None
        assert (found.port, found.url) == (ports[3], url)

    def test_may_have_a_discovery_file(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(6)
        describe(shop, ports)
        shop.write(more='[discovery]\n"web.admin" = ".admin-port.json"\n')
        shop.up()

        file = shop.root / ".admin-port.json"
        assert json.loads(file.read_text())["port"] == ports[2]
        assert shop("stop").returncode == 0
        assert not file.exists()

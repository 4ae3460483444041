"""Specifies the further ports of a service: answered, shown and found like its own."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

import devinit
from tests.supervisor.conftest import PATIENCE
from tests.supervisor.test_schemes import CERTIFICATE

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
SECURE = r"""
import http.server, os, ssl, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/console" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass

def serve(port, secure):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    if secure:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain("certificate.pem")
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    if "say" in sys.argv:
        print(f"http{'s' if secure else ''}://localhost:{port}/", flush=True)
    server.serve_forever()

def touch(port):
    import socket
    listener = socket.create_server(("127.0.0.1", int(port)))
    listener.accept()
    open("touched", "w").close()

threading.Thread(target=touch, args=(os.environ["WEB_DEBUGGER_PORT"],), daemon=True).start()
threading.Thread(target=serve, args=(os.environ["WEB_ADMIN_PORT"], "plain" not in sys.argv), daemon=True).start()
serve(os.environ["PORT"], "main" in sys.argv)
"""
"""Speaks TLS at its port `admin`, and notes when anything connects to its debugger."""
ADMIN = {"url_path": "/console", "ready": "/console"}


def describe(shop: Shop, ports: range, *options: str, **admin: object) -> None:
    (shop.root / "two.py").write_text(TWO)
    command = " ".join([sys.executable, "two.py", *options])
    extra = {"debugger": ports[4], "admin": {"port": ports[2], **admin}}
    shop.service("web", command=command, port=ports[0], extra_ports=extra)


def describe_secure(shop: Shop, ports: range, *options: str, **admin: object) -> str:
    """Describe a service that speaks TLS at a further port; return the URL of that."""
    (shop.root / "secure.py").write_text(SECURE)
    (shop.root / "certificate.pem").write_text(CERTIFICATE)
    extra = {"debugger": ports[4], "admin": {"port": ports[2], "url_path": "/console", **admin}}
    command = " ".join([sys.executable, "secure.py", *options])
    shop.service("web", command=command, port=ports[0], extra_ports=extra)
    shop.write(more='[discovery]\n"web.admin" = ".admin-port.json"\n')
    return f"https://localhost:{ports[2]}/console"


def until_url_is(shop: Shop, url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while shop.status()["web"]["extra_ports"][1]["url"] != url:
        assert time.monotonic() < deadline, shop.status()


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


class TestAFurtherPortThatSpeaksTls:
    @pytest.mark.parametrize(
        ("options", "admin"),
        [((), {"scheme": "https"}), ((), {"ready": "/console"}), (("say",), {}), (("--ssl",), {})],
        ids=["stated", "asked", "printed", "hinted"],
    )
    def test_has_the_right_url_wherever_it_stands(
        self, shop: Shop, free_ports: FreePorts, options: tuple[str, ...], admin: dict[str, object]
    ) -> None:
        ports = free_ports(6)
        url = describe_secure(shop, ports, *options, **admin)

        shop.up()

        until_url_is(shop, url)
        [line] = [line for line in shop("start").stdout.splitlines() if "web.admin" in line]
        assert line.split() == ["web.admin", str(ports[2]), "yes", url]
        assert shop.environment()["WEB_ADMIN_URL"] == url
        assert f"web.admin {ports[2]}  {url}" in shop("why", "web").stdout
        assert json.loads((shop.root / ".admin-port.json").read_text())["url"] == url.removesuffix("/console")
        found = devinit.discover("web.admin", start=shop.root)
        assert found is not None
        assert found.url == url
        status = shop.status()["web"]
        assert status["url"] == f"http://localhost:{ports[0]}"
        assert status["extra_ports"][0]["url"] == f"http://localhost:{ports[4]}"

    def test_is_remembered_so_that_only_the_first_start_finds_it_out(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(6)
        url = describe_secure(shop, ports, ready="/console")
        shop.service("other", "note=told", port=ports[1])
        shop.up()
        shop.up()
        assert shop("stop").returncode == 0
        told = len(shop.notes("told"))

        command = shop.up()

        assert [each["WEB_ADMIN_URL"] for each in shop.notes("told")[told:]] == [url]
        assert [event["message"] for event in command.seen if event["type"] == "note"] == []

    def test_is_asked_by_http_again_when_it_does_not_any_more(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(6)
        url = describe_secure(shop, ports, ready="/console")
        shop.up()
        until_url_is(shop, url)
        describe_secure(shop, ports, "plain", ready="/console")

        assert shop("restart").returncode == 0

        until_url_is(shop, url.replace("https", "http"))

    def test_does_not_let_a_debugger_be_greeted(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(6)
        url = describe_secure(shop, ports, "--ssl", "main", "say")
        shop.up()
        until_url_is(shop, url)

        with shop.subscribe() as events:
            # By then the last look at what it prints is over.
            assert events.stays_silent(3.5, type="note")

        assert not (shop.root / "touched").exists()

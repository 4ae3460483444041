"""Specifies services that change between http and https while they run, as Vite does: their URL follows."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.readiness.scheme_hints import says_https
from tests.supervisor.test_schemes import CERTIFICATE

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop

SERVER = """
import os, signal, ssl
from http.server import BaseHTTPRequestHandler, HTTPServer

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass

class Server(HTTPServer):
    def get_request(self):
        connection, address = super().get_request()
        if os.path.exists("certificate.pem"):
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain("certificate.pem")
            connection = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, *_):
        pass

port = int(os.environ["PORT"])

def say(*_):
    scheme = "https" if os.path.exists("certificate.pem") else "http"
    print(f"[vite] server restarted.\\n\\n  Local:   {scheme}://localhost:{port}/", flush=True)

signal.signal(signal.SIGHUP, say)
Server(("127.0.0.1", port), Pages).serve_forever()
"""
"""Speaks TLS while there is a certificate; says its URL on SIGHUP."""
COMMAND = f"{sys.executable} -S -E server.py --tls"
"""The option hints at TLS, as the configuration of a dev server does."""


class Web:
    """A service that changes its scheme, and one that is given its URL."""

    def __init__(self, shop: Shop, free_ports: FreePorts) -> None:
        self.shop = shop
        (shop.root / "server.py").write_text(SERVER)
        api, self.port = free_ports(2)
        shop.service("api", "note=told", port=api)
        shop.service("web", port=self.port, command=COMMAND)

    def begin(self, scheme: str) -> None:
        self.speak(scheme)
        self.shop.up()
        assert self.url == f"{scheme}://localhost:{self.port}"

    def speak(self, scheme: str) -> None:
        path = self.shop.root / "certificate.pem"
        if scheme == "https":
            path.write_text(CERTIFICATE)
        else:
            path.unlink(missing_ok=True)

    @property
    def url(self) -> str:
        found: str = self.shop.status()["web"]["url"]
        return found


@pytest.fixture
def web(shop: Shop, free_ports: FreePorts) -> Web:
    return Web(shop, free_ports)


CHANGES = pytest.mark.parametrize(("before", "after"), [("http", "https"), ("https", "http")])


class TestAServiceThatChangesItsScheme:
    @CHANGES
    def test_has_the_right_url_once_it_is_checked(self, web: Web, before: str, after: str) -> None:
        web.begin(before)
        told = len(web.shop.notes("told"))
        pid = web.shop.pids("web")
        web.speak(after)

        with web.shop.subscribe() as events:
            checked = web.shop("check", "web")
            events.until(type="phase", service="api", phase="ready")

        assert checked.returncode == 0, checked.stdout
        url = f"{after}://localhost:{web.port}"
        assert web.url == web.shop.environment()["WEB_URL"] == url
        assert [each["WEB_URL"] for each in web.shop.notes("told")[told:]] == [url]
        assert web.shop.pids("web") == pid

    @CHANGES
    def test_is_live_at_its_new_url(self, web: Web, before: str, after: str) -> None:
        web.begin(before)
        changed_at = time.time()
        web.speak(after)

        waited = web.shop("wait", "web", "--after", f"{changed_at:.3f}")

        assert waited.returncode == 0
        assert f"{after}://localhost:{web.port}" in waited.stdout

    @CHANGES
    def test_is_noticed_when_it_says_its_url(self, web: Web, before: str, after: str) -> None:
        web.begin(before)
        with web.shop.subscribe() as events:
            web.speak(after)
            os.kill(web.shop.status()["web"]["pid"], signal.SIGHUP)

            events.until(type="note", message=f"web speaks {after}: {after}://localhost:{web.port}")

        assert web.url == f"{after}://localhost:{web.port}"

    def test_is_not_well_where_the_configuration_says_another(self, web: Web) -> None:
        web.shop.service("web", port=web.port, command=COMMAND, scheme="https")
        web.begin("https")
        web.speak("http")

        checked = web.shop("check", "web")

        assert checked.returncode == 1
        assert "it speaks http" in checked.stdout
        assert web.url == f"https://localhost:{web.port}"


class TestAColouredUrl:
    def test_is_read_as_a_plain_one(self) -> None:
        assert says_https("  Local:   \x1b[36mhttps://localhost:\x1b[1m5173\x1b[22m/\x1b[39m", 5173)

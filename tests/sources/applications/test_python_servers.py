"""Specifies how a script that serves gets its port: by a variable, by an option, or not at all."""

from __future__ import annotations

import pytest

from devinit.sources.applications.python_servers import PortSource, script_in

HEAD = "import argparse, os\nfrom aiohttp import web\n"


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("web.run_app(app, port=8090)", PortSource(8090)),
        ("web.run_app(app)", PortSource(8080)),
        ("PORT = 8090\nweb.run_app(app, port=PORT)", PortSource(8090)),
        ('web.run_app(app, port=os.environ["API_PORT"])', PortSource(8080, "API_PORT")),
        ('web.run_app(app, port=int(os.getenv("API_PORT", "8090")))', PortSource(8090, "API_PORT")),
        (
            'port = os.environ.get("API_PORT") or 8090\nweb.run_app(app, port=port)',
            PortSource(8090, "API_PORT"),
        ),
        ('web.run_app(app, port=config("API_PORT", default=8090, cast=int))', PortSource(8090, "API_PORT")),
        (
            'parser.add_argument("--http-port", default=8090)\nweb.run_app(app, port=args.http_port)',
            PortSource(8090, option="--http-port"),
        ),
        (
            'parser.add_argument("--port", default=os.environ.get("PORT", 8090))\nweb.run_app(app, port=args.port)',
            PortSource(8090, "PORT", "--port"),
        ),
        ("web.run_app(app, port=settings.port)", PortSource(8080)),
        ("web.run_app(app, port=70000)", PortSource(8080)),
    ],
)
def test_a_port_comes_from_where_the_code_takes_it(text: str, port: PortSource) -> None:
    script = script_in("server.py", f"{HEAD}{text}\n")

    assert script is not None
    assert script.port == port


@pytest.mark.parametrize(
    "text",
    [
        "from aiohttp import ClientSession\n",
        "server.listen(8000)\n",
        "import tornado.web\napp.listen(port_of_the_database)\n",
        "from http.server import HTTPServer\nHTTPServer(address, Handler)\n",
        "def run_app(:\n",
        "a = b\nb = a\nfrom aiohttp import web\n",
    ],
)
def test_what_serves_on_no_known_port_is_no_server(text: str) -> None:
    assert script_in("server.py", text) is None

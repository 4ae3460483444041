"""Specifies how a service is recognised that speaks TLS, and that its URL is right wherever it stands."""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devinit.model.port import PortRequest
from devinit.model.probe import HttpProbe, ProbeResult, ProbeVerdict
from devinit.model.service import Scheme, Service
from devinit.supervisor.readiness.probing import ask_once, speaks_tls
from devinit.supervisor.readiness.proving import other_scheme
from devinit.supervisor.readiness.scheme_hints import is_configured_for_tls, says_https
from devinit.supervisor.readiness.schemes import Schemes
from tests.supervisor.test_probing import READY, server

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop

CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOUlJ1tj+usm1fA+J
8mBxlTGr/mj4YvqCCWZqDOmdSYuhRANCAAQQcZwTLjIDADSatK0comndt4yta9Af
VXaFk8o83NKBnAjhybxAmSZNt1vi7GdltvkD52SnQ5yfdjKV3uX+nUHB
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBlDCCATugAwIBAgIUQ8TqRRtLAAg/6UOhns8DB/o9RqcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyOTE2MjgwOFoYDzIxMjYxMTA1
MTYyODA4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQQcZwTLjIDADSatK0comndt4yta9AfVXaFk8o83NKBnAjhybxAmSZN
t1vi7GdltvkD52SnQ5yfdjKV3uX+nUHBo2kwZzAdBgNVHQ4EFgQU1xfwjUCaqklY
c4/dukX/yEIYK2owHwYDVR0jBBgwFoAU1xfwjUCaqklYc4/dukX/yEIYK2owDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
RwAwRAIgPYMUZDjG+wHo/LtVp+07rmzjV935H8VKkMJgr8RJfGYCIG6fdF4whksW
JxmgxbbkGOadINbwtXv2f8G1stgn6zWC
-----END CERTIFICATE-----
"""
"""Signed by itself for `localhost`, with its key, for nothing but these tests."""

SERVER = """
import os, ssl, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

port = int(os.environ["PORT"])
server = HTTPServer(("127.0.0.1", port), Pages)
if os.path.exists("certificate.pem"):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain("certificate.pem")
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    time.sleep(float(os.environ.get("LATE", "0")))
    print(f"serving https://localhost:{port}/", flush=True)
server.serve_forever()
"""
"""Speaks TLS as long as there is a certificate."""


def a_service(command: str = "serve", directory: Path = Path("/"), scheme: Scheme | None = None) -> Service:
    port = PortRequest(service="web", preferred=8000, first=8000, last=8099)
    return Service(name="web", command=command, directory=directory, port=port, scheme=scheme)


@pytest.fixture
def web() -> Service:
    return a_service()


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """Return what serves with the certificate."""
    path = tmp_path / "certificate.pem"
    path.write_text(CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def probe(port: int, scheme: Scheme) -> HttpProbe:
    return HttpProbe(host="127.0.0.1", port=port, path="/", scheme=scheme, authority=f"localhost:{port}")


class TestAServerWithACertificateOfItsOwn:
    async def test_is_asked_by_https_without_a_look_at_the_certificate(self, tls: ssl.SSLContext) -> None:
        async with server(b"HTTP/1.1 200 OK\r\n\r\n", tls=tls) as port:
            assert await ask_once(probe(port, Scheme.HTTPS)) == READY
            assert await speaks_tls(probe(port, Scheme.HTTP))

    async def test_is_recognised_when_it_does_not_answer_http(self, tls: ssl.SSLContext) -> None:
        async with server(b"HTTP/1.1 503 Busy\r\n\r\n", tls=tls) as port:
            plain = probe(port, Scheme.HTTP)

            assert await other_scheme(plain, await ask_once(plain)) is Scheme.HTTPS

    async def test_is_recognised_when_it_answers_in_http_that_it_speaks_https(
        self, tls: ssl.SSLContext
    ) -> None:
        async with server(b"HTTP/1.1 200 OK\r\n\r\n", tls=tls) as port:
            # As Go and nginx do, which look at the first byte.
            refused = ProbeResult(ProbeVerdict.REFUSED, "GET / answered 400", 400)

            assert await other_scheme(probe(port, Scheme.HTTP), refused) is Scheme.HTTPS


class TestAServerWithoutOne:
    async def test_is_recognised_when_it_does_not_answer_https(self) -> None:
        async with server(b"HTTP/1.1 200 OK\r\n\r\n") as port:
            secure = probe(port, Scheme.HTTPS)

            assert await other_scheme(secure, await ask_once(secure)) is Scheme.HTTP
            assert not await speaks_tls(secure)

    async def test_is_not_greeted_because_it_is_slow_or_answers_with_an_error(self) -> None:
        plain = probe(1, Scheme.HTTP)

        for result in (
            ProbeResult(ProbeVerdict.NOT_YET, "no answer within 5 s", timed_out=True),
            ProbeResult(ProbeVerdict.REFUSED, "GET / answered 503", 503),
            ProbeResult(ProbeVerdict.NOT_YET, "nothing listens yet"),
        ):
            assert await other_scheme(plain, result) is None

    @pytest.mark.parametrize(
        ("command", "file", "content"),
        [
            ("uvicorn app:app --ssl-certfile c.pem", "x", ""),
            ("next dev --experimental-https", "x", ""),
            ("npm run dev", "package.json", '{"scripts": {"dev": "HTTPS=true react-scripts start"}}'),
            ("npm run dev", "vite.config.ts", "export default { plugins: [react(), basicSsl()] }"),
            ("npm run dev", "vite.config.mjs", "export default { server: { https: { key, cert } } }"),
            ("ng serve", "angular.json", '{"options": {"ssl": true}}'),
            ("sh run.sh", "run.sh", "exec uvicorn app:app --ssl-keyfile key --ssl-certfile cert"),
            ("bin/dev", "bin/dev", "#!/bin/sh\nexec uvicorn app:app --ssl-certfile cert"),
            ("puma -b 'ssl://127.0.0.1:9292?key=k&cert=c'", "x", ""),
            ("go run .", "main.go", "log.Fatal(http.ListenAndServeTLS(address, cert, key, nil))"),
            ("go run ./cmd/shop", "cmd/shop/main.go", "http.ListenAndServeTLS(address, cert, key, nil)"),
            ("cargo run", "src/main.rs", "axum_server::bind_rustls(address, config)"),
            ("python app.py", "serving.py", "context.load_cert_chain(name)"),
            ("./gradlew bootRun", "src/main/resources/application.properties", "server.ssl.key-store=x"),
            ("serve", "localhost.pem", ""),
            ("serve", "certs/dev.key", ""),
        ],
    )
    def test_is_greeted_when_its_configuration_hints_at_tls(
        self, tmp_path: Path, command: str, file: str, content: str
    ) -> None:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(content)

        assert is_configured_for_tls(a_service(command, tmp_path))

    def test_is_not_greeted_without_a_hint(self, tmp_path: Path) -> None:
        (tmp_path / "package.json").write_text(
            '{"homepage": "https://shop.example", "scripts": {"dev": "vite"}}'
        )
        (tmp_path / "vite.config.ts").write_text('export default { server: { proxy: "https://api.shop" } }')

        assert not is_configured_for_tls(a_service("vite --port 5173", tmp_path))
        assert not says_https("Local: http://localhost:5173/, docs: https://vite.dev:443/", 5173)
        assert says_https("  Local:   https://localhost:5173/", 5173)


VITE_WITH_A_CERTIFICATE = "export default { server: { https: { key, cert } } }"


class TestAServerWhoseCommandLeadsToTls:
    @pytest.mark.parametrize(
        ("command", "files"),
        [
            ("uvicorn app:app --ssl-keyfile k.pem", {}),
            ("next dev --experimental-https", {}),
            ("vite --port 5173", {"vite.config.ts": VITE_WITH_A_CERTIFICATE}),
            (
                "npx vite",
                {"vite.config.js": "import mkcert from 'x'\nexport default { plugins: [mkcert()] }"},
            ),
            (
                "npm run dev",
                {"package.json": '{"scripts": {"dev": "vite"}}', "vite.config.mts": VITE_WITH_A_CERTIFICATE},
            ),
            (
                "pnpm start",
                {"package.json": '{"scripts": {"start": "pnpm dev", "dev": "HTTPS=true craco start"}}'},
            ),
            ("yarn dev", {"package.json": '\ufeff{"scripts": {"dev": "next dev --experimental-https"}}'}),
            (
                "npm start",
                {"package.json": '{"scripts": {"start": "ng serve"}}', "angular.json": '{"ssl": true}'},
            ),
        ],
    )
    def test_is_expected_to_speak_it_from_its_first_start_on(
        self, tmp_path: Path, command: str, files: dict[str, str]
    ) -> None:
        for name, content in files.items():
            (tmp_path / name).write_text(content)

        assert Schemes(tmp_path / "none").settled(a_service(command, tmp_path)).scheme is Scheme.HTTPS

    @pytest.mark.parametrize(
        ("command", "files"),
        [
            ("vite", {"vite.config.ts": "export default { server: { https: false } }"}),
            ("vite", {"vite.config.ts": "export default {\n  // server: { https: {} },\n}"}),
            (
                "vite",
                {"vite.config.ts": 'export default { server: { proxy: { "/a": "https://api.shop" } } }'},
            ),
            # The file of a dev server that this command does not run, and a script that it does not run.
            ("uvicorn app:app", {"vite.config.ts": VITE_WITH_A_CERTIFICATE}),
            ("npm run dev", {"package.json": '{"scripts": {"dev": "vite", "secure": "vite --https"}}'}),
            ("npm run dev", {"package.json": '{"scripts": {"dev": "npm run dev"}}'}),
            ("npm run dev", {"package.json": "{"}),
            ("npm run dev", {}),
        ],
    )
    def test_is_not_expected_to_for_any_other_reason(
        self, tmp_path: Path, command: str, files: dict[str, str]
    ) -> None:
        for name, content in files.items():
            (tmp_path / name).write_text(content)

        assert Schemes(tmp_path / "none").settled(a_service(command, tmp_path)).scheme is None

    def test_is_judged_by_its_files_as_they_are_now(self, tmp_path: Path) -> None:
        schemes, service, file = (
            Schemes(tmp_path / "none"),
            a_service("vite", tmp_path),
            tmp_path / "vite.config.ts",
        )
        file.write_text("export default {}")
        assert schemes.settled(service).scheme is None

        file.write_text(VITE_WITH_A_CERTIFICATE)

        assert schemes.settled(service).scheme is Scheme.HTTPS


class TestWhatAServiceSpeaks:
    def test_is_remembered_until_it_is_another(self, tmp_path: Path, web: Service) -> None:
        Schemes(tmp_path).remember("web", Scheme.HTTPS)
        assert Schemes(tmp_path).settled(web).scheme is Scheme.HTTPS

        Schemes(tmp_path).remember("web", Scheme.HTTP)
        assert Schemes(tmp_path).settled(web).scheme is Scheme.HTTP

    def test_is_guessed_from_its_command_before_it_is_found_out(self, tmp_path: Path) -> None:
        likely = a_service("uvicorn app:app --ssl-certfile c.pem")
        assert Schemes(tmp_path).settled(likely).scheme is Scheme.HTTPS

        Schemes(tmp_path).remember("web", Scheme.HTTP)
        assert Schemes(tmp_path).settled(likely).scheme is Scheme.HTTP

    def test_is_what_the_configuration_says(self, tmp_path: Path) -> None:
        schemes = Schemes(tmp_path)
        schemes.remember("web", Scheme.HTTPS)
        stated = a_service(scheme=Scheme.HTTP)

        assert schemes.settled(stated).scheme is Scheme.HTTP

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"web": "gopher"}'])
    def test_is_found_out_again_when_the_file_is_broken(
        self, tmp_path: Path, web: Service, content: str
    ) -> None:
        (tmp_path / "schemes.json").write_text(content)

        assert Schemes(tmp_path).settled(web).scheme is None


def secure(shop: Shop) -> None:
    (shop.root / "server.py").write_text(SERVER)
    (shop.root / "certificate.pem").write_text(CERTIFICATE)


COMMAND = f"{sys.executable} -S -E server.py"


class TestAServiceThatSpeaksTls:
    @pytest.mark.parametrize("ready", [{"http": "/"}, {"log": "serving"}])
    def test_has_the_right_url_wherever_it_stands(
        self, shop: Shop, free_ports: FreePorts, ready: dict[str, Any]
    ) -> None:
        secure(shop)
        backend, frontend = free_ports(2)
        shop.service("backend", "note=told", port=backend)
        shop.service("frontend", port=frontend, command=COMMAND, ready=ready, depends_on=["backend"])
        shop.write(more='[discovery]\nfrontend = ".frontend.json"\n')

        command = shop.up()

        url = f"https://localhost:{frontend}"
        assert [row["url"] for row in command.seen[-1]["services"]] == [f"http://localhost:{backend}", url]
        assert shop.status()["frontend"]["url"] == url
        assert shop.environment()["FRONTEND_URL"] == url
        assert shop.environment()["CORS_ORIGINS"] == f"{url},https://127.0.0.1:{frontend}"
        assert json.loads((shop.root / ".frontend.json").read_text())["url"] == url
        # The backend, which was told http before, is started again, and the next time it is told at once.
        assert shop.notes("told")[-1]["CORS_ORIGINS"] == shop.environment()["CORS_ORIGINS"]
        told = len(shop.notes("told"))
        assert shop("stop").returncode == 0
        shop.up()
        assert len(shop.notes("told")) == told + 1

    def test_costs_no_restart_when_the_file_of_its_dev_server_says_so(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        secure(shop)
        (shop.root / "vite.config.js").write_text(VITE_WITH_A_CERTIFICATE)
        backend, frontend, third = free_ports(3)
        shop.service("backend", "note=told", port=backend)
        shop.service("third", "note=third", port=third)
        shop.service("frontend", port=frontend, command=f"{COMMAND} vite", depends_on=["backend"])

        command = shop.up()

        url = f"https://localhost:{frontend}"
        assert [told["CORS_ORIGINS"].split(",")[0] for told in shop.notes("told")] == [url]
        assert [told["FRONTEND_URL"] for told in shop.notes("third")] == [url]
        assert [event["message"] for event in command.seen if event["type"] == "note"] == []

    def test_costs_one_restart_of_what_ran_before_and_none_of_what_waits_for_it(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        secure(shop)
        backend, frontend, late = free_ports(3)
        shop.service("backend", "note=told", port=backend)
        shop.service("frontend", port=frontend, command=COMMAND, ready={"http": "/"}, depends_on=["backend"])
        shop.service("late", "note=late", port=late, depends_on=["frontend"])

        command = shop.up()

        url = f"https://localhost:{frontend}"
        assert [told["FRONTEND_URL"] for told in shop.notes("late")] == [url]
        assert [told["FRONTEND_URL"] for told in shop.notes("told")] == [url.replace("https", "http"), url]
        assert [event["message"] for event in command.seen if event["type"] == "note"] == [
            f"frontend speaks https: {url}",
            "backend is restarted: frontend speaks another scheme",
        ]

    def test_is_recognised_by_the_url_that_it_prints_after_it_was_ready(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        secure(shop)
        backend, frontend = free_ports(2)
        shop.service("backend", "note=told", port=backend)
        unnamed = f"{sys.executable} -E -c 'import server'"
        shop.service("frontend", port=frontend, command=unnamed, env={"LATE": "0.1"})
        shop.up("backend")
        with shop.subscribe() as events:
            command = shop.begin("start")
            url = f"https://localhost:{frontend}"
            events.until(type="note", message=f"frontend speaks https: {url}")
            events.until(type="port_info", service="frontend", url=url)
            events.until(type="phase", service="backend", phase="ready")
            assert command.finish() == 0

        assert shop.notes("told")[-1]["CORS_ORIGINS"] == f"{url},https://127.0.0.1:{frontend}"

    @pytest.mark.parametrize("ready", [{"tcp": True}])
    def test_is_corrected_by_a_check_that_calls_no_service_ill_for_it(
        self, shop: Shop, free_ports: FreePorts, ready: dict[str, Any]
    ) -> None:
        """Nothing says before that it speaks TLS: neither its files nor its output."""
        (shop.root / "pair").write_text(CERTIFICATE)
        code = (
            SERVER.replace("certificate.pem", "pair")
            .replace("    print(f", "    str(f")
            .replace('/", flush=True)', '/")')
        )
        (shop.root / "serve").write_text(code)
        backend, frontend = free_ports(2)
        shop.service("backend", "delay=0.5", "note=told", port=backend)
        unnamed = f"{sys.executable} -E -c 'exec(open(\"serve\").read())'"
        shop.service("frontend", port=frontend, command=unnamed, ready=ready, depends_on=["backend"])
        shop.up()

        done = shop("check")

        assert done.returncode == 0, done.stdout
        assert f"https://localhost:{frontend}" in shop.status()["frontend"]["url"]
        assert len(shop.notes("told")) == 2

    @pytest.mark.parametrize("ready", [{"http": "/"}, {"tcp": True}])
    def test_is_asked_by_http_again_when_it_does_not_any_more(
        self, shop: Shop, port: int, ready: dict[str, Any]
    ) -> None:
        secure(shop)
        shop.service("web", port=port, command=COMMAND, ready={"http": "/"})
        shop.up()
        shop.service("web", port=port, command=COMMAND, ready=ready)
        (shop.root / "certificate.pem").unlink()

        assert shop("restart").returncode == 0

        assert shop.status()["web"]["url"] == f"http://localhost:{port}"

    def test_is_asked_so_from_the_start_when_the_configuration_says_so(self, shop: Shop, port: int) -> None:
        secure(shop)
        health = {"http": "/", "every": 0.1, "failures": 1}
        shop.service("web", port=port, command=COMMAND, scheme="https", warm="/", health=health)

        command = shop.up()

        assert shop.environment()["WEB_URL"] == f"https://localhost:{port}"
        assert [event for event in command.seen if event["type"] == "note"] == []
        with shop.subscribe() as events:
            assert events.stays_silent(1.0)

    def test_is_asked_for_its_first_page_when_it_is_checked(self, shop: Shop, port: int) -> None:
        secure(shop)
        server = SERVER.replace("send_response(200)", "send_response(500)")
        (shop.root / "server.py").write_text(server)
        shop.service("web", port=port, command=COMMAND, scheme="https")
        shop.up()

        answer = shop("check", "web")

        assert answer.returncode == 1
        assert "500" in answer.stdout

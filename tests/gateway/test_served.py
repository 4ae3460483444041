"""Specifies pages by name as people and programs meet them, on the real Caddy."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.control.gateway import folder, known
from tests.gateway.conftest import Site, caddy, gateway, get, port, until

Sites = Callable[..., Site]


class TestPagesByName:
    def test_are_served_beside_those_by_port_and_known_everywhere(self, site: Sites) -> None:
        shop = site()
        shop.start("--names")
        suffix = "" if port() == 80 else f":{port()}"

        assert get("backend.shop.localhost", "/items?a=1").text.startswith("backend 8200 GET /items?a=1 0 ")
        assert get("shop.localhost").text.startswith("frontend 8201 GET / ")
        assert get("SHOP.localhost").status == 200
        assert get("backend.shop.localhost", method="POST", body=b"x" * 5000).text.split()[4] == "5000"
        values = shop.environment()
        assert values["BACKEND_NAME_URL"] == f"http://backend.shop.localhost{suffix}"
        assert values["CORS_ORIGINS"].split(",") == [
            "http://localhost:8201",
            "http://127.0.0.1:8201",
            f"http://frontend.shop.localhost{suffix}",
            f"http://shop.localhost{suffix}",
        ]
        assert shop.status()["backend"]["name_url"] == f"http://backend.shop.localhost{suffix}"
        assert f"http://backend.shop.localhost{suffix}" in shop("status").stdout
        assert f"http://backend.shop.localhost{suffix}" in shop("gateway", "status").stdout
        assert "gateway" in shop("ports", "--all").stdout

    def test_are_the_main_ones_when_the_project_says_so(self, site: Sites) -> None:
        shop = site(keys='names = true\nurls = "names"')
        shop.start()

        values = shop.environment()
        assert values["VITE_API_URL"] == values["BACKEND_NAME_URL"]
        assert values["BACKEND_URL"] == "http://localhost:8200"
        opened = shop("open", "frontend", "--json", BROWSER="/bin/true")
        assert json.loads(opened.stdout)["url"] == values["FRONTEND_NAME_URL"]

    def test_of_other_names_are_not_found_and_told_which_there_are(self, site: Sites) -> None:
        site().start("--names")

        answer = get("nope.shop.localhost")

        assert answer.status == 404
        assert "http://backend.shop.localhost" in answer.text
        foreign = get("evil.example")
        assert (foreign.status, "shop" in foreign.text) == (404, False)

    def test_say_why_a_service_does_not_run(self, site: Sites) -> None:
        shop = site()
        shop.start("--names")
        shop("stop", "frontend")

        answer = get("shop.localhost", Accept="text/html")

        assert answer.status == 503
        assert "devinit start frontend" in answer.text

    def test_of_next_are_asked_for_with_an_origin_that_it_takes(self, site: Sites) -> None:
        site().start("--names")
        page = "http://frontend.shop.localhost"

        assert get("shop.localhost", "/_next/hmr", Origin=page).text.split()[-1] == "http://localhost"
        assert get("shop.localhost", "/api", Origin=page).text.split()[-1] == page
        assert get("shop.localhost", "/_next/hmr").text.split()[-1] == "-"

    def test_that_lead_back_to_themselves_are_refused(self, site: Sites) -> None:
        site().start("--names")

        assert get("backend.shop.localhost", X_Devinit_Passed="frontend.shop").status == 200
        assert get("frontend.shop.localhost", X_Devinit_Passed="frontend.shop").status == 508

    def test_of_two_projects_of_one_name_are_kept_apart(self, site: Sites) -> None:
        one, other = site("one"), site("two", 8300)
        one.start("--names")
        other.start("--names")

        assert get("backend.shop.localhost").text.startswith("backend 8200 ")
        assert get("backend.shop-2.localhost").text.startswith("backend 8300 ")
        one("stop")
        assert until(lambda: get("backend.shop.localhost").status == 404)
        assert get("backend.shop-2.localhost").status == 200

    def test_cost_a_project_without_names_nothing(self, site: Sites) -> None:
        shop = site()
        shop.start()

        assert not [name for name in shop.environment() if name.endswith("_NAME_URL")]
        assert gateway() == 0
        assert shop("gateway", "status").returncode == 1


class TestARequestDuringARestart:
    def test_waits_and_reaches_the_new_port_and_none_is_lost(self, site: Sites) -> None:
        shop = site()
        shop.start("--names")
        done, counted = threading.Event(), Counter[str]()

        def ask(method: str) -> None:
            while not done.is_set():
                answer = get(
                    "backend.shop.localhost", method=method, body=b"x" * 100 if method == "POST" else b""
                )
                counted[
                    f"{answer.status} {answer.text.split()[1]}" if answer.status == 200 else answer.text
                ] += 1

        askers = [threading.Thread(target=ask, args=(method,)) for method in ("GET", "POST", "GET")]
        for each in askers:
            each.start()
        shop("ports", "set", "backend", "8250")
        assert shop("restart", "backend", "-d", BOOT="2.5").returncode == 0
        until(lambda: counted["200 8250"] > 5)
        done.set()
        for each in askers:
            each.join()

        assert counted.keys() == {"200 8200", "200 8250"}


class TestWhatIsKilled:
    def test_caddy_is_started_again_on_the_same_port_and_a_request_that_waits_is_answered(
        self, site: Sites
    ) -> None:
        site().start("--names")
        at, before = port(), until(caddy)
        get("backend.shop.localhost")

        os.kill(before, signal.SIGKILL)

        assert get("backend.shop.localhost").status == 200
        assert port() == at
        assert until(lambda: caddy() != before)

    def test_of_the_gateway_alone_no_request_is_lost_and_caddy_is_taken_over(self, site: Sites) -> None:
        shop = site()
        shop.start("--names")
        get("backend.shop.localhost")
        before, serving = gateway(), caddy()

        os.kill(before, signal.SIGKILL)

        assert get("backend.shop.localhost").status == 200
        assert until(lambda: gateway() not in (0, before))
        assert caddy() == serving
        assert until(lambda: get("backend.shop.localhost", "/.well-known/devinit/").status == 200)
        shop("stop", "frontend")
        assert until(lambda: get("frontend.shop.localhost").status == 503)
        os.kill(serving, signal.SIGKILL)
        assert until(lambda: caddy() != serving)
        assert until(lambda: _answers("backend.shop.localhost"))

    def test_of_the_supervisor_pages_are_back_with_the_next_look(self, site: Sites) -> None:
        shop = site()
        shop.start("--names")
        pid = json.loads(shop("status", "--json").stdout)["supervisor"]["pid"]

        os.kill(pid, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{pid}").exists())
        shop("status")

        assert until(lambda: _answers("backend.shop.localhost"))
        assert shop.environment()["BACKEND_NAME_URL"].startswith("http://backend.shop.localhost")


class TestAnInstallationWithoutCaddy:
    def test_refuses_names_with_the_way_out_before_anything_is_started_and_does_all_else(
        self, site: Sites, tmp_path: Path
    ) -> None:
        shop, installed = site(), Path(sys.prefix)
        if not (installed / "pyvenv.cfg").exists():
            pytest.skip("needs devinit in a virtual environment")
        without = tmp_path / "python"
        (without / "bin").mkdir(parents=True)
        (without / "lib").symlink_to(installed / "lib")
        (without / "pyvenv.cfg").write_text((installed / "pyvenv.cfg").read_text())
        (without / "bin" / "python").symlink_to(Path(sys.executable).resolve())
        old = tmp_path / "bin" / "caddy"
        old.parent.mkdir()
        old.write_text("#!/bin/sh\necho 2.6.2\n")
        old.chmod(0o755)

        def devinit(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [without / "bin" / "python", "-m", "devinit", "-C", shop.root, *words],
                env={**os.environ, "PATH": f"{old.parent}:/usr/bin:/bin"},
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )

        refused = devinit("start", "-d", "--names")

        assert refused.returncode == 2
        assert f"pages by name need Caddy 2.11 or newer: {old} is 2.6.2" in refused.stderr
        assert "devinit[gateway]" in refused.stderr
        assert {each["phase"] for each in shop.status().values()} == {"stopped"}
        assert devinit("start", "-d").returncode == 0
        devinit("stop")


class TestAfterTheLastProject:
    def test_nothing_is_left_and_the_port_is_remembered(self, site: Sites) -> None:
        shop = site()
        shop.start("--names")
        at, pids = port(), (gateway(), until(caddy))
        found = known()
        assert found is not None
        private = [Path(each) for each in (found.socket, found.web, found.admin)]
        until(private[2].exists)
        assert {stat.S_IMODE(each.stat().st_mode) for each in private} == {0o600}
        assert stat.S_IMODE(Path(folder()).stat().st_mode) == 0o700

        shop("stop")

        assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", at))
        assert not [each for each in private if each.exists()]
        shop.start("--names")
        assert port() == at


class TestWhatIsTold:
    def test_is_a_snapshot_under_every_name_and_on_the_gateways_own(self, site: Sites) -> None:
        site().start("--names")
        until(lambda: get("backend.shop.localhost").status == 200)

        told = get("frontend.shop.localhost", "/.well-known/devinit/")

        assert told.headers["Content-Type"] == "application/json"
        snapshot = json.loads(told.text)
        assert snapshot.keys() == {"project", "services"}
        assert snapshot["project"] == "shop"
        backend = snapshot["services"]["backend"]
        assert backend.keys() == {"url", "urls", "port", "phase", "ready", "at"}
        assert (backend["url"], backend["port"], backend["phase"]) == ("http://localhost:8200", 8200, "ready")
        assert backend["ready"] is True
        assert backend["urls"][1].startswith("http://backend.shop.localhost")
        for host in ("devinit.localhost", "127.0.0.1", "localhost"):
            assert json.loads(get(host, "/.well-known/devinit/").text) == snapshot
        assert json.loads(get("localhost", "/.well-known/devinit/?project=shop").text) == snapshot
        assert get("localhost", "/.well-known/devinit/?project=other").status == 404
        assert get("localhost", "/.well-known/devinit/nothing").status == 404

    def test_is_read_by_pages_of_the_project_alone(self, site: Sites) -> None:
        site().start("--names")
        until(lambda: get("backend.shop.localhost").status == 200)
        path = "/.well-known/devinit/"

        allowed = get("backend.shop.localhost", path, Origin="http://localhost:8201")

        assert allowed.headers["Access-Control-Allow-Origin"] == "http://localhost:8201"
        assert get("backend.shop.localhost", path, Origin="http://evil.example").status == 403
        assert get("backend.shop.localhost", path, Sec_Fetch_Site="cross-site").status == 403
        assert get("backend.shop.localhost", path, method="POST").status == 405
        assert get("backend.shop.localhost", path, X_Devinit_Project="other").status == 200

    def test_follows_as_events_with_a_snapshot_first(self, site: Sites) -> None:
        shop = site()
        shop.start("--names")
        until(lambda: get("backend.shop.localhost").status == 200)
        with socket.create_connection(("127.0.0.1", port()), timeout=60) as reader:
            reader.sendall(b"GET /.well-known/devinit/events HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
            lines = reader.makefile("rb")
            kinds = []
            shop("stop", "frontend")
            for line in lines:
                if line.startswith(b"event: "):
                    kinds.append(line.split()[1])
                if line.startswith(b"data: ") and b'"phase":"stopped"' in line:
                    said = json.loads(line.removeprefix(b"data: "))
                    break

        assert kinds[0] == b"snapshot"
        assert set(kinds[1:]) == {b"service"}
        assert (said["name"], said["ready"]) == ("frontend", False)

    def test_is_the_whole_machine_on_the_page_and_for_programs(self, site: Sites) -> None:
        site().start("--names")
        until(lambda: get("backend.shop.localhost").status == 200)

        page = get("devinit.localhost")
        services = json.loads(get("localhost", "/api/services").text)["services"]
        [project] = json.loads(get("localhost", "/api/projects").text)["projects"]
        ports = json.loads(get("localhost", "/api/ports").text)["ports"]
        metrics = get("127.0.0.1", "/metrics").text

        assert page.headers["Content-Type"].startswith("text/html")
        assert "http://localhost:8200" in page.text
        assert get("devinit.localhost", "/assets/overview.js").status == 200
        assert [(each["name"], each["port"], each["phase"]) for each in services] == [
            ("backend", 8200, "ready"),
            ("frontend", 8201, "ready"),
        ]
        assert (project["project"], project["state"]) == ("shop", "running")
        assert {8200, 8201, port()} <= {each["port"] for each in ports}
        assert 'devinit_service_ready{project="shop",service="backend"} 1' in metrics
        assert 'devinit_service_port{project="shop",service="backend"} 8200' in metrics
        assert "caddy_http_requests_total" in metrics
        assert get("devinit.localhost", "/api/projects", Origin="http://evil.example").status == 403

    @pytest.mark.skipif(
        os.geteuid() != 0 or not Path("/usr/bin/python3").exists(),
        reason="needs root to be another user, and a Python for that one",
    )
    def test_is_no_business_of_another_user(self, site: Sites) -> None:
        site().start("--names")
        until(lambda: get("backend.shop.localhost").status == 200)
        script = (
            "import http.client, sys\n"
            "for host in sys.argv[2:]:\n"
            "    c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))\n"
            "    c.request('GET', '/.well-known/devinit/', headers={'Host': host})\n"
            "    a = c.getresponse(); print(a.status, 'shop' in a.read().decode())\n"
        )

        answer = subprocess.run(
            [
                "/usr/bin/python3",
                "-S",
                "-c",
                script,
                str(port()),
                "shop.localhost",
                "localhost",
                "nope.localhost",
            ],
            user=65534,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )

        assert answer.stdout.splitlines() == ["403 False", "403 False", "404 False"], answer.stderr


def _answers(host: str) -> bool:
    try:
        return get(host).status == 200
    except OSError:
        return False

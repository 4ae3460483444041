"""Specifies that devinit never ends a program which has leased a port for itself, and what is said of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from devinit.control.neighbours import neighbours
from devinit.control.orphans import end_orphans, orphans_of
from devinit.ports.leases import LeaseStore, root_name
from devinit.system import old_record
from devinit.system.open_files import openers_of
from devinit.system.paths import state_directory
from devinit.system.processes import boot_id, facts_of
from tests.cli.conftest import PATIENCE, Shop

PROGRAM = """
import socket, sys
import devinit

server = socket.create_server(("127.0.0.1", devinit.lease_port(sys.argv[1], int(sys.argv[2]), announce=False)))
print("listens", flush=True)
sys.stdin.read()
"""
Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def begin(shop: Shop) -> Iterator[Begin]:
    """Run a program of the user's in the project, which leases a port under a name."""
    begun: list[subprocess.Popen[str]] = []

    def run(name: str, port: int) -> subprocess.Popen[str]:
        shop.root.mkdir(exist_ok=True)
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, name, str(port)],
            cwd=shop.root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(program)
        assert program.stdout is not None
        assert program.stdout.readline() == "listens\n"
        return program

    yield run
    for each in begun:
        each.kill()
        each.communicate()


def who(shop: Shop, port: int) -> dict[str, Any]:
    answer = shop("ports", "who", str(port), "--json")
    report: dict[str, Any] = json.loads(answer.stdout)
    return report


class TestAProgramThatHasLeasedAPort:
    def test_makes_a_start_move_and_runs_on(self, shop: Shop, port: int, begin: Begin) -> None:
        shop.service("backend", port=port)
        program = begin("backend", port)

        started = shop("start", "-d")

        assert started.returncode == 0, started.stderr
        assert "without a supervisor" not in started.stderr
        assert shop.status()["backend"]["port"] == port + 1
        assert program.poll() is None

    @pytest.mark.parametrize("order", [["stop"], ["stop", "backend"], ["restart", "-d"], ["stop", "--all"]])
    def test_is_left_alone_by(self, shop: Shop, port: int, begin: Begin, order: list[str]) -> None:
        shop.service("backend", port=port)
        program = begin("backend", port)

        answer = shop(*order)

        assert "stopped" not in answer.stderr
        assert program.poll() is None

    def test_is_left_alone_by_the_stop_of_the_service_of_its_name(
        self, shop: Shop, port: int, begin: Begin
    ) -> None:
        shop.service("backend", port=port)
        assert shop("start", "-d").returncode == 0
        program = begin("backend", port + 3)

        assert shop("restart", "-d").returncode == 0
        assert shop("stop").returncode == 0

        assert program.poll() is None

    def test_makes_a_start_fail_that_may_not_move(self, shop: Shop, port: int, begin: Begin) -> None:
        shop.service("backend", port=port)
        program = begin("backend", port)

        refused = shop("start", "-d", "--on-conflict", "fail")

        assert refused.returncode == 3
        assert "a program of yours" in refused.stderr
        assert program.poll() is None

    def test_is_asked_about_with_an_answer_preselected_that_ends_nothing(
        self, shop: Shop, port: int, begin: Begin
    ) -> None:
        shop.service("backend", port=port)
        program = begin("backend", port)

        terminal = shop.terminal("start", "-d")
        terminal.expect_exact("program of yours that has leased the port")
        terminal.expect_exact(f"move to {port + 1}")
        terminal.send("\r")
        terminal.expect_exact(f"{port + 1}")
        terminal.wait()

        assert program.poll() is None

    def test_is_ended_by_a_start_that_is_told_to(self, shop: Shop, port: int, begin: Begin) -> None:
        shop.service("backend", port=port)
        program = begin("backend", port)

        assert shop("start", "-d", "--force").returncode == 0

        assert program.wait(PATIENCE) != 0
        assert shop.status()["backend"]["port"] == port

    def test_under_a_name_that_no_service_has_is_left_alone(
        self, shop: Shop, port: int, begin: Begin
    ) -> None:
        shop.service("backend", port=port)
        program = begin("tool", port + 5)

        stopped = shop("stop")

        assert "nothing runs" in stopped.stderr
        assert program.poll() is None

    def test_is_no_left_over_beside_a_supervisor(self, shop: Shop, port: int, begin: Begin) -> None:
        shop.service("backend", port=port)
        shop.service("web", port=port + 1)
        assert shop("start", "-d", "web").returncode == 0
        program = begin("backend", port)

        why = json.loads(shop("why", "backend", "--json").stdout)
        assert shop("start", "-d", "backend").returncode == 0

        assert (why["phase"], "a program of yours" in why["reason"]) == ("stopped", True)
        assert program.poll() is None

    def test_in_a_folder_that_is_deleted_is_left_alone(self, shop: Shop, port: int, begin: Begin) -> None:
        program = begin("backend", port)
        shutil.rmtree(shop.root)

        assert end_orphans(shop.root) == []

        assert program.poll() is None
        assert [each for each in neighbours() if each["root"] == str(shop.root)] == []
        shop.root.mkdir()  # for the end of the test


class TestAServiceThatLeasesAnotherPort:
    def test_is_not_ended_by_the_start_of_the_service_of_that_name(self, shop: Shop, port: int) -> None:
        (shop.root / "serve.py").write_text(
            "import devinit, os, http.server\n"
            f"devinit.lease_port('web', {port + 1}, announce=False)\n"
            "server = http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), "
            "http.server.SimpleHTTPRequestHandler)\n"
            "server.serve_forever()\n"
        )
        shop.service("web", port=port + 1)
        with (shop.root / "devinit.toml").open("a") as file:
            file.write(f'\n[services.backend]\ncommand = "exec {sys.executable} serve.py"\nport = {port}\n')
        assert shop("start", "-d", "backend").returncode == 0

        started = shop("start", "-d", "web")
        pid = shop.status()["backend"]["pid"]  # it was started again for the address of web, which moved
        assert shop("restart", "-d", "web").returncode == 0
        assert shop("stop", "web").returncode == 0

        assert started.returncode == 0, started.stderr
        assert "without a supervisor" not in started.stderr
        assert shop.status()["backend"]["pid"] == pid


class TestWhatIsSaid:
    def test_by_ports_who(self, shop: Shop, port: int, begin: Begin) -> None:
        shop.service("backend", port=port)
        begin("backend", port)

        report = who(shop, port)

        assert report["kind"] == "program"
        assert report["summary"] == "leased by a program of yours, as backend of this project"
        assert report["owner"]["by_program"] is True
        assert "devinit did not start it" in shop("ports", "who", str(port)).stdout

    def test_by_status(self, shop: Shop, port: int, begin: Begin) -> None:
        shop.service("backend", port=port)
        begin("backend", port)

        answer = shop("status")

        assert "Orphaned" not in answer.stdout
        assert f"Not running: a program of yours has leased port {port} as backend" in answer.stdout

    def test_by_status_beside_a_supervisor(self, shop: Shop, port: int, begin: Begin) -> None:
        shop.service("backend", port=port)
        shop.service("web", port=port + 1)
        assert shop("start", "-d", "web").returncode == 0
        begin("backend", port)

        assert f"Not running: a program of yours has leased port {port}" in shop("status").stdout

    def test_by_status_of_all_projects(self, shop: Shop, port: int, begin: Begin) -> None:
        shop.service("backend", port=port)
        begin("backend", port)

        said = shop("status", "--all").stdout

        assert "its supervisor was killed" not in said
        assert f"programs of yours have backend {port}" in said

    def test_by_forget(self, shop: Shop, port: int, begin: Begin) -> None:
        shop.service("backend", port=port)
        program = begin("backend", port)

        forgotten = shop("forget")

        assert forgotten.returncode == 0, forgotten.stderr
        assert program.poll() is None

    def test_by_doctor(self, shop: Shop, port: int, begin: Begin) -> None:
        shop.service("backend", port=port)
        begin("backend", port)

        assert "without a supervisor" not in shop("doctor").stdout


class TestARecordOfAnEarlierVersion:
    def test_is_not_proven_by_the_lease_of_a_program(self, shop: Shop, port: int, begin: Begin) -> None:
        program = begin("backend", port)
        facts = facts_of(program.pid)
        assert facts is not None
        own = shop.root / ".devinit"
        own.mkdir()
        identity = {"pid": program.pid, "start_time": facts.identity.start_time, "boot_id": boot_id()}
        (own / "state.json").write_text(json.dumps({"services": {"backend": {"identity": identity}}}))

        assert old_record.proven(f"{own}/state.json", str(shop.root)) is None


class TestALeaseOfAnEarlierVersion:
    def test_is_devinit_s_as_it_was(self, shop: Shop, port: int, begin: Begin) -> None:
        shop.service("backend", port=port)
        program = begin("backend", port)
        path = state_directory() / "leases" / f"{port}.lock"
        record = json.loads(path.read_text())
        assert record.pop("by_program")
        path.write_text(json.dumps(record))
        store = LeaseStore(state_directory() / "leases")

        assert orphans_of(shop.root) == {"backend": port}
        assert [each.pid for each in store.keepers(root_name(shop.root), "backend")] == [program.pid]
        assert [each.pid for each in openers_of(os.fspath(path))] == [program.pid]


class TestTheDiscoveryFile:
    def test_is_left_to_the_service_of_the_same_name(
        self, shop: Shop, port: int, begin: Begin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from devinit import leased_ports

        shop.service("backend", port=port)
        monkeypatch.chdir(shop.root)
        monkeypatch.delenv("DEVINIT_RUN", raising=False)
        usual = shop.root / ".backend-port.json"
        own = shop.root / f".backend-port.{os.getpid()}.json"
        assert leased_ports.lease_port("backend", port, announce=False) == port
        try:
            assert json.loads(usual.read_text())["port"] == port
            assert shop("start", "-d").returncode == 0
            leased_ports._publish()

            assert json.loads(usual.read_text())["port"] == port + 1
            assert json.loads(own.read_text())["port"] == port
        finally:
            leased_ports._give_back(os.getpid())
        assert usual.exists()
        assert not own.exists()

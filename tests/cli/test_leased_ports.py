"""Specifies `devinit.port` and `devinit.ports` with real programs that listen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devinit.model.port import LAST_RESORT
from tests.cli.conftest import Listen, Shop

PROGRAM = """
import os, socket, sys
import devinit

{ask}
server = socket.create_server(("127.0.0.1", port))
print("listens", flush=True)
sys.stdin.read()
"""
Run = Callable[..., "Program"]


class Program:
    """A program that asks for its port, in a folder."""

    def __init__(self, folder: Path, ask: str, **environment: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(ask=ask)],
            cwd=folder,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def announced(self) -> list[dict[str, Any]]:
        """Return the lines before the program listens."""
        assert self.process.stdout is not None
        lines = []
        while (line := self.process.stdout.readline()) != "listens\n":
            assert line, "the program has ended"
            lines.append(json.loads(line))
        return lines

    def end(self) -> None:
        """Let it come to its end."""
        self.process.communicate("")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    started: list[Program] = []

    def begin(ask: str, *, folder: str = "api", **environment: str) -> Program:
        (tmp_path / folder).mkdir(exist_ok=True)
        started.append(Program(tmp_path / folder, ask, **environment))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.communicate()


def asks(number: int, more: str = "") -> str:
    """Return the line of a program that prefers a port."""
    return f"port = devinit.port('backend', {number}{more})"


class TestTheOnePort:
    def test_is_the_preferred_one_and_announced(self, run: Run, port: int) -> None:
        [said] = run(asks(port)).announced()

        assert said == {
            "type": "port_info",
            "mode": "preferred",
            "service": "backend",
            "port": port,
            "url": f"http://localhost:{port}",
        }

    def test_is_another_one_while_another_program_has_it(self, run: Run, port: int) -> None:
        run(asks(port)).announced()

        [said] = run(asks(port), folder="other").announced()

        assert (said["mode"], said["port"]) == ("moved", port + 1)

    def test_is_the_one_of_the_last_time(self, run: Run, port: int) -> None:
        first = run(asks(port))
        first.announced()
        moved = run(asks(port), folder="other")
        moved.announced()
        moved.end()
        first.end()

        [said] = run(asks(port), folder="other").announced()

        assert said["port"] == port + 1

    def test_is_given_back_by_a_program_that_is_killed(self, run: Run, port: int) -> None:
        first = run(asks(port))
        first.announced()
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()

        [said] = run(asks(port), folder="other").announced()

        assert said["port"] == port

    @pytest.mark.parametrize("variable", ["PORT", "BACKEND_PORT", "API_PORT"])
    def test_is_what_the_environment_names(self, run: Run, port: int, variable: str) -> None:
        [said] = run(asks(port), **{variable: str(port + 4)}).announced()

        assert said["port"] == port + 4

    def test_is_any_other_one_when_the_range_is_used_up(self, run: Run, port: int, listen: Listen) -> None:
        listen(port)

        [said] = run(asks(port, f", range=range({port}, {port} + 1)")).announced()

        assert said["port"] in LAST_RESORT

    def test_is_the_same_when_it_is_asked_for_again_and_in_a_fork(self, run: Run, port: int) -> None:
        again = (
            f"{asks(port)}\nassert devinit.port('backend', {port}) == port\n"
            f"if os.fork() == 0:\n    sys.exit(devinit.port('backend', {port}) - port)\n"
            "assert os.wait()[1] == 0\nassert os.path.exists('.backend-port.json')"
        )

        assert len(run(again).announced()) == 1


class TestTheDiscoveryFile:
    def test_says_where_the_program_answers_until_its_end(self, run: Run, port: int) -> None:
        program = run(asks(port))
        program.announced()
        path = program.folder / ".backend-port.json"

        said = json.loads(path.read_text())

        assert (said["port"], said["process_id"]) == (port, program.process.pid)
        assert path.stat().st_mode & 0o777 == 0o600
        program.end()
        assert not path.exists()

    def test_of_a_second_process_is_its_own(self, run: Run, port: int) -> None:
        run(asks(port)).announced()
        second = run(asks(port))
        second.announced()

        own = json.loads((second.folder / f".backend-port.{second.process.pid}.json").read_text())

        assert own["port"] == port + 1
        assert json.loads((second.folder / ".backend-port.json").read_text())["port"] == port

    def test_leaves_a_file_of_the_user_alone(self, run: Run, port: int, tmp_path: Path) -> None:
        (tmp_path / "api").mkdir()
        (tmp_path / "api" / ".backend-port.json").write_text('{"mine": 1}')

        run(asks(port)).announced()

        assert (tmp_path / "api" / ".backend-port.json").read_text() == '{"mine": 1}'

    def test_stays_when_a_fork_that_leased_another_port_has_ended(self, run: Run, port: int) -> None:
        forks = (
            f"{asks(port)}\nif os.fork() == 0:\n    devinit.port('metrics', {port + 1}, announce=False)\n"
            "    assert os.path.exists('.metrics-port.json')\n    sys.exit(0)\n"
            "assert os.wait()[1] == 0\nassert not os.path.exists('.metrics-port.json')"
        )
        program = run(forks)
        program.announced()

        said = json.loads((program.folder / ".backend-port.json").read_text())

        assert (said["port"], said["process_id"]) == (port, program.process.pid)


class TestSeveralPorts:
    def test_are_those_that_are_preferred_even_if_an_earlier_one_moves(self, run: Run, port: int) -> None:
        run(asks(port)).announced()
        both = f"port = devinit.ports({{'api': {port}, 'admin': {port + 1}}})['api']"

        said = run(both, folder="other").announced()

        assert {each["service"]: each["port"] for each in said} == {"api": port + 2, "admin": port + 1}

    def test_are_asked_for_as_a_list_after_the_package_of_that_name_was_imported(
        self, run: Run, port: int
    ) -> None:
        more = f"[('api', {port}), ('admin', {port + 1}, range({port + 1}, {port + 9}))]"

        said = run(
            f"import devinit.ports\nfound = devinit.ports({more})\nfrom devinit import ports\n"
            f"assert ports({more}) == found\nport = found['api']"
        ).announced()

        assert {each["service"]: each["port"] for each in said} == {"api": port, "admin": port + 1}

    def test_have_one_discovery_file_each(self, run: Run, port: int) -> None:
        program = run(f"port = devinit.ports({{'api': {port}, 'admin': {port + 1}}})['api']")
        program.announced()

        said = [
            json.loads((program.folder / f".{name}-port.json").read_text())["port"]
            for name in ("api", "admin")
        ]

        assert said == [port, port + 1]


class TestTheLongerNames:
    def test_say_the_same(self, run: Run, port: int) -> None:
        said = run(
            f"port = devinit.lease_port('api', {port}, limits=({port}, {port + 3}))\n"
            f"devinit.lease_ports({{'admin': {port + 1}}})"
        ).announced()

        assert [each["port"] for each in said] == [port, port + 1]


class TestAServiceOfDevinit:
    def test_has_the_port_that_devinit_gave_it(self, shop: Shop, port: int) -> None:
        (shop.root / "serve.py").write_text(
            "import devinit, http.server\n"
            "port = devinit.port('backend', 8000)\n"
            "http.server.HTTPServer(('127.0.0.1', port), http.server.SimpleHTTPRequestHandler).serve_forever()\n"
        )
        with (shop.root / "devinit.toml").open("a") as file:
            file.write(f'\n[services.backend]\ncommand = "{sys.executable} serve.py"\nport = {port}\n')

        assert shop("start", "backend").returncode == 0
        assert shop.status()["backend"]["port"] == port

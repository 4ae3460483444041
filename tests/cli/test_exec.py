"""Specifies `devinit exec SERVICE` and `devinit run -s SERVICE`: a command in the world of one service."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.cli.arguments import module_of, read
from devinit.cli.main import main

if TYPE_CHECKING:
    from tests.cli.conftest import Shop

WORLD = 'pwd; echo "$PORT $GREETING"; tool'


def program(path: Path, text: str) -> None:
    """Write an executable script of sh."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def backend(shop: Shop, port: int) -> Path:
    """A service with a folder, an environment, a virtual environment and packages of Node of its own."""
    folder = shop.root / "backend"
    program(folder / ".venv" / "bin" / "tool", "echo of the environment")
    program(folder / "node_modules" / ".bin" / "bundled", "echo of node_modules")
    (folder / ".env").write_text("GREETING=hello from .env\n")
    (folder / "service.py").write_text((shop.root / "service.py").read_text())
    shop.service("frontend", port=port + 1)
    shop.service("backend", port=port, directory="backend", env_file="backend/.env")
    return folder


class TestACommandInAServicesWorld:
    @pytest.mark.parametrize("words", [("exec", "backend", "--"), ("run", "-s", "backend", "--")])
    def test_has_its_folder_environment_port_and_tools_while_it_is_down(
        self, shop: Shop, backend: Path, port: int, words: tuple[str, ...]
    ) -> None:
        done = shop(*words, "sh", "-c", f"{WORLD}; bundled")

        assert done.stdout.splitlines() == [
            str(backend),
            f"{port} hello from .env",
            "of the environment",
            "of node_modules",
        ]
        assert done.returncode == 0

    def test_has_the_port_that_the_service_has_moved_to(self, shop: Shop, backend: Path, port: int) -> None:
        assert shop("start", BACKEND_PORT=str(port + 5)).returncode == 0

        assert shop("exec", "backend", "--", "sh", "-c", "echo $PORT").stdout == f"{port + 5}\n"

    def test_obeys_the_callers_variables_where_the_service_has_none(self, shop: Shop, backend: Path) -> None:
        done = shop("exec", "backend", "sh", "-c", "echo $MINE $DEVINIT_RUN", MINE="yes")

        assert done.stdout == "yes\n"

    def test_is_not_one_of_the_services_processes(self, shop: Shop, backend: Path) -> None:
        assert shop("start").returncode == 0
        with subprocess.Popen(
            shop.program("exec", "backend", "--", "sh", "-c", "echo up; exec sleep 60"),
            stdout=subprocess.PIPE,
            text=True,
        ) as command:
            assert command.stdout is not None
            assert command.stdout.readline() == "up\n"

            assert shop("stop").returncode == 0

            assert command.poll() is None
            command.terminate()
            assert command.wait(10) == -signal.SIGTERM

    def test_ends_as_the_command_ends(self, shop: Shop, backend: Path) -> None:
        assert shop("exec", "backend", "--", "sh", "-c", "exit 7").returncode == 7
        assert shop("exec", "backend", "--", "sh", "-c", "kill -TERM $$").returncode == -signal.SIGTERM
        assert shop("exec", "backend", "--", "no-such-command").returncode == 127

    def test_finds_programs_by_a_path_from_the_services_folder(self, shop: Shop, backend: Path) -> None:
        program(backend / "manage", "echo managed")

        assert shop("exec", "backend", "--", "./manage").stdout == "managed\n"

    def test_of_an_unknown_service_is_refused_with_the_nearest(self, shop: Shop, backend: Path) -> None:
        done = shop("exec", "backnd", "--", "true")

        assert done.returncode == 2
        assert "there is no service 'backnd' in shop" in done.stderr
        assert "did you mean backend?" in done.stderr

    def test_of_a_service_that_was_just_added_is_run(self, shop: Shop, backend: Path, port: int) -> None:
        assert shop("start", "frontend").returncode == 0
        shop.service("worker", "never=", directory="backend", env={"KIND": '"worker"'})

        assert shop("exec", "worker", "--", "sh", "-c", "echo $KIND").stdout == "worker\n"

    def test_of_a_server_has_the_names_by_which_its_clients_look_for_it(self, shop: Shop, port: int) -> None:
        (shop.root / "devinit.toml").write_text(
            f'[services.postgres]\nprovider = "postgres"\nport = {port + 2}\ndatabase = "orders"\n'
        )

        done = shop("exec", "postgres", "--", "sh", "-c", 'echo "$PGPORT $PGDATABASE"')

        assert done.stdout.split() == [str(port + 2), "orders"]

    def test_says_that_its_databases_do_not_run(self, shop: Shop, backend: Path) -> None:
        done = shop("exec", "backend", "--", "true")

        assert done.stderr == "nothing of this project runs: `devinit start` brings it up\n"


class TestACommandOfTheProject:
    def test_finds_the_tools_of_every_service_behind_those_of_the_caller(
        self, shop: Shop, backend: Path, tmp_path: Path
    ) -> None:
        program(backend / ".venv" / "bin" / "sh", "echo of the repository")

        done = shop("run", "--", "sh", "-c", "tool; bundled; pwd")

        assert done.stdout.splitlines() == ["of the environment", "of node_modules", str(shop.root)]

    def test_that_is_a_service_says_how_its_world_is_entered(self, shop: Shop, backend: Path) -> None:
        done = shop("run", "backend", "sh")

        assert done.returncode == 127
        assert "`devinit exec backend -- sh`" in done.stderr


class TestTheWords:
    @pytest.mark.parametrize(
        ("command", "words", "service", "rest", "directory"),
        [
            ("run", ["-s", "api", "--", "ls", "-l"], "api", ["ls", "-l"], None),
            ("run", ["--service", "api", "ls"], "api", ["ls"], None),
            ("run", ["--service=api", "ls"], "api", ["ls"], None),
            ("exec", ["api", "--", "ls", "-l"], "api", ["ls", "-l"], None),
            ("exec", ["api", "ls", "--", "-l"], "api", ["ls", "--", "-l"], None),
            ("exec", ["-C", "there", "api", "ls"], "api", ["ls"], "there"),
            ("exec", ["api", "--test", "--", "ls"], "api", ["ls"], None),
        ],
    )
    def test_are_the_services_and_the_commands(
        self, command: str, words: list[str], service: str, rest: list[str], directory: str | None
    ) -> None:
        arguments = read(module_of(command), command, words, None)

        assert (arguments.service, arguments.command, arguments.directory) == (service, rest, directory)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["exec"], "`devinit exec` needs SERVICE"),
            (["exec", "api"], "`devinit exec` needs a command"),
            (["exec", "api", "--"], "`devinit exec` needs a command"),
            (["exec", "--", "ls"], "`devinit exec` needs SERVICE"),
            (["run", "-s"], "-s/--service"),
            (["run", "-s", "api"], "`devinit run` needs a command"),
        ],
    )
    def test_that_lack_something_are_refused(
        self, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(words) == 2
        assert said in capsys.readouterr().err


def test_a_virtual_environment_and_its_python_are_the_services(shop: Shop, backend: Path) -> None:
    """A real one: `python` is the service's, and so is what is installed in it."""
    made = shop.root / "real"
    made.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made / ".venv")], check=True)
    site = next((made / ".venv" / "lib").glob("python*/site-packages"))
    (site / "only_here.py").write_text("print('imported')")
    shop.service("real", "never=", directory="real")

    done = shop("exec", "real", "--", "python", "-c", "import only_here, sys; print(sys.prefix)")

    assert done.stdout.splitlines() == ["imported", os.path.realpath(made / ".venv")]

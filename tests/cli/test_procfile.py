"""Specifies a repository with a Procfile, whose programs are started for real without a devinit.toml."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

import devinit
from tests.cli.conftest import Listen, Shop

WORKER = """
import os, signal
print("working for", os.environ["WHO"], flush=True)
signal.pause()
"""
SILENT_LISTENER = """
import signal, socket, sys
server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
print("listens", flush=True)
signal.pause()
"""
LISTED = """\
# for development
web: python3 -m http.server --bind 127.0.0.1 {web}
api: cd service && python3 -m http.server --bind 127.0.0.1 $PORT
worker: WHO=ada exec python3 worker.py
release: python3 migrate.py
"""


@pytest.fixture
def listed(shop: Shop, port: int) -> Shop:
    """A project with a Procfile.dev and nothing else."""
    (shop.root / "Procfile.dev").write_text(LISTED.format(web=port))
    (shop.root / ".env").write_text(f"PORT={port + 1 - 100}\n")
    (shop.root / "worker.py").write_text(WORKER)
    (shop.root / "index.html").write_text("the page")
    (shop.root / "service").mkdir()
    (shop.root / "service" / "index.html").write_text("the service")
    return shop


def page(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        text: str = answer.read().decode()
    return text


class TestAStart:
    def test_runs_every_process_on_its_port(self, listed: Shop, port: int) -> None:
        done = listed("start", "-d")

        assert done.returncode == 0, done.stderr
        services = listed.status()
        assert {name: (each["phase"], each["port"]) for name, each in services.items()} == {
            "web": ("ready", port),
            "api": ("ready", port + 1),
            "worker": ("ready", None),
        }
        assert (page(port), page(port + 1)) == ("the page", "the service")
        assert "working for ada" in listed("logs", "worker").stdout

    def test_says_what_it_does_not_run(self, listed: Shop) -> None:
        assert "Procfile.dev, line 5: release is not started" in listed("start", "-d").stderr

    def test_moves_what_meets_a_taken_port(self, listed: Shop, port: int, listen: Listen) -> None:
        listen(port)
        listen(port + 1)

        done = listed("start", "-d")

        assert done.returncode == 0, done.stderr
        services = listed.status()
        moved = {name: services[name]["port"] for name in ("web", "api")}
        assert set(moved.values()).isdisjoint({port, port + 1})
        assert (page(moved["web"]), page(moved["api"])) == ("the page", "the service")

    def test_runs_an_application_once_that_is_recognised_as_well(self, shop: Shop, port: int) -> None:
        (shop.root / "backend").mkdir()
        (shop.root / "backend" / "main.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
        (shop.root / "backend" / "index.html").write_text("the backend")
        (shop.root / "Procfile.dev").write_text(
            f"web: cd backend && python3 -m http.server --bind 127.0.0.1 {port}\n"
        )

        done = shop("start", "-d")

        assert done.returncode == 0, done.stderr
        assert {name: each["port"] for name, each in shop.status().items()} == {"web": port}
        assert page(port) == "the backend"

    def test_is_what_any_folder_of_the_project_starts_again(self, listed: Shop) -> None:
        listed("start", "-d")

        assert listed.sh("cd service && devinit status --json").returncode == 0


class TestAFolderInside:
    """Nothing runs, so that only the Procfile shows which project the folder is in."""

    @pytest.fixture
    def inside(self, listed: Shop) -> Path:
        (listed.root / ".git").mkdir()
        (listed.root / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        return listed.root / "service"

    def test_is_looked_at_with_its_project_by_doctor(self, listed: Shop, inside: Path) -> None:
        answer = json.loads(listed.sh("cd service && devinit doctor --json").stdout)

        assert answer["root"] == str(listed.root)
        assert "configuration" in answer["checks"]

    def test_is_that_of_the_project_that_is_forgotten(self, listed: Shop, inside: Path, port: int) -> None:
        assert listed("start", "-d").returncode == 0
        assert listed("stop").returncode == 0

        answer = json.loads(listed.sh("cd service && devinit forget --json").stdout)

        assert (answer["root"], answer["listed"]) == (str(listed.root), True)
        assert answer["ports"] == [port, port + 1]

    def test_tells_that_a_port_is_held_by_a_program_of_the_project(
        self, listed: Shop, inside: Path, port: int
    ) -> None:
        words = [sys.executable, "-S", "-c", SILENT_LISTENER, str(port)]
        with subprocess.Popen(words, cwd=inside, stdout=subprocess.PIPE) as program:
            assert program.stdout is not None
            assert program.stdout.readline()
            who = json.loads(listed.sh(f"cd service && devinit ports who {port} --json").stdout)
            free = listed.sh(f"cd service && devinit ports free {port}")
            program.kill()

        assert who["kind"] == "stray"
        assert "works in this checkout" in free.stderr

    @pytest.mark.parametrize("name", ["service", "service/index.html"])
    def test_is_one_in_which_applications_learn_what_to_start(
        self, listed: Shop, inside: Path, name: str
    ) -> None:
        with pytest.raises(TimeoutError) as caught:
            devinit.wait_for("web", timeout=0, start=listed.root / name)

        assert f"no supervisor looks after {listed.root}: `devinit start` starts it" in str(caught.value)


class TestWritingItDown:
    def test_names_the_line_of_each_service(self, listed: Shop, port: int) -> None:
        assert listed("init").returncode == 0

        text = (listed.root / "devinit.toml").read_text()
        assert "# from Procfile.dev, line 2\n# [services.web]" in text
        assert "# from Procfile.dev, line 3; .env, line 1\n# [services.api]" in text
        assert f"port = {port} " in text

    def test_starts_the_same_services(self, listed: Shop, port: int) -> None:
        listed("init")

        done = listed("start", "-d")

        assert done.returncode == 0, done.stderr
        assert (page(port), page(port + 1)) == ("the page", "the service")


class TestAnExplanation:
    def test_shows_each_service_with_its_lines_and_writes_nothing(self, listed: Shop, port: int) -> None:
        done = listed("init", "--explain")

        assert done.returncode == 0
        assert done.stdout.splitlines() == [
            f"web python3 -m http.server --bind 127.0.0.1 ${{PORT}} on port {port}",
            f"  Procfile.dev, line 2  command, port: web: python3 -m http.server --bind 127.0.0.1 {port}",
            f"api python3 -m http.server --bind 127.0.0.1 $PORT on port {port + 1}",
            (
                "  Procfile.dev, line 3  command, directory: api: cd service && python3 -m http.server --bind "
                "127.0.0.1 $PORT"
            ),
            f"  .env, line 1          port: PORT={port + 1 - 100}",
            "worker WHO=ada exec python3 worker.py",
            "  Procfile.dev, line 4  command: worker: WHO=ada exec python3 worker.py",
        ]
        assert "Procfile.dev, line 5: release is not started" in done.stderr
        assert not (listed.root / "devinit.toml").exists()

    def test_is_there_for_programs(self, listed: Shop, port: int) -> None:
        answer = json.loads(listed("init", "--explain", "--json").stdout)

        assert answer["services"]["web"] == {
            "provider": "process",
            "command": "python3 -m http.server --bind 127.0.0.1 ${PORT}",
            "directory": str(listed.root),
            "port": port,
            "depends_on": [],
            "evidence": [
                {
                    "about": about,
                    "file": "Procfile.dev",
                    "line": 2,
                    "says": f"web: python3 -m http.server --bind 127.0.0.1 {port}",
                }
                for about in ("command", "port")
            ],
        }
        assert answer["notes"][0].startswith("Procfile.dev, line 5: release is not started")

    def test_of_nothing_says_what_was_looked_for(self, shop: Shop) -> None:
        done = shop("init", "--explain")

        assert (done.returncode, done.stdout) == (0, "")
        assert "Procfile.dev, else Procfile" in done.stderr

    def test_shows_neither_secrets_nor_what_a_terminal_would_obey(self, shop: Shop) -> None:
        (shop.root / ".env").write_text("DATABASE_URL=postgresql://me:hunter2@localhost/x\x1b[2J\n")
        (shop.root / "Procfile.dev").write_text("web: API_TOKEN=hunter2 ./serve $PORT\nx: \x1b]0;title\x07\n")

        for words in ("--explain",), ("--explain", "--json"):
            done = shop("init", *words)
            assert "postgres" in done.stdout
            assert "hunter2" not in done.stdout + done.stderr
            assert "\x1b" not in done.stdout + done.stderr


def test_what_is_written_is_told_to_programs_with_its_evidence(shop: Shop) -> None:
    (shop.root / "Procfile.dev").write_text("web: ./serve $PORT\n")

    answer = json.loads(shop("init", "--json").stdout)

    assert answer["evidence"] == {
        "web": [{"about": "command", "file": "Procfile.dev", "line": 1, "says": "web: ./serve $PORT"}]
    }


class TestAPortInTheCode:
    def test_is_kept_and_its_line_is_named_when_it_is_taken(
        self, shop: Shop, port: int, listen: Listen
    ) -> None:
        (shop.root / "Procfile").write_text(f"web: python3 -m http.server --bind 127.0.0.1 {port}\n")
        (shop.root / "client.js").write_text(f"fetch('http://localhost:{port}/')\n")
        listen(port)

        done = shop("start", "-d")

        assert done.returncode != 0
        assert "client.js, line 1 has it as a constant" in done.stderr

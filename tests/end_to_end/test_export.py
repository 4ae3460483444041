"""Exports in the hands of the tools that they are for: PM2, honcho, process-compose. Each runs the same project."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.conftest import Machine

PATIENCE = 60
"""Seconds that anything may take on a busy machine."""
BACKEND = """\
import http.server, json, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
ODD = 'it\'s "$5" `x` %d #'


class Shop:
    """A project with a database that has a password, and two programs; one has odd values."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.backend, self.worker_port, redis = free_ports(3)
        (root / "backend").mkdir(parents=True)
        (root / "backend" / "server.py").write_text(BACKEND)
        odd = json.dumps(ODD.replace("$", "$$"))
        (root / "devinit.toml").write_text(
            "[project]\ndetect = false\n"
            f'[services.redis]\nprovider = "redis"\nport = {redis}\npassword = "random"\n'
            f'[services.backend]\ndirectory = "backend"\ncommand = "{sys.executable} -u server.py ${{PORT}}"\n'
            f'port = {self.backend}\ndepends_on = ["redis"]\nready = {{ http = "/" }}\nenv = {{ ODD = {odd} }}\n'
            f'[services.other]\ncommand = "cd backend && {sys.executable} -u server.py $PORT | cat"\n'
            f'port = {self.worker_port}\ndepends_on = ["backend"]\n'
        )

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "devinit", *words],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def written(self, form: str, file: str) -> Path:
        """Export the project, and return the file."""
        done = self("export", form, "-o", file)
        assert done.returncode == 0, done.stderr
        return self.root / file


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """The project, of which devinit runs the database."""
    shop = Shop(tmp_path / "shop")
    started = shop("start", "redis")
    if started.returncode != 0:
        pytest.skip(f"no Redis: {started.stderr.strip()}")
    yield shop
    shop("stop")


@pytest.fixture(scope="session")
def pm2(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Install PM2 from npm."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm on PATH")
    folder = tmp_path_factory.mktemp("pm2")
    words = ["npm", "install", "--silent", "--no-audit", "--no-fund", "pm2"]
    if subprocess.run(words, cwd=folder, capture_output=True, timeout=300, check=False).returncode != 0:
        pytest.skip("npm cannot install pm2 here")
    return str(folder / "node_modules" / ".bin" / "pm2")


@pytest.fixture(scope="session")
def honcho(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Install honcho from PyPI."""
    folder = tmp_path_factory.mktemp("honcho")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    words = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "honcho"]
    if subprocess.run(words, capture_output=True, timeout=300, check=False).returncode != 0:
        pytest.skip("pip cannot install honcho here")
    return str(folder / "bin" / "honcho")


def test_pm2_starts_it_from_any_folder_and_shows_the_ports(shop: Shop, pm2: str, machine: Machine) -> None:
    file = shop.written("pm2", "ecosystem.config.cjs")
    environment = {**os.environ, "PM2_HOME": str(machine.runtime / "pm2")}

    def run(*words: str) -> str:
        done = subprocess.run(
            [pm2, *words], cwd="/", env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done
        return done.stdout

    try:
        run("start", str(file))
        given = served(shop.backend)
        served(shop.worker_port)
        apps = json.loads(run("jlist").splitlines()[-1])
        kept = shop("ports", "who", str(shop.backend)).stdout
    finally:
        run("kill")

    assert {each["name"]: each["pm2_env"]["PORT"] for each in apps} == {
        "backend": str(shop.backend),
        "other": str(shop.worker_port),
    }
    assert {each["pm2_env"]["status"] for each in apps} == {"online"}
    expect_whole(given, shop)
    assert "pm2" in kept.lower()


def test_honcho_starts_the_procfile(shop: Shop, honcho: str) -> None:
    file = shop.written("procfile", "Procfile.dev")

    with running([honcho, "-f", str(file), "-e", ".env.runtime", "start"], shop.root):
        given = served(shop.backend)
        served(shop.worker_port)

    expect_whole(given, shop)


@pytest.mark.skipif(shutil.which("process-compose") is None, reason="process-compose is not installed")
def test_process_compose_starts_its_file(shop: Shop) -> None:
    file = shop.written("process-compose", "process-compose.yaml")
    [port] = free_ports(1)
    words = ["process-compose", "-e", ".env.runtime", "-f", str(file), "-p", str(port), "up", "-t=false"]

    with running(words, shop.root):
        given = served(shop.backend)
        served(shop.worker_port)

    expect_whole(given, shop)


def expect_whole(given: dict[str, str], shop: Shop) -> None:
    """Assert that a program got its port, the password of the database and odd values as they are."""
    runtime = dict(
        line.split("=", 1) for line in (shop.root / ".env.runtime").read_text().splitlines() if "=" in line
    )
    assert given["PORT"] == str(shop.backend)
    assert given["ODD"] == ODD
    assert given["REDIS_URL"] == runtime["REDIS_URL"]
    assert runtime["REDIS_PASSWORD"] in given["REDIS_URL"]


class running:  # noqa: N801 - used like a function
    """Run a program while the block lasts; Ctrl-C ends it."""

    def __init__(self, words: list[str], root: Path) -> None:
        self.process = subprocess.Popen(
            words, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def __enter__(self) -> None:
        """It runs."""

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise


def served(port: int) -> dict[str, str]:
    """Return what a server says, once it answers."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
                found: Any = json.loads(page.read())
                return dict(found)
        except (URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    """Return ports that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports

"""Real ports and real foreign processes for the tests of ports."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from devinit.model.port import LeaseOwner, PortRequest
from devinit.ports.hold import Hold, hold
from devinit.ports.leases import LeaseStore
from devinit.system.file_lock import FileLock
from tests.network import on_the_network

LISTEN = """
import os, signal, socket, sys, time
port, address, *options = int(sys.argv[1]), *sys.argv[2:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
server = socket.socket(family)
if "plain" not in options:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if "reuseport" in options:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
if family == socket.AF_INET6:
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int("dual" not in options))
server.bind((address, port))
if "bound" not in options:
    server.listen()
for option in options:
    if option.startswith("name="):
        open("/proc/self/comm", "w").write(option.removeprefix("name="))
if "nobody" in options:
    os.setuid(65534)
if "stubborn" in options:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "postgres" in options:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    open("/proc/self/comm", "w").write("postgres")
if "immortal" in options:
    open("/proc/self/comm", "w").write("postgres")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
if "fork" in options and (worker := os.fork()):
    print("ready", worker, flush=True)
else:
    print("ready", os.getpid(), flush=True)
signal.pause()
"""
CONNECT = """
import os, signal, socket, sys
client = socket.socket()
client.bind(("127.0.0.1", int(sys.argv[1])))
client.connect((sys.argv[2], int(sys.argv[3])))
print("ready", os.fork(), flush=True)
signal.pause()
"""
"""Two processes with one outgoing connection."""
RESTART = """
import os, signal, socket, sys

def listen():
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind(("127.0.0.1", int(sys.argv[1])))
    server.listen()
    return server

def end(*_):
    os.write(asked[1], b".")
    os.read(done[0], 1)
    os._exit(0)

asked, done = os.pipe(), os.pipe()
if os.fork() == 0:
    os.read(asked[0], 1)
    server = listen()
    os.write(done[1], b".")
elif os.fork() == 0:
    server = listen()
    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)
while True:
    signal.pause()
"""
"""A supervisor whose second server takes the port before the first one ends."""

PM2 = "pm2@7"

Stranger = Callable[..., subprocess.Popen[str]]
Block = Callable[[int], range]
Request = Callable[..., PortRequest]


@pytest.fixture
def block() -> Block:
    """Return consecutive free ports."""

    def find(count: int) -> range:
        while True:
            start = random.randrange(20000, 29900)  # noqa: S311 - concurrent test runs differ
            ports = range(start, start + count)
            holds = [hold(port) for port in ports]
            for each in holds:
                if isinstance(each, Hold):
                    each.close()
            if all(isinstance(each, Hold) for each in holds):
                return ports

    return find


@pytest.fixture
def port(block: Block) -> int:
    """Return a free port."""
    return block(1)[0]


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    """Start foreign processes that listen, and end them after the test."""
    started: list[subprocess.Popen[str]] = []

    def listen(
        port: int,
        address: str = "127.0.0.1",
        *options: str,
        program: str = LISTEN,
        directory: Path | None = None,
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", program, str(port), address, *options],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            cwd=directory,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready")
        return process

    yield listen
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def store(tmp_path: Path) -> LeaseStore:
    """Return the leases of a machine without any."""
    return LeaseStore(tmp_path / "leases")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a checkout."""
    path = tmp_path / "shop"
    path.mkdir()
    return path


@pytest.fixture
def owner(root: Path) -> LeaseOwner:
    """Return the backend of that checkout."""
    return LeaseOwner(root=str(root), project="shop", service="backend", pid=os.getpid(), at=0.0)


@pytest.fixture
def neighbour(tmp_path: Path) -> LeaseOwner:
    """Return the backend of another checkout."""
    path = tmp_path / "blog"
    path.mkdir()
    return LeaseOwner(root=str(path), project="blog", service="backend", pid=1, at=0.0)


@pytest.fixture(scope="session")
def pm2() -> str:
    """Return PM2, installed once for all runs of the tests."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed (scripts/test brings one along)")
    folder = Path(tempfile.gettempdir()) / f"devinit-tests-{os.getuid()}" / PM2
    program = folder / "node_modules" / ".bin" / "pm2"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(str(folder / "lock")):  # another worker may be installing it
        if not program.exists():
            options = ("--no-audit", "--no-fund", "--prefer-offline")
            words = on_the_network("npm", "install", "--prefix", str(folder), *options, PM2)
            done = subprocess.run(words, capture_output=True, text=True, timeout=100, check=False)
            if done.returncode:
                pytest.skip(f"npm could not install PM2: {done.stderr.strip()[-300:]}")
    return str(program)

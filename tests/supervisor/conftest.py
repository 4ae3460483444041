"""A project with lightweight services, and the real command line for it."""

from __future__ import annotations

import fcntl
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeAlias

import pytest

from devinit.errors import StateFileError
from devinit.model.process import ProcessSpec
from devinit.ports.hold import Hold, hold
from devinit.supervisor.record.state_file import read_state
from devinit.system.paths import project_id, run_mark, socket_path, state_path
from devinit.system.processes import Process, alive, ancestors_of, members_of, process_ids, spawn
from devinit.system.watch import FileWatch
from tests.kinds.conftest import embedded_valkey, system_redis
from tests.places import state_of

PATIENCE = 30.0
"""The time limit for any step on a busy machine; none is expected to take that long."""

SERVICE = r"""
import json, os, select, signal, socket, sys

options = dict(word.partition("=")[::2] for word in sys.argv[1:])
note = lambda name, text: open(name, "a").write(text + "\n")
if "note" in options:
    note(options["note"], json.dumps({"pid": os.getpid(), **os.environ}))
if "say" in options:
    print(options["say"], flush=True)
if "stubborn" in options:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "exit" in options:
    sys.exit(int(options["exit"]))
if "fails-while" in options and os.path.exists(options["fails-while"]):
    sys.exit("it fails")
if "fork" in options and os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.pause()
    os._exit(0)
if "never" in options or "PORT" not in os.environ:
    while True:
        signal.pause()
server = socket.socket()
if "plain" not in options:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(options.get("elsewhere") or os.environ["PORT"])))
server.listen()
while True:
    connection, _ = server.accept()
    if "crash-on-request" in options and connection.recv(1000):
        os._exit(3)
    if "bye-on-request" in options and connection.recv(1000):
        os._exit(0)
    status = options.get("status", "200 OK").replace("_", " ")
    if os.path.exists(options.get("sick-while", "")):
        status = "503 Sick"
    connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok".encode())
    connection.close()
"""

STRANGER = """
import socket, signal, sys
family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
server = socket.socket(family)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((sys.argv[2], int(sys.argv[1])))
server.listen()
print("ready", flush=True)
signal.pause()
"""

Event = dict[str, Any]  # one of model.event, as JSON


class Lines:
    """A reader of lines from a descriptor, which gives up eventually instead of hanging."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = b""

    def next(self) -> str | None:
        """Wait for the next line; return None at the end."""
        deadline = time.monotonic() + PATIENCE
        line = self.next_before(deadline)
        assert line is not None or time.monotonic() < deadline, f"no line within {PATIENCE:g} s"
        return line

    def next_before(self, deadline: float) -> str | None:
        """Wait for the next line; return None at the deadline or at the end."""
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            chunk = os.read(self._descriptor, 65536)
            if not chunk:
                return None
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()


class Command:
    """A running devinit command with `--json`: its events, then its exit code."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self.process = process
        self.seen: list[Event] = []
        self._lines = Lines(process.stdout.fileno())

    def until(self, **wanted: object) -> Event:
        """Wait for an event with these fields."""
        while (line := self._lines.next()) is not None:
            self.seen.append(json.loads(line))
            if all(self.seen[-1].get(key) == value for key, value in wanted.items()):
                return self.seen[-1]
        raise AssertionError(f"ended without {wanted}; saw {self.seen}; {self.errors()}")

    def finish(self) -> int:
        """Wait for its end; return the exit code."""
        while (line := self._lines.next()) is not None:
            self.seen.append(json.loads(line))
        return self.process.wait(PATIENCE)

    def errors(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def phases(self) -> list[tuple[str, str]]:
        """Return the services and the phases that they entered, in order."""
        return [(event["service"], event["phase"]) for event in self.seen if event.get("type") == "phase"]


class Shop:
    """A project, with the operations of the tests on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        (root / "service.py").write_text(SERVICE)
        self.marker = project_id(root)
        self._text: dict[str, str] = {}
        self._started: list[subprocess.Popen[bytes]] = []

    @classmethod
    def at(cls, root: Path) -> Self:
        """Return the existing project in a folder."""
        shop = cls.__new__(cls)
        shop.root, shop.marker = root, project_id(root)
        shop._text, shop._started = dict.fromkeys(("web", "worker"), ""), []
        return shop

    # The project

    def service(self, name: str, *options: str, **keys: object) -> None:
        """Configure a service that runs `service.py`, or the given `command`."""
        words = self.command(*options)
        self._text[name] = "\n".join(
            [f"[services.{name}]"]
            + [f"{key} = {toml(value)}" for key, value in {"command": words, **keys}.items()]
        )
        self.write()

    def server(self, name: str, **keys: object) -> None:
        """Configure a service whose program comes with devinit, such as a database."""
        self._text[name] = "\n".join(
            [f"[services.{name}]"] + [f"{key} = {toml(value)}" for key, value in keys.items()]
        )
        self.write()

    def command(self, *options: str) -> str:
        """Return the command line of `service.py`."""
        return " ".join([sys.executable, "-S", "-E", str(self.root / "service.py"), *options])

    def remove(self, name: str) -> None:
        del self._text[name]
        self.write()

    def write(self, *, more: str = "") -> None:
        (self.root / "devinit.toml").write_text("\n\n".join([*self._text.values(), more]))

    # Commands

    def program(self) -> list[str]:
        """Return the beginning of a command of this project."""
        return [sys.executable, "-m", "devinit", "-C", str(self.root)]

    def __call__(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command until it ends."""
        return subprocess.run(
            [*self.program(), *words],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
            check=False,
        )

    def begin(self, *words: str, **environment: str) -> Command:
        """Start a command, whose events are read while it runs."""
        process = subprocess.Popen(
            [*self.program(), *words, "--json"],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._started.append(process)
        return Command(process)

    def up(self, *words: str, **environment: str) -> Command:
        """Start the project, and expect success."""
        command = self.begin("start", *words, **environment)
        code = command.finish()
        assert code == 0, (command.seen, command.errors(), self.log("supervisor"))
        return command

    def status(self) -> dict[str, dict[str, Any]]:
        """Return the status of each service."""
        answer = self("status", "--json")
        assert answer.returncode == 0, answer.stderr
        return {service["name"]: service for service in json.loads(answer.stdout)["services"]}

    # Observations

    def supervisor(self) -> int:
        """Return the supervisor's pid."""
        answer = json.loads(self("status", "--json").stdout)
        return int(answer["supervisor"]["pid"])

    def supervisors(self) -> list[int]:
        """Return the pids of all supervisors of this project."""
        found = [pid for pid in process_ids() if is_supervisor_of(pid, self.root)]
        # A child of a supervisor looks like it until the new program replaces it.
        own = [pid for pid in found if not {*ancestors_of(pid)} & {*found}]
        return [pid for pid in own if is_supervisor_of(pid, self.root)]

    def pids(self, service: str) -> list[int]:
        """Return the pids of a service's processes, including daemonised ones."""
        return [member.pid for member in members_of(None, run_mark(self.root, service))]

    def every_pid(self) -> list[int]:
        """Return the pids of all services' processes."""
        return [pid for name in (*self._text, "gone") for pid in self.pids(name)]

    def leases(self) -> list[int]:
        """Return the ports whose lease is locked at this moment."""
        folder = Path(state_path()) / "leases"
        return sorted(int(path.stem) for path in folder.glob("*.lock") if is_locked(path))

    def log(self, name: str) -> str:
        private = state_of(self.root)
        path = private / "supervisor.log" if name == "supervisor" else private / "logs" / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def notes(self, name: str = "notes") -> list[dict[str, Any]]:
        """Return the notes of services: one environment for each start."""
        path = self.root / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def environment(self) -> dict[str, str]:
        """Return the variables in `.env.runtime`."""
        lines = (self.root / ".env.runtime").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))

    def ports(self) -> dict[str, int]:
        """Return the ports in `.ports.json`."""
        found: dict[str, int] = json.loads((self.root / ".ports.json").read_text())
        return found

    def subscribe(self) -> Subscription:
        """Receive all events from now on."""
        return Subscription(socket_path(self.root))

    # Accidents

    def kill_supervisor(self, number: int = signal.SIGKILL) -> None:
        """Kill the supervisor, as the kernel would when memory is short, and wait for its end."""
        [supervisor] = self.supervisors()
        end(supervisor, number)

    def end_process(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Signal a process of a service, and wait for its end."""
        end(pid, number)

    def expect_nothing_left(self) -> None:
        """Assert after a stop that no supervisor, process or lock is left."""
        for pid in self.supervisors():
            wait_for_end(pid)
        assert self.every_pid() == []
        assert self.leases() == []

    def finish(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        for pid in self.supervisors():
            end(pid, signal.SIGKILL)
        for pid in {*self.every_pid(), *self.recorded_pids()}:
            end(pid, signal.SIGKILL)

    def recorded_pids(self) -> list[int]:
        """Return the recorded pids of services: Redis overwrites the mark in its environment with its title."""
        with suppress(StateFileError):
            records = read_state(state_of(self.root)).services.values()
            identities = [each.identity for each in records if each.identity is not None]
            return [each.pid for each in identities if alive(each)]
        return []


class Subscription:
    """A client of the socket that receives every event."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self._lines = Lines(self.socket.fileno())
        self.ask("subscribe")

    def ask(self, method: str, **params: object) -> Any:
        """Send a request, wait for the answer, and return the result or the error."""
        request = {"jsonrpc": "2.0", "id": method, "method": method, "params": params}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        while (line := self._lines.next()) is not None:
            answer = json.loads(line)
            if answer.get("id") == method:
                return answer.get("result", answer.get("error"))
        raise AssertionError("the supervisor went away")

    def stays_silent(self, seconds: float, **unwanted: object) -> bool:
        """Return whether no event with these fields arrives for a while."""
        deadline = time.monotonic() + seconds
        while (line := self._lines.next_before(deadline)) is not None:
            event: Event = json.loads(line).get("params") or {}
            if all(event.get(key) == value for key, value in unwanted.items()):
                return False
        return True

    def until(self, **wanted: object) -> Event:
        """Wait for an event with these fields."""
        while (line := self._lines.next()) is not None:
            event: Event = json.loads(line).get("params") or {}
            if all(event.get(key) == value for key, value in wanted.items()):
                return event
        raise AssertionError(f"the supervisor went away before {wanted}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


class Started:
    """A process that a test started, with its output."""

    def __init__(self, process: Process, output: int) -> None:
        self.process, self.pid, self.output = process, process.pid, output
        self._lines = Lines(output)

    def line(self) -> str:
        line = self._lines.next()
        assert line is not None
        return line


class Launcher:
    """A launcher that starts processes as the supervisor does, with the test's own mark."""

    def __init__(self, directory: Path) -> None:
        self.marker = f"test-{random.randrange(10**12)}/it"  # noqa: S311  only distinct
        self.directory = directory
        self._started: list[Started] = []

    def __call__(self, *argv: str) -> Started:
        environment = {"PATH": os.environ["PATH"], "DEVINIT_RUN": self.marker}
        spec = ProcessSpec(argv=argv, directory=self.directory, environment=environment)
        readable, writable = os.pipe()
        silent = os.open(os.devnull, os.O_RDONLY)
        try:
            started = Started(spawn(spec, output=writable, stdin=silent), readable)
        finally:
            os.close(writable)
            os.close(silent)
        self._started.append(started)
        return started

    def sh(self, script: str) -> Started:
        return self("sh", "-c", script)

    def python(self, code: str, *arguments: str) -> Started:
        return self(sys.executable, "-S", "-E", "-c", code, *arguments)

    def finish(self) -> None:
        for member in members_of(None, self.marker):
            end(member.pid, signal.SIGKILL)
        for started in self._started:
            started.process.wait(PATIENCE)
            started.process.returncode()
            started.process.close()
            os.close(started.output)


def wait_until(condition: Callable[[], bool], *paths: Path) -> None:
    """Wait for a condition that depends on files, whose changes wake the wait."""
    deadline = time.monotonic() + PATIENCE
    with FileWatch(paths) as watch:
        while not condition():
            assert time.monotonic() < deadline
            watch.wait(deadline - time.monotonic())


MakeShop = Callable[[str], Shop]
FreePorts = Callable[[int], range]
Stranger = Callable[..., int]
Until = Callable[..., None]
Redis: TypeAlias = "subprocess.Popen[str]"
RunRedis: TypeAlias = Callable[..., Redis]


@pytest.fixture
def make_shop(tmp_path: Path) -> Iterator[MakeShop]:
    """Create projects, each in its own folder."""
    shops: list[Shop] = []

    def make(name: str) -> Shop:
        shops.append(Shop(tmp_path / name))
        return shops[-1]

    yield make
    for shop in shops:
        shop.finish()


@pytest.fixture
def shop(make_shop: MakeShop) -> Shop:
    """A project with no services yet."""
    return make_shop("shop")


@pytest.fixture
def free_ports() -> FreePorts:
    """Find consecutive free ports outside of the kernel's ephemeral range."""

    def find(count: int) -> range:
        while True:
            first = random.randrange(24000, 25000 - count)  # noqa: S311  concurrent test runs differ
            holds = [hold(port) for port in range(first, first + count)]
            for each in holds:
                if isinstance(each, Hold):
                    each.close()
            if all(isinstance(each, Hold) for each in holds):
                return range(first, first + count)

    return find


@pytest.fixture
def port(free_ports: FreePorts) -> int:
    """A free port with some free ports above it."""
    return free_ports(6)[0]


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    """Start foreign programs that listen; they end with the test."""
    started: list[subprocess.Popen[str]] = []

    def listen(port: int, address: str = "127.0.0.1") -> int:
        process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", STRANGER, str(port), address],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process.pid

    yield listen
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def run_redis(tmp_path: Path) -> Iterator[RunRedis]:
    """Run a Redis without any mark of devinit, as another user of the port would."""
    program = system_redis() or embedded_valkey()
    if program is None:
        pytest.skip("there is no Redis on this machine")
    started: list[Redis] = []

    def run(port: int, *options: str) -> Redis:
        words = [str(program), "--port", str(port), "--save", "", "--bind", "127.0.0.1", *options]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
        started.append(server)
        assert server.stdout is not None
        assert any("eady to accept connections" in line for line in server.stdout)
        return server

    yield run
    for server in started:
        server.kill()
        server.communicate()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launcher]:
    launcher = Launcher(tmp_path)
    yield launcher
    launcher.finish()


@pytest.fixture
def until() -> Until:
    """Wait for a condition that depends on files."""
    return wait_until


def toml(value: object) -> str:
    """Return a value in TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value)


def is_supervisor_of(pid: int, root: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"devinit.supervisor" in words and os.fsencode(root) in words


def is_locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def wait_for_end(pid: int) -> None:
    """Wait until a process has ended, even if it is not a child."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        ready, _, _ = select.select([descriptor], [], [], PATIENCE)
        os.close(descriptor)
        assert ready, f"process {pid} does not end"


def end(pid: int, number: int) -> None:
    """Signal a process, and wait for its end."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        wait_for_end(pid)


@pytest.fixture
def ramfs(tmp_path: Path) -> Iterator[Path]:
    """A file system that cannot free the beginning of a file. Only root may mount one."""
    path = tmp_path / "ramfs"
    path.mkdir()
    try:
        subprocess.run(["mount", "-t", "ramfs", "ramfs", str(path)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    yield path
    subprocess.run(["umount", str(path)], check=True)

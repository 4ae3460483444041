"""Specifies that data is found again when its service, or its database, is called otherwise; real servers."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kinds.conftest import embedded_postgres, embedded_valkey, system_postgres, system_redis
from tests.places import state_of
from tests.supervisor.conftest import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.supervisor.conftest import FreePorts


class Servers:
    """A project with servers, and what one asks them."""

    def __init__(self, shop: Shop, folder: Path, ports: list[int]) -> None:
        self.shop, self._folder, self._ports = shop, folder, ports

    def describe(self, *names: str, provider: str = "postgres", **keys: object) -> None:
        """Write devinit.toml with servers of these names."""
        self.shop._text = {}
        for name, port in zip(names, self._ports, strict=False):
            self.shop.server(name, provider=provider, port=port, binaries=str(self._folder), **keys)

    def up(self) -> str:
        """Start, and return what the command says."""
        said = self.shop("start", "-d")
        assert said.returncode == 0, said.stderr
        return said.stdout + said.stderr

    def asked(self, sql: str, name: str = "DATABASE_URL") -> str:
        """Return what a database answers."""
        done = subprocess.run(
            [self._folder / "psql", "-X", "-A", "-t", "-q", "-w", "-d", self.shop.environment()[name]],
            input=sql,
            env={"PGCONNECT_TIMEOUT": "10"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() or done.stderr.strip()

    def redis(self, *words: str) -> str:
        """Return what Redis answers to a command."""
        import socket

        found = self.shop.environment()
        port = next(found[name] for name in found if name.endswith("_PORT"))
        with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as connection:
            connection.sendall((" ".join(words) + "\r\n").encode())
            return connection.recv(1000).decode()

    @property
    def data(self) -> Path:
        return state_of(self.shop.root) / "data"


@pytest.fixture
def servers(shop: Shop, free_ports: FreePorts) -> Iterator[Servers]:
    folder = embedded_postgres() or system_postgres()
    if folder is None:
        pytest.skip("there is no PostgreSQL on this machine")
    yield Servers(shop, folder, [*free_ports(3)])
    shop("stop")


@pytest.fixture
def caches(shop: Shop, free_ports: FreePorts) -> Iterator[Servers]:
    program = system_redis() or embedded_valkey()
    if program is None:
        pytest.skip("there is no Redis on this machine")
    yield Servers(shop, program.parent, [*free_ports(2)])
    shop("stop")


FILL = "CREATE TABLE orders AS SELECT generate_series(1, 1000) AS number"
COUNT = "SELECT count(*) FROM orders"


class TestAServiceOfAnotherName:
    def test_has_the_data_that_no_service_has_now(self, servers: Servers) -> None:
        servers.describe("postgres")
        servers.up()
        servers.asked(FILL)
        password = servers.shop.environment()["POSTGRES_PASSWORD"]
        servers.shop("stop")
        servers.describe("pg")

        said = servers.up()

        assert servers.asked(COUNT) == "1000"
        assert servers.shop.environment()["PG_PASSWORD"] == password
        assert "pg: it has the data of postgres now, which no service is called any more" in said
        assert sorted(path.name for path in servers.data.iterdir()) == ["pg"]
        assert "has the data of" not in servers.up()

    def test_gives_it_back_with_the_name(self, servers: Servers) -> None:
        servers.describe("postgres")
        servers.up()
        servers.asked(FILL)
        servers.describe("pg")
        servers.up()
        servers.describe("postgres")

        servers.up()

        assert servers.asked(COUNT) == "1000"

    def test_that_was_asked_about_before_has_it_too(self, servers: Servers) -> None:
        servers.describe("postgres")
        servers.up()
        servers.asked(FILL)
        servers.shop("stop")
        servers.describe("pg")
        (servers.data / "pg").mkdir()
        (servers.data / "pg" / "password").write_text("of-nothing\n")

        servers.up()

        assert servers.asked(COUNT) == "1000"
        assert (servers.data / "pg.unused" / "password").read_text() == "of-nothing\n"

    def test_begins_anew_beside_the_one_that_has_it(self, servers: Servers) -> None:
        servers.describe("postgres")
        servers.up()
        servers.asked(FILL)
        servers.describe("postgres", "events")

        servers.up()

        assert servers.asked(COUNT) == "1000"
        assert "does not exist" in servers.asked(COUNT, "EVENTS_URL")

    def test_says_whose_data_is_left_where_it_may_mean_another(self, servers: Servers) -> None:
        servers.describe("postgres", "stats")
        servers.up()
        servers.asked(FILL, "STATS_URL")
        servers.describe("postgres", "events")

        said = servers.up()

        assert "does not exist" in servers.asked(COUNT, "EVENTS_URL")
        assert (
            f"events: it begins empty; {servers.data / 'stats'} is left, which no service is called now"
            in said
        )

    def test_of_redis_has_its_data_too(self, caches: Servers) -> None:
        caches.describe("redis", provider="redis")
        caches.up()
        caches.redis("SET", "basket", "42")
        caches.describe("cache", provider="redis")

        said = caches.up()

        assert caches.redis("GET", "basket") == "$2\r\n42\r\n"
        assert "cache: it has the data of redis now" in said

    @pytest.mark.parametrize("leaves_out", ["redis = false", "redis = { autostart = false }"])
    def test_of_another_profile_does_not_get_the_data(self, caches: Servers, leaves_out: str) -> None:
        server = f'provider = "redis", binaries = "{caches._folder}"'
        caches.describe("redis", provider="redis")
        caches.shop.write(
            more=f"[profiles.ci.services]\n{leaves_out}\ntested = {{ {server}, port = {caches._ports[1]} }}\n"
        )
        caches.up()
        caches.redis("SET", "basket", "42")
        caches.shop("stop")

        said = caches.shop("start", "-d", "tested", "--profile", "ci")
        caches.shop("stop")
        caches.up()

        assert said.returncode == 0, said.stderr
        assert caches.redis("GET", "basket") == "$2\r\n42\r\n"
        assert {path.name for path in caches.data.iterdir()} == {"redis", "tested"}


class TestADatabaseOfAnotherName:
    COMPOSE = (
        "services:\n  postgres:\n    image: postgres:16\n"
        "    environment: {POSTGRES_DB: store, POSTGRES_USER: app, POSTGRES_PASSWORD: app}\n"
    )

    def test_in_the_files_of_the_project_keeps_the_one_with_data(self, servers: Servers) -> None:
        servers.describe("postgres")
        servers.up()
        servers.asked(FILL)
        servers.shop("stop")
        (servers.shop.root / "compose.yaml").write_text(self.COMPOSE)

        said = servers.up()

        assert servers.asked(COUNT) == "1000"
        assert servers.shop.environment()["POSTGRES_DB"] == "shop"
        assert servers.shop.environment()["POSTGRES_USER"] == "app"
        assert "creating the database" not in said
        assert (
            "postgres: it keeps the database shop, which has data, although files of the project name store; "
            '`database = "store"` under [services.postgres] in devinit.toml begins with that one'
        ) in " ".join(said.split())

    def test_in_the_files_counts_while_there_is_no_data(self, servers: Servers) -> None:
        servers.describe("postgres")
        servers.up()
        servers.shop("stop")
        (servers.shop.root / "compose.yaml").write_text(self.COMPOSE)

        servers.up()

        assert servers.shop.environment()["POSTGRES_DB"] == "store"

    def test_in_devinit_toml_counts_and_names_the_one_with_data(self, servers: Servers) -> None:
        servers.describe("postgres")
        servers.up()
        servers.asked(FILL)
        servers.describe("postgres", database="store")

        done = servers.shop("restart", "postgres")

        assert servers.shop.environment()["POSTGRES_DB"] == "store"
        assert (
            "postgres: it has the database shop still, with data; "
            '`database = "shop"` under [services.postgres] in devinit.toml goes back to it'
        ) in " ".join((done.stdout + done.stderr).split())

    def test_is_named_by_status_with_all_else_that_changes(self, servers: Servers) -> None:
        root = servers.shop.root
        (root / "devinit.toml").unlink(missing_ok=True)
        (root / "compose.yaml").write_text(self.COMPOSE)
        servers.up()
        (root / "compose.yaml").write_text(self.COMPOSE.replace(": app", ": clerk").replace("store", "fair"))
        servers.up()

        said = servers.shop("status", "--json").stdout

        assert '"database"' in said
        assert '"user"' in said
        assert '"password"' in said

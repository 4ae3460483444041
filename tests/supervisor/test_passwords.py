"""Specifies the passwords of databases: whose they are, that they stay, and that no other user gets in."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - sockets load it late, from where the other user may not read
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from msgspec.structs import replace

from devinit.config.load import load
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.postgres.login import ask
from devinit.kinds.providers import Place
from devinit.kinds.redis.kind import RedisSettings
from devinit.kinds.running import TimedConnection, Unusable
from devinit.model.service import Project, Service
from devinit.supervisor.project.passwords import Passwords, as_they_run
from tests.kinds.conftest import embedded_postgres, embedded_valkey, system_postgres, system_redis
from tests.places import state_of
from tests.supervisor.conftest import PATIENCE, Shop
from tests.system.conftest import Unprivileged

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, MakeShop

PASSWORD = "of-the-repository"
SHOP = PostgresSettings(database="shop", user="shop")


@pytest.fixture
def psql() -> Path:
    """The client of the PostgreSQL with which the tests run."""
    found = embedded_postgres() or system_postgres()
    if found is None:
        pytest.skip("there is no PostgreSQL on this machine")
    return found / "psql"


@pytest.fixture
def store(shop: Shop, psql: Path, free_ports: FreePorts) -> Iterator[Store]:
    """A project with a PostgreSQL."""
    store = Store(shop, psql, free_ports(1)[0])
    store.describe()
    yield store
    shop("stop")


@pytest.fixture
def cache(shop: Shop, free_ports: FreePorts) -> Iterator[Cache]:
    """The same project with a Redis."""
    program = system_redis() or embedded_valkey()
    if program is None:
        pytest.skip("there is no Redis on this machine")
    yield Cache(shop, program, free_ports(1)[0])
    shop("stop")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "shop")


@pytest.fixture
def another_user() -> Unprivileged:
    """Another account, as which a function is called."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    return Unprivileged()


CURRENT = {"database": "current_database()", "user": "current_user"}


class Store:
    """A project with a PostgreSQL, and what one asks it."""

    def __init__(self, shop: Shop, psql: Path, port: int) -> None:
        self.shop, self._psql, self._port = shop, psql, port

    def describe(self, **keys: object) -> None:
        """Write devinit.toml."""
        binaries = str(self._psql.parent)
        self.shop.server("postgres", provider="postgres", port=self._port, binaries=binaries, **keys)

    @property
    def password(self) -> str:
        """The password that is published."""
        return self.shop.environment()["POSTGRES_PASSWORD"]

    def rows(self, sql: str, **login: str) -> list[str]:
        """Return what a query answers to a client with what is published."""
        said = self.ask(sql, **login)
        assert said.returncode == 0, said.stderr
        return said.stdout.splitlines()

    def ask(self, sql: str, **login: str) -> subprocess.CompletedProcess[str]:
        published = self.shop.environment()
        return subprocess.run(
            [self._psql, "-X", "-A", "-t", "-q", "-w", "-c", sql],
            env={
                "PATH": os.environ["PATH"],
                "PGHOST": published["POSTGRES_HOST"],
                "PGPORT": published["POSTGRES_PORT"],
                "PGUSER": login.get("user", published["POSTGRES_USER"]),
                "PGPASSWORD": login.get("password", published["POSTGRES_PASSWORD"]),
                "PGDATABASE": login.get("database", published["POSTGRES_DB"]),
                "PGCONNECT_TIMEOUT": "10",
            },
            capture_output=True,
            text=True,
            check=False,
        )


class Cache:
    """A project with a Redis, and what one asks it."""

    def __init__(self, shop: Shop, program: Path, port: int) -> None:
        self.shop, self._program, self._port = shop, program, port

    def describe(self, **keys: object) -> None:
        """Write devinit.toml."""
        self.shop.server(
            "redis", provider="redis", port=self._port, binaries=str(self._program.parent), **keys
        )

    def says(self, *commands: str) -> str:
        """Return what it answers to commands."""
        return exchange(int(self.shop.environment()["REDIS_PORT"]), *commands)


class Checkout:
    """A folder with a PostgreSQL that is configured without a password."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self._passwords = Passwords(lambda _: (root / ".env",))

    def password(self) -> str:
        """Return the one that it has."""
        return self.password_of(replace(a_postgres(""), settings=SHOP), {}) or ""

    def password_of(self, service: Service, caller: dict[str, str], *others: Service) -> str | None:
        """Return the password that a server in the folder has, beside other services."""
        place = Place(project="shop", root=self.root, data=self.root / "data", environment=caller)
        services = (replace(service, directory=self.root), *others)
        project = replace(a_project(service), root=self.root, services={each.name: each for each in services})
        settings = self._passwords.settled(project, place).services[service.name].settings
        assert isinstance(settings, PostgresSettings | RedisSettings)
        return settings.password


class Login(NamedTuple):
    """The address of a PostgreSQL, for attempts to log in."""

    host: str
    port: int

    def problem(self, user: str, password: str) -> str:
        """Return why that does not work; an empty text when it does."""
        settings = PostgresSettings(database="postgres", user=user, password=password)
        with TimedConnection(self.host, self.port, time.monotonic() + PATIENCE) as line:
            try:
                ask(line, settings)
            except Unusable as error:
                return str(error)
        return ""


@contextmanager
def closing_shop(shop: Shop) -> Iterator[Shop]:
    """Stop a project at the end."""
    try:
        yield shop
    finally:
        shop("stop")
        shop.finish()


class TestTheDatabaseOfACheckoutThatIsMoved:
    def test_is_found_again_with_its_role_in_a_folder_of_another_name(
        self, store: Store, tmp_path: Path
    ) -> None:
        store.shop.up()
        store.rows("CREATE TABLE orders AS SELECT 42 AS total")
        store.shop("stop")

        store.shop.root.rename(tmp_path / "store")
        with closing_shop(Shop.at(tmp_path / "store")) as store.shop:
            store.shop.up()

            assert store.rows("SELECT total FROM orders") == ["42"]

    def test_is_written_down_under_its_own_name(self, store: Store, tmp_path: Path) -> None:
        store.shop.up()
        store.rows("CREATE TABLE orders AS SELECT 42 AS total")
        store.shop("stop")
        (store.shop.root / "devinit.toml").unlink()
        store.shop.root.rename(tmp_path / "store")
        with closing_shop(Shop.at(tmp_path / "store")) as store.shop:
            (store.shop.root / "requirements.txt").write_text("psycopg\n")
            (store.shop.root / "main.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")

            assert store.shop("init").returncode == 0

            written = load(store.shop.root).services["postgres"].settings_as(PostgresSettings)
            assert written is not None
            assert (written.database, written.user) == ("shop", "shop")
            assert load(store.shop.root).name == "store"

    def test_has_another_name_when_the_project_gets_one(self, store: Store) -> None:
        store.shop.up()
        store.shop.write(more='[project]\nname = "fair"')

        assert store.shop("restart", "postgres").returncode == 0

        assert store.shop.environment()["POSTGRES_DB"] == "fair"


class TestThePasswordOfAPostgresql:
    def test_is_random_and_the_same_in_everything_that_is_published(self, store: Store) -> None:
        store.shop.up()

        published = store.shop.environment()
        assert len(store.password) >= 32
        assert store.password not in {"shop", store.shop.root.name}
        assert f":{store.password}@" in published["DATABASE_URL"]
        assert f":{store.password}@" in published["POSTGRES_URL"]
        assert store.rows("SELECT current_user, current_database()") == ["shop|shop"]

    def test_is_another_one_in_another_checkout(
        self, store: Store, make_shop: MakeShop, psql: Path, free_ports: FreePorts
    ) -> None:
        other = Store(make_shop("other"), psql, free_ports(2)[1])
        other.describe()
        store.shop.up()
        other.shop.up()

        assert store.password != other.password
        other.shop("stop")

    def test_stays_through_a_stop(self, store: Store) -> None:
        store.shop.up()
        before = store.shop.environment()
        store.shop("stop")

        store.shop.up()

        assert store.shop.environment() == before

    def test_is_known_before_the_first_start(self, store: Store) -> None:
        shown = store.shop("env", "--format", "json")
        assert shown.returncode == 0, shown.stderr

        store.shop.up()

        assert f'"POSTGRES_PASSWORD": "{store.password}"' in shown.stdout

    def test_is_kept_for_its_user_alone(self, store: Store) -> None:
        store.shop.up()

        holders = [path for path in files_below(state_of(store.shop.root)) if holds(path, store.password)]
        assert "password" in {path.name for path in holders}
        assert {oct(path.stat().st_mode & 0o777) for path in holders} == {"0o600"}

    def test_is_shown_by_nothing_that_only_reports(self, store: Store) -> None:
        store.shop.up()

        commands = (
            ["status"],
            ["status", "--json"],
            ["why", "postgres"],
            ["why", "postgres", "--json"],
            ["logs"],
        )
        said = [store.shop(*words) for words in commands]

        assert [answer.args for answer in said if store.password in answer.stdout + answer.stderr] == []

    def test_cannot_be_guessed(self, store: Store) -> None:
        store.shop.up()

        for user in ("shop", "devinit_admin"):
            for password in ("", "shop", "postgres", "random", "devinit_admin"):
                said = store.ask("SELECT 1", user=user, password=password, database="postgres")
                assert said.returncode != 0, (user, password)
                assert "password" in said.stderr

    def test_is_asked_for_on_every_way_in(self, store: Store) -> None:
        store.shop.up()

        [rules] = (state_of(store.shop.root)).rglob("pg_hba.conf")
        lines = [line.split() for line in rules.read_text().splitlines() if line.strip() and line[0] != "#"]
        assert {line[-1] for line in lines} == {"scram-sha-256"}
        assert {line[0] for line in lines} == {"local", "host"}


class TestAPasswordThatNamesAVariable:
    """As a compose file does: the application has the same variable, whatever it is called."""

    @pytest.mark.parametrize(
        ("written", "file", "caller", "password"),
        [
            ("${DB_PW}", f"DB_PW={PASSWORD}\n", {}, PASSWORD),
            ("${DB_PW:-dev}", f"DB_PW={PASSWORD}\n", {"DB_PW": "of the shell"}, PASSWORD),
            ("${DB_PW:-dev}", "", {"DB_PW": "of the shell"}, "of the shell"),
            ("${DB_PW:-dev}", "", {}, "dev"),
            ("as-${it}-stands", "", {}, "as-${it}-stands"),
        ],
    )
    def test_is_the_value_of_that(
        self, checkout: Checkout, written: str, file: str, caller: dict[str, str], password: str
    ) -> None:
        (checkout.root / ".env").write_text(file)

        for service in (
            replace(a_postgres(""), settings=replace(SHOP, password=written)),
            Service(
                name="redis",
                provider="redis",
                directory=checkout.root,
                settings=RedisSettings(password=written),
            ),
        ):
            assert checkout.password_of(service, caller) == password

    def test_is_random_where_nothing_gives_it_a_value(self, checkout: Checkout) -> None:
        service = replace(a_postgres(""), settings=replace(SHOP, password="${DB_PW}"))

        assert len(checkout.password_of(service, {}) or "") == 48

    def test_is_that_of_the_file_where_the_application_is_given_ours_under_the_name(
        self, checkout: Checkout
    ) -> None:
        """A compose file gives it DB_PW, which becomes the name of ours; the code reads `.env` as well."""
        (checkout.root / ".env").write_text(f"DB_PW={PASSWORD}\n")
        service = replace(a_postgres(""), settings=replace(SHOP, password="${DB_PW}"))
        backend = Service(name="backend", directory=checkout.root, env={"DB_PW": "${POSTGRES_PASSWORD}"})

        assert checkout.password_of(service, {}, backend) == PASSWORD


class TestAPasswordThatFilesName:
    def test_is_the_one_in_devinit_toml(self, store: Store) -> None:
        store.describe(password=PASSWORD)
        (store.shop.root / ".env").write_text("POSTGRES_PASSWORD=another\n")

        store.shop.up()

        assert store.password == PASSWORD
        assert store.rows("SELECT 1") == ["1"]

    @pytest.mark.parametrize(
        "line",
        [
            f"POSTGRES_PASSWORD={PASSWORD}",
            f"DATABASE_URL=postgresql+asyncpg://somebody:{PASSWORD}@localhost:5432/app",
            f"TEST_DSN=postgres://shop:{PASSWORD}@127.0.0.1/shop",
        ],
    )
    def test_is_the_one_in_the_env_file(self, store: Store, line: str) -> None:
        (store.shop.root / ".env").write_text(line + "\n")

        store.shop.up()

        assert store.password == PASSWORD
        assert store.rows("SELECT 1") == ["1"]

    def test_is_the_one_in_the_table_environment(self, store: Store) -> None:
        url = "postgresql+asyncpg://shop:" + PASSWORD + "@${POSTGRES_HOST}:${POSTGRES_PORT}/shop"
        store.shop.write(more=f'[environment]\nAPP_URL = "{url}"\n')

        store.shop.up()

        assert store.password == PASSWORD

    def test_gives_way_to_a_random_one_that_devinit_toml_asks_for(self, store: Store) -> None:
        store.describe(password="random")
        (store.shop.root / ".env").write_text(f"POSTGRES_PASSWORD={PASSWORD}\n")

        store.shop.up()

        assert store.password not in {PASSWORD, "random"}


class TestAnotherPassword:
    def test_takes_effect_on_existing_data_without_losing_a_row(self, store: Store) -> None:
        # As devinit made it before there were random ones: the name of the project.
        store.describe(password="shop")
        store.shop.up()
        store.rows("CREATE TABLE t (i int); INSERT INTO t SELECT generate_series(1, 1000)")
        store.shop("stop")
        store.describe()

        events = store.shop.up().seen

        assert store.password != "shop"
        assert store.rows("SELECT count(*), current_user FROM t") == ["1000|shop"]
        assert store.ask("SELECT 1", password="shop").returncode != 0
        notes = [event["message"] for event in events if event.get("type") == "note"]
        assert "postgres: the role shop has another password now: `devinit env` shows it" in notes

    def test_is_published_only_when_the_server_has_it(self, store: Store) -> None:
        store.describe(password="first")
        store.shop.up()
        store.describe(password="second")

        again = store.shop.up()

        assert store.password == "first"
        assert store.rows("SELECT 1") == ["1"]
        assert store.shop.status()["postgres"]["changed"] == ["password"]
        notes = [event["message"] for event in again.seen if event.get("type") == "note"]
        assert "postgres runs as it was configured before: `devinit restart postgres`" in notes
        assert store.shop("restart", "postgres").returncode == 0
        assert store.password == "second"
        assert store.rows("SELECT 1") == ["1"]

    @pytest.mark.parametrize("key", ["database", "user"])
    def test_and_another_name_of_the_database_or_of_its_user_are_no_different(
        self, store: Store, key: str
    ) -> None:
        store.describe(**{key: "first"})
        store.shop.up()
        store.describe(**{key: "second"})

        store.shop.up()

        assert store.rows(f"SELECT {CURRENT[key]}") == ["first"]
        assert store.shop.status()["postgres"]["changed"] == [key]
        assert store.shop("restart", "postgres").returncode == 0
        assert store.rows(f"SELECT {CURRENT[key]}") == ["second"]

    def test_of_a_changed_env_file_makes_the_server_outdated(self, store: Store) -> None:
        (store.shop.root / ".env").write_text("POSTGRES_PASSWORD=first\n")
        store.shop.up()
        (store.shop.root / ".env").write_text("POSTGRES_PASSWORD=second-one\n")

        assert store.shop.status()["postgres"]["changed"] == ["password"]
        assert store.shop("restart", "--changed").returncode == 0
        assert store.rows("SELECT 1", password="second-one") == ["1"]

    def test_does_not_come_with_another_supervisor(self, store: Store) -> None:
        store.describe(password="shop")
        store.shop.up()
        store.describe()
        store.shop.kill_supervisor()

        shown = store.shop("env", "--format", "json")

        assert '"POSTGRES_PASSWORD": "shop"' in shown.stdout
        assert store.rows("SELECT 1", password="shop") == ["1"]

    @pytest.mark.parametrize("taken_over", [False, True])
    def test_reaches_the_applications(self, store: Store, free_ports: FreePorts, taken_over: bool) -> None:
        store.shop.service("backend", "note=notes", port=free_ports(2)[1], depends_on=["postgres"])
        store.describe(password="first")
        store.shop.up()
        store.describe(password="second")

        if taken_over:
            store.shop.kill_supervisor()

        assert store.shop("restart", "postgres").returncode == 0
        store.shop.up()

        assert store.shop.status()["backend"]["restarted_for"] == "postgres has another password"
        assert store.shop.notes()[-1]["POSTGRES_PASSWORD"] == "second"


class TestThePasswordOfARedis:
    def test_is_published_and_asked_for(self, cache: Cache) -> None:
        cache.describe(password="random")
        cache.shop.up()

        published = cache.shop.environment()
        assert len(published["REDIS_PASSWORD"]) >= 32
        assert f"redis://default:{published['REDIS_PASSWORD']}@127.0.0.1:" in published["REDIS_URL"]
        assert cache.says("PING").startswith("-NOAUTH")
        assert cache.says(f"AUTH {published['REDIS_PASSWORD']}", "PING") == "+OK\r\n+PONG\r\n"

    def test_is_not_there_for_code_with_a_constant_url(self, cache: Cache) -> None:
        cache.describe()
        cache.shop.up()

        assert "REDIS_PASSWORD" not in cache.shop.environment()
        assert cache.says("PING") == "+PONG\r\n"

    def test_may_come_later_and_keeps_the_data(self, cache: Cache) -> None:
        cache.describe()
        cache.shop.up()
        cache.says("SET colour blue")
        cache.describe(password=PASSWORD)

        assert cache.shop.status()["redis"]["changed"] == ["password"]
        assert cache.shop("restart").returncode == 0

        assert cache.says(f"AUTH {PASSWORD}", "GET colour").endswith("blue\r\n")
        assert cache.says("GET colour").startswith("-NOAUTH")

    def test_is_shown_by_nothing_that_only_reports(self, cache: Cache) -> None:
        cache.describe(password=PASSWORD)
        started = cache.shop("start", "--detach")

        commands = (
            ["status"],
            ["status", "--json"],
            ["why", "redis", "--json"],
            ["logs"],
            ["status", "--all"],
        )
        said = [started, *(cache.shop(*words) for words in commands)]

        assert [answer.args for answer in said if PASSWORD in answer.stdout + answer.stderr] == []


class TestAnotherUserOfTheMachine:
    def test_gets_into_no_database(self, store: Store, cache: Cache, another_user: Unprivileged) -> None:
        cache.describe(password="random")
        store.shop.up()
        before = {**store.shop.environment()}
        login = Login(host=before["POSTGRES_HOST"], port=int(before["POSTGRES_PORT"]))
        redis_port = int(before["REDIS_PORT"])

        def tries() -> dict[str, str]:
            guesses = ("", "shop", "postgres", "devinit_admin")
            said = {
                f"{user}:{password}": login.problem(user, password)
                for user in ("shop", "devinit_admin", "postgres")
                for password in guesses
            }
            return said | {"redis": exchange(redis_port, "SET colour red", "PING")}

        said = another_user(tries)

        assert said.pop("redis") == 2 * "-NOAUTH Authentication required.\r\n"
        assert {key for key, problem in said.items() if "cannot log in" not in problem} == set()


class TestFilesThatAreRead:
    def test_are_settings_beside_an_application_without_their_comments(self, checkout: Checkout) -> None:
        ini = "[alembic]\n# sqlalchemy.url = postgresql://shop:old@localhost/shop\n"
        url = f"sqlalchemy.url = postgresql://shop:{PASSWORD}@localhost/shop\n"
        (checkout.root / "alembic.ini").write_text(ini + url)

        assert checkout.password() == PASSWORD

    def test_are_read_again_when_they_changed(self, checkout: Checkout) -> None:
        (checkout.root / ".env").write_text("POSTGRES_PASSWORD=first\n")
        assert checkout.password() == "first"

        (checkout.root / ".env").write_text("POSTGRES_PASSWORD=second-one\n")

        assert checkout.password() == "second-one"

    def test_are_no_pipes_which_the_services_read(self, checkout: Checkout) -> None:
        os.mkfifo(checkout.root / ".env")

        assert len(checkout.password()) == 48

    def test_lie_in_the_checkout(self, checkout: Checkout, tmp_path: Path) -> None:
        (tmp_path / "outside").write_text(f"postgresql://shop:{PASSWORD}@localhost/shop\n")
        (checkout.root / "alembic.ini").symlink_to(tmp_path / "outside")

        assert checkout.password() != PASSWORD

    def test_that_cannot_be_parsed_are_left_to_the_services(self, checkout: Checkout) -> None:
        (checkout.root / ".env").write_bytes(b"POSTGRES_PASSWORD=\xff\n")

        assert len(checkout.password()) == 48


class TestServersThatRun:
    def test_keep_the_login_with_which_they_were_started(self) -> None:
        wished, running = a_postgres("new"), a_postgres("old")

        project = as_they_run(a_project(wished), {"postgres": running})

        assert project.services["postgres"].settings == running.settings

    def test_of_another_kind_by_now_keep_nothing(self) -> None:
        redis = Service(name="postgres", provider="redis", directory=Path("/"))

        project = as_they_run(a_project(redis), {"postgres": a_postgres("old")})

        assert project.services["postgres"] == redis


def exchange(port: int, *commands: str) -> str:
    """Return what a Redis answers to commands, each with one line or a text."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall("".join(f"{command}\r\n" for command in (*commands, "QUIT")).encode())
        with connection.makefile("rb") as answers:
            return answers.read().decode().removesuffix("+OK\r\n")


def a_postgres(password: str) -> Service:
    settings = PostgresSettings(database="shop", user="shop", password=password)
    return Service(name="postgres", provider="postgres", directory=Path("/"), settings=settings)


def a_project(service: Service) -> Project:
    return Project(name="shop", root=Path("/"), services={service.name: service})


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()

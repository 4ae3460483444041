"""Specifies `devinit.kinds.mysql`: names, statements and answers, and real servers of MariaDB."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.errors import ProviderError
from devinit.kinds import kind_implied_by
from devinit.kinds.mysql.container import container_of
from devinit.kinds.mysql.kind import MysqlSettings, identifier
from devinit.kinds.mysql.protocol import judge
from devinit.kinds.mysql.statements import statements
from devinit.kinds.programs import Candidate, Origin, proven
from devinit.kinds.providers import PROVIDERS
from devinit.model.probe import ProbeVerdict
from devinit.model.service import Service

if TYPE_CHECKING:
    from tests.kinds.conftest import Bench, Server

PROVIDER = PROVIDERS["mysql"]
PASSWORD = 'it\'s \\ a "secret" `x` $HOME'


def service(password: str = PASSWORD, databases: tuple[str, ...] = ()) -> Service:
    settings = MysqlSettings(database="shop", user="shop", password=password, databases=databases)
    return Service(name="mysql", provider="mysql", directory=Path("/"), settings=settings)


class TestTheEndpoint:
    def test_has_the_names_that_applications_read(self) -> None:
        endpoint = PROVIDER.endpoint(service(password="p@ss", databases=("shop_test",)), 3307)

        assert endpoint.url == "mysql://shop:p%40ss@127.0.0.1:3307/shop"
        assert endpoint.variables["MYSQL_DATABASE"] == "shop"
        assert endpoint.variables["MYSQL_PASSWORD"] == "p@ss"
        assert endpoint.variables["MYSQL_URL"] == endpoint.url
        assert endpoint.variables["MYSQL_TEST_DATABASE_URL"].endswith("/shop_test")

    def test_is_never_the_name_that_means_a_socket(self) -> None:
        local = Service(name="mysql", provider="mysql", directory=Path("/"), host="localhost")

        assert PROVIDER.endpoint(local, 3307).host == "127.0.0.1"

    def test_of_an_external_server_is_its_url(self, bench: Bench) -> None:
        url = "mysql://me:pa%20ss@db.example.org/there"
        external = Service(name="mysql", provider="mysql", directory=Path("/"), external_url=url)

        endpoint = PROVIDER.endpoint(external, None)

        assert (endpoint.host, endpoint.url, endpoint.variables["MYSQL_USER"]) == (
            "db.example.org",
            url,
            "me",
        )
        assert PROVIDER.process(external, endpoint, bench.place, {}) is None


class TestNames:
    @pytest.mark.parametrize(
        ("name", "becomes"),
        [
            ("Café-Shop", "cafe_shop"),
            ("2day", "app_2day"),
            ("mysql", "app_mysql"),
            ("root", "app_root"),
            ("…", "app"),
        ],
    )
    def test_are_those_that_sql_takes(self, name: str, becomes: str) -> None:
        assert identifier(name) == becomes

    def test_are_quoted_in_statements(self) -> None:
        settings = MysqlSettings(database="a`b_c", user="o'hara", password="x\\'y")

        text = statements(settings)

        assert "CREATE USER IF NOT EXISTS 'o''hara'@'%' IDENTIFIED BY 'x\\\\''y';\n" in text
        assert "CREATE DATABASE IF NOT EXISTS `a``b_c` CHARACTER SET utf8mb4;\n" in text
        assert "ON `a``b\\_c`.* TO" in text


class TestTheGreeting:
    @pytest.mark.parametrize(
        ("answer", "verdict"),
        [
            (b"\x5b\x00\x00\x00\x0a8.4.0\x00", ProbeVerdict.READY),
            (b"\x17\x00\x00\x00\xff\x10\x04Too many connections", ProbeVerdict.READY),
            (b"", ProbeVerdict.NOT_YET),
            (b"+PONG\r\n", ProbeVerdict.REFUSED),
        ],
    )
    def test_says_whether_a_server_is_up(self, answer: bytes, verdict: ProbeVerdict) -> None:
        assert judge(answer).verdict is verdict


@pytest.mark.parametrize(
    ("line", "flavour", "major"),
    [
        ("mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)", "mysql", 8),
        ("/usr/sbin/mysqld  Ver 8.0.36-0ubuntu0.22.04.1 for Linux on x86_64 ((Ubuntu))", "mysql", 8),
        ("mysqld  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)", "mariadb", 10),
        ("mariadbd  Ver 11.4.2-MariaDB for osx10.19 on arm64 (Homebrew)", "mariadb", 11),
    ],
)
def test_a_server_is_told_by_what_it_says(tmp_path: Path, line: str, flavour: str, major: int) -> None:
    program = tmp_path / "mysqld"
    program.write_text(f"#!/bin/sh\necho '{line}'\n")
    program.chmod(0o755)

    found = proven(Candidate(Origin.EXPLICIT, program))

    assert found is not None
    assert (found.flavour, found.major) == (flavour, major)


def test_in_a_container_it_has_the_same_databases() -> None:
    found = container_of(service(password="secret", databases=("shop_test",)))

    assert found.environment["MARIADB_DATABASE"] == "shop"
    assert "create database if not exists \\`shop_test\\`" in found.provision[0]


def test_a_service_of_that_name_is_one() -> None:
    assert kind_implied_by("mysql", has_command=False) == "mysql"
    assert kind_implied_by("mysql", has_command=True) == "process"


@pytest.fixture
def maria(bench: Bench) -> Service:
    if (
        shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin") is None
        or shutil.which("mariadb") is None
    ):
        pytest.skip("mariadbd is not installed (mariadb-server-core, mariadb-client-core)")
    settings = MysqlSettings(database="my_shop", user="shop", password=PASSWORD, databases=("my_shop_test",))
    return Service(name="mysql", provider="mysql", directory=bench.place.root, settings=settings)


def asked(
    server: Server, sql: str, *, user: str = "shop", password: str = PASSWORD, database: str = "my_shop"
) -> str:
    done = subprocess.run(
        [
            "mariadb",
            "--no-defaults",
            "-h",
            "127.0.0.1",
            "-P",
            str(server.port),
            "-u",
            user,
            "-N",
            database,
            "-e",
            sql,
        ],
        env={"PATH": os.environ["PATH"], "MYSQL_PWD": password},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else f"error: {done.stderr.strip()}"


class TestAServer:
    def test_has_its_role_and_databases_when_it_is_ready(self, bench: Bench, maria: Service) -> None:
        server = bench.start(maria)

        assert asked(server, "select current_user(), database()") == "shop@%\tmy_shop"
        assert asked(server, "create table t (a int)", database="my_shop_test") == ""
        assert "Access denied" in asked(server, "select 1", password="wrong")
        assert "Access denied" in asked(server, "select 1", user="root", password="", database="mysql")
        assert "Access denied" in asked(server, "create database other")

    def test_keeps_what_was_written_through_a_stop_and_a_kill(self, bench: Bench, maria: Service) -> None:
        server = bench.start(maria)
        asked(server, "create table t as select 1 as a")
        assert server.stop() == 0

        again = bench.start(maria)
        asked(again, "insert into t values (2)")
        again.kill()

        assert asked(bench.start(maria), "select sum(a) from t") == "3"

    def test_has_another_password_when_that_is_configured(self, bench: Bench, maria: Service) -> None:
        bench.start(maria).stop()
        assert isinstance(maria.settings, MysqlSettings)
        settings = MysqlSettings(database="my_shop", user="shop", password="another")

        server = bench.start(
            Service(name="mysql", provider="mysql", directory=maria.directory, settings=settings)
        )

        assert asked(server, "select 1", password="another") == "1"
        assert "Access denied" in asked(server, "select 1")

    def test_is_started_once_on_its_data(self, bench: Bench, maria: Service) -> None:
        bench.start(maria)

        with pytest.raises(ProviderError, match="is already running on"):
            bench.prepare(maria)

    def test_does_not_begin_anew_on_data_of_which_a_part_is_gone(self, bench: Bench, maria: Service) -> None:
        server = bench.start(maria)
        server.stop()
        (folder,) = (bench.data / "mysql").glob("mariadb*")
        (folder / "ibdata1").unlink()

        with pytest.raises(ProviderError, match="incomplete: ibdata1"):
            bench.prepare(maria)

    def test_that_was_broken_off_while_its_data_was_made_begins_again(
        self, bench: Bench, maria: Service
    ) -> None:
        bench.start(maria).stop()
        (folder,) = (bench.data / "mysql").glob("mariadb*")
        shutil.move(folder, folder.with_name(f"{folder.name}.new"))
        shutil.rmtree(folder.with_name(f"{folder.name}.new") / "mysql")

        assert asked(bench.start(maria), "select 1") == "1"

    def test_has_no_password_in_its_command_line_or_for_other_users(
        self, bench: Bench, maria: Service
    ) -> None:
        server = bench.start(maria)

        line = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
        assert b"secret" not in line
        assert (bench.data / "mysql" / "begin.sql").stat().st_mode & 0o077 == 0


def test_without_a_program_the_way_out_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devinit.kinds.mysql.installation.SYSTEM", ())
    bench.place.environment["PATH"] = "/nowhere"

    with pytest.raises(ProviderError, match="no MariaDB and no MySQL") as caught:
        bench.prepare(service())

    assert 'server = "mariadb"' in (caught.value.hint or "")

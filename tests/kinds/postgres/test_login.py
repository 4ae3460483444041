"""Specifies when a PostgreSQL that somebody else runs may be used: only when the project can log in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from devinit.kinds.postgres.cluster import SUPERUSER, superuser_file
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.postgres.provisioning import literal
from devinit.kinds.providers import PROVIDERS
from devinit.model.running import RunningServer
from tests.kinds.conftest import Bench, Server, Speaker, binaries_of

PASSWORD = "sécret, with \\ and '"


@pytest.fixture
def foreign(bench: Bench, any_postgres: Path) -> Server:
    """A PostgreSQL with the role and the database of a project, and a password that has to be known."""
    return bench.start(bench.postgres(any_postgres, password=PASSWORD))


def asked(server: Server, **settings: str) -> RunningServer:
    """Ask it what a service with these settings would be told."""
    before = server.service.settings_as(PostgresSettings)
    assert before is not None
    wanted = PostgresSettings(
        database=settings.get("database", before.database),
        user=settings.get("user", before.user),
        password=settings.get("password", before.password),
    )
    service = replace(server.service, settings=wanted)
    found = PROVIDERS["postgres"].running(service, server.endpoint)
    assert found is not None
    return found


def is_session(process: psutil.Process) -> bool:
    """Whether a process of the server talks to a client of the project; one that has just ended does not."""
    try:
        return "shop" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def until_no_session_is_left(server: Server) -> None:
    """Wait for the process of each connection: one that has not ended when the server stops is reported as cut off."""
    sessions = [each for each in psutil.Process(server.pid).children() if is_session(each)]
    assert psutil.wait_procs(sessions, timeout=30)[1] == []


class TestAServerThatKnowsTheProject:
    def test_can_be_used_and_tells_its_version(self, bench: Bench, postgres_binaries: Path) -> None:
        server = bench.start(bench.postgres(postgres_binaries, password=PASSWORD))

        found = asked(server)

        assert found.problem == ""
        assert found.title == f"PostgreSQL {server.rows('SHOW server_version')[0].split()[0]}"
        assert found.detail == "database shop"
        assert found.authenticated

    def test_logs_nothing_that_alarms_its_owner(self, foreign: Server) -> None:
        before = foreign.log

        asked(foreign)
        until_no_session_is_left(foreign)
        assert foreign.stop() == 0

        assert "FATAL" not in foreign.log.removeprefix(before)
        assert "connection" not in foreign.log.removeprefix(before)

    def test_may_still_keep_passwords_in_the_older_form(self, bench: Bench, foreign: Server) -> None:
        as_superuser(
            foreign,
            "ALTER SYSTEM SET password_encryption = 'md5'",
            f"SET password_encryption = 'md5'; ALTER ROLE shop PASSWORD {literal(PASSWORD)}",
        )
        server = let_in(bench, foreign, "md5")

        assert (asked(server).problem, asked(server).authenticated) == ("", True)
        assert asked(server, password="wrong").problem == "PostgreSQL answers, but role shop cannot log in"

    def test_that_lets_everybody_in_proves_nothing_by_it(self, bench: Bench, foreign: Server) -> None:
        server = let_in(bench, foreign, "trust")

        found = asked(server, password="anything")

        assert (found.problem, found.authenticated) == ("", False)


class TestAServerThatDoesNotKnowTheProject:
    @pytest.mark.parametrize("other", [{"password": "wrong"}, {"user": "nobody"}])
    def test_is_refused_without_a_word_about_the_password(
        self, foreign: Server, other: dict[str, str]
    ) -> None:
        found = asked(foreign, **other)

        assert found.problem == f"PostgreSQL answers, but role {other.get('user', 'shop')} cannot log in"
        assert PASSWORD not in str(found)

    def test_is_refused_when_the_database_is_missing(self, foreign: Server) -> None:
        assert (
            asked(foreign, database="bakery").problem == "PostgreSQL answers, but it has no database bakery"
        )

    def test_is_refused_when_the_role_may_not_use_the_database(self, foreign: Server) -> None:
        as_superuser(foreign, "CREATE DATABASE bakery", "REVOKE CONNECT ON DATABASE bakery FROM public")

        found = asked(foreign, database="bakery")

        assert found.problem == "PostgreSQL answers, but role shop may not use the database bakery"

    def test_is_not_told_the_password_when_it_wants_to_read_it(self, bench: Bench, foreign: Server) -> None:
        server = let_in(bench, foreign, "password")

        assert "wants to read the password" in asked(server).problem


class TestSomethingElse:
    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.0 400 Bad Request\r\n\r\n",
            b"-ERR unknown command\r\n",
            b"R\xff\xff\xff\xff",
            b"R\0\0\0\0",
            b"",
        ],
    )
    def test_is_refused(self, bench: Bench, speaker: Speaker, answer: bytes) -> None:
        port = speaker(answer)
        service = bench.postgres(None)

        found = PROVIDERS["postgres"].running(service, PROVIDERS["postgres"].endpoint(service, port))

        assert found is not None
        assert found.title == ""
        assert found.problem


def as_superuser(server: Server, *statements: str) -> None:
    """Do what only the owner of the server may."""
    binaries = binaries_of(server.service)
    for statement in statements:
        said = subprocess.run(
            [binaries / "psql", "-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-c", statement],
            env={
                "PATH": os.environ["PATH"],
                "PGHOST": "127.0.0.1",
                "PGPORT": str(server.port),
                "PGUSER": SUPERUSER,
                "PGDATABASE": "postgres",
                "PGPASSFILE": str(superuser_file(cluster_of(server))),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stderr


def let_in(bench: Bench, server: Server, method: str) -> Server:
    """Start the server again, with another way to let in everybody who comes."""
    assert server.stop() == 0
    rules = f"host all all 127.0.0.1/32 {method}\nhost all all ::1/128 {method}\n"
    (cluster_of(server) / "pg_hba.conf").write_text(rules)
    return bench.start(server.service)


def cluster_of(server: Server) -> Path:
    [found] = server.place.data.glob("*/pg*/PG_VERSION")
    return found.parent

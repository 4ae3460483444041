"""Specifies when a migration that was only detected is not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.providers import PROVIDERS
from devinit.model.port import PortRequest
from devinit.model.service import Project, Service
from devinit.runtime.environment import environment, in_own_forms
from devinit.runtime.forms.deciding import Situation, decisions
from devinit.runtime.forms.known import servers_of
from devinit.runtime.forms.migrations import Value, migrates, obstacle
from devinit.runtime.forms.statement import Source, Statement

POSTGRES = Service(
    name="postgres",
    provider="postgres",
    directory=Path("/shop"),
    port=PortRequest(service="postgres", preferred=5432, first=5432, last=5531),
    settings=PostgresSettings(database="shop", user="shop", password="secret"),
)
WEB = Service(name="backend", directory=Path("/shop"), command="serve", depends_on=("postgres",))


def kept_back(
    *statements: Statement,
    services: tuple[Service, ...] = (POSTGRES, WEB),
    constants: tuple[tuple[str, str], ...] = (),
    **env: str,
) -> str | None:
    project = Project(name="shop", root=Path("/shop"), services={each.name: each for each in services})
    endpoints = {
        each.name: PROVIDERS[each.provider].endpoint(each, 5433 if each is POSTGRES else None)
        for each in services
    }
    standard, servers = environment(project, endpoints, base={}), servers_of(project, endpoints)
    decided = decisions(statements, Situation(servers=servers, service="backend", standard=standard))
    files = {each.name: each for each in statements if each.source is Source.FILE}
    whole = {name: each.value for name, each in files.items()} | in_own_forms(standard, decided) | env
    values = [
        Value(
            name=name,
            text=text,
            place="its `env`"
            if name in env
            else files[name].place
            if name in files
            else "what devinit gives",
        )
        for name, text in whole.items()
    ]
    return obstacle(values, statements, servers, constants=constants)


def read(name: str, default: str = "") -> Statement:
    return Statement(name=name, value=default, file="config.py", line=4, source=Source.CODE)


def stated(name: str, value: str) -> Statement:
    return Statement(name=name, value=value, file=".env", line=2)


class TestAMigration:
    @pytest.mark.parametrize(
        "statements",
        [
            (read("DATABASE_URL"),),
            (read("DB_HOST", "localhost"), read("DB_PORT", "5432")),
            (read("DBHOST"), read("DBPORT")),
            (read("POSTGRES_SERVER"), read("POSTGRES_PORT")),
            (read("DATABASE_URL"), read("MYSTERY_DB_ADDRESS")),
            (stated("DATABASE_URL", "postgresql+asyncpg://a:b@localhost:5432/c"),),
            (stated("DATABASE_URL", "sqlite:///./dev.db"),),
            (),
        ],
    )
    def test_runs_where_devinit_gives_what_the_settings_read(self, statements: tuple[Statement, ...]) -> None:
        assert kept_back(*statements) is None

    @pytest.mark.parametrize(
        ("statements", "why"),
        [
            (
                (read("SHOP_SQL_DB_SERVER"), read("SHOP_PRIMARY_SQL_HOST")),
                "the settings read SHOP_SQL_DB_SERVER, SHOP_PRIMARY_SQL_HOST (config.py:4), and devinit gives none of these",
            ),
            ((stated("DATABASE_URL", "postgresql://a:b@db.example.com/c"),), "DATABASE_URL in .env:2 talks to db.example.com"),
            ((stated("DB_HOST", "db.example.com"), stated("DB_USER", "a")), "DB_HOST in .env:2 talks to db.example.com"),
            (
                (stated("DATABASE_URL", "mysql://a:b@localhost:3306/c"),),
                "DATABASE_URL in .env:2 is mysql, and names localhost:3306",
            ),
        ],
    )  # fmt: skip
    def test_does_not_where_it_does_not(self, statements: tuple[Statement, ...], why: str) -> None:
        assert kept_back(*statements) == why

    def test_does_not_run_where_the_environment_of_the_service_names_another_machine(self) -> None:
        assert kept_back(DATABASE_URL="postgresql://a:b@db.example.com/c") == (
            "DATABASE_URL in its `env` talks to db.example.com"
        )
        assert kept_back(DATABASE_URL="postgresql://shop@127.0.0.1:5433/c") is None
        assert kept_back(DB_HOST="127.0.0.1", API_URL="https://api.example.com") is None

    def test_does_not_run_against_another_machine_where_the_project_has_no_server(self) -> None:
        statement = stated("DATABASE_URL", "mysql://a:b@db.example.com/c")

        assert kept_back(statement, services=(WEB,)) == "DATABASE_URL in .env:2 talks to db.example.com"

    @pytest.mark.parametrize(
        ("url", "is_kept_back"),
        [
            ("postgresql://a:b@localhost:5432/c", True),
            ("postgresql://a:b@localhost:5433/c", False),
            ("driver://user:pass@localhost/dbname", False),
            ("sqlite:///./dev.db", False),
            ("", False),
        ],
    )
    def test_whose_configuration_alone_names_a_server_has_to_name_ours(
        self, url: str, is_kept_back: bool
    ) -> None:
        assert (kept_back(constants=((url, "alembic.ini"),)) is not None) is is_kept_back

    def test_whose_code_names_a_server_has_to_name_ours(self) -> None:
        elsewhere = ("postgresql://localhost:5432", "shop/settings.py:3")

        assert kept_back(constants=(elsewhere,)) == (
            "shop/settings.py:3 names localhost:5432, and no variable tells it another one"
        )
        assert kept_back(read("DATABASE_URL"), constants=(elsewhere,)) is None


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python -m alembic upgrade head", True),
        ("python manage.py migrate --noinput", True),
        ("npx prisma migrate deploy", True),
        ("npx prisma db push", True),
        ("npx prisma generate", False),
        ("npm run build", False),
        ("flask --app shop db upgrade", True),
    ],
)
def test_a_command_that_changes_a_database_is_recognised(command: str, expected: bool) -> None:
    assert migrates(command) is expected

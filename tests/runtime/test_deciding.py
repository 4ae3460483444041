"""Specifies which of a project's own values get the addresses of its servers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace

from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.providers import PROVIDERS
from devinit.kinds.redis.kind import RedisSettings
from devinit.model.port import PortRequest
from devinit.model.service import Endpoint, Project, Service, Settings
from devinit.runtime.environment import environment
from devinit.runtime.forms.deciding import Situation, decisions
from devinit.runtime.forms.known import Servers, servers_of
from devinit.runtime.forms.lists import Separator
from devinit.runtime.forms.statement import Decision, Outcome, Source, Statement

URL = "postgresql://shop:secret@127.0.0.1:5433/shop"
WANTED = {"postgres": 5432, "redis": 6379, "backend": 8000, "frontend": 5173}
MOVED = {"postgres": 5433, "redis": 6380, "backend": 8001, "frontend": 5174}
DATABASES = PostgresSettings(database="shop", user="shop", password="secret", databases=("shop_test",))


def service(name: str, *needs: str, settings: Settings | None = None) -> Service:
    port = WANTED.get(name)
    request = PortRequest(service=name, preferred=port, first=port, last=port + 99) if port else None
    provider = name if name in ("postgres", "redis") else "process"
    return Service(
        name=name,
        provider=provider,
        directory=Path("/shop"),
        port=request,
        depends_on=needs,
        settings=settings,
    )


SHOP = Project(
    name="shop",
    root=Path("/shop"),
    services={
        each.name: each
        for each in (
            service("postgres", settings=DATABASES),
            service("redis", settings=RedisSettings()),
            service("backend", "postgres", "redis"),
            service("frontend", "backend"),
            service("worker", "postgres"),
        )
    },
)


def endpoints(ports: dict[str, int]) -> dict[str, Endpoint]:
    return {
        name: PROVIDERS[each.provider].endpoint(each, ports.get(name)) for name, each in SHOP.services.items()
    }


def servers(ports: dict[str, int] = MOVED) -> Servers:
    return servers_of(SHOP, endpoints(ports))


def decided(
    *statements: Statement, of: str = "backend", ports: dict[str, int] = MOVED
) -> dict[str, Decision]:
    standard = environment(SHOP, endpoints(ports), base={})
    return decisions(statements, Situation(servers=servers(ports), service=of, standard=standard))


def stated(name: str, value: str, source: Source = Source.FILE, *, required: bool = False) -> Statement:
    return Statement(name=name, value=value, file="backend/.env", line=3, source=source, is_required=required)


def given(values: dict[str, str], **other: object) -> dict[str, str]:
    """Return what devinit gives of these, where a `.env` has them."""
    found = decided(*(stated(*each) for each in values.items()), **other)  # type: ignore[arg-type]
    return {name: each.value for name, each in found.items() if each.outcome is Outcome.GIVEN}


def outcome(name: str, value: str, source: Source = Source.FILE) -> Outcome | None:
    found = decided(stated(name, value, source)).get(name)
    return found.outcome if found is not None else None


class TestAnOriginOfAPageAtTheUsualPort:
    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("CORS_ORIGIN", "http://localhost:5173", "http://localhost"),
            ("CORS_ORIGIN", "http://localhost:5173/", "http://localhost/"),
            ("FRONTEND_URL", "http://localhost:5173/login", "http://localhost/login"),
            ("CORS_ORIGINS", "http://localhost:5173,https://a.example", "https://a.example,http://localhost,http://127.0.0.1"),
            ("CORS_ORIGINS", '["http://localhost:5173"]', '["http://localhost","http://127.0.0.1"]'),
        ],
    )  # fmt: skip
    def test_is_written_as_browsers_send_it(self, name: str, value: str, expected: str) -> None:
        assert given({name: value}, ports=MOVED | {"frontend": 80}) == {name: expected}

    def test_is_given_so_to_code_that_cannot_do_without_it(self) -> None:
        found = decided(stated("CORS", "", Source.CODE, required=True), ports=MOVED | {"frontend": 80})

        assert found["CORS"].value == "http://localhost"


class TestAValueThatMeansAServer:
    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("DATABASE_URL", "postgresql+asyncpg://app:app@localhost:5432/app", "postgresql+asyncpg://shop:secret@localhost:5433/shop"),
            ("APP_DATABASE_URL", "postgres://app:app@db:5432/app?schema=x", "postgres://shop:secret@127.0.0.1:5433/shop?schema=x"),
            ("SQLALCHEMY_DATABASE_URI", "postgresql://localhost:5450/app", "postgresql://shop:secret@localhost:5433/shop"),
            ("DIRECT_URL", "postgresql://a:b@localhost:5432/app", "postgresql://shop:secret@localhost:5433/shop"),
            ("POSTGRES_URL", "jdbc:postgresql://localhost:5432/app", "jdbc:postgresql://localhost:5433/shop"),
            ("PG_DSN", "host=localhost port=5432 user=a password=b dbname=c", "host=localhost port=5433 user=shop password=secret dbname=shop"),
            ("REDIS_URL", "redis://localhost:6379/4", "redis://localhost:6380/4"),
            ("CELERY_BROKER_URL", "redis://redis:6379/1", "redis://127.0.0.1:6380/1"),
            ("QUEUE", "redis://localhost:6379/2", "redis://localhost:6380/2"),
            ("VITE_API_URL", "http://localhost:8000/api/v1", "http://localhost:8001/api/v1"),
            ("NEXT_PUBLIC_WS_URL", "ws://localhost:8000/ws", "ws://localhost:8001/ws"),
            ("API_BASE_URL", "http://backend:8000/", "http://localhost:8001/"),
            ("API_HOST", "http://localhost:8000", "http://localhost:8001"),
            ("FRONTEND_HOST", "http://localhost:5173", "http://localhost:5174"),
            ("FRONTEND_URL", "http://localhost:3000/", "http://localhost:5174/"),
            ("WEBHOOK_TARGET", "http://127.0.0.1:8000/hook", "http://127.0.0.1:8001/hook"),
            ("NEXTAUTH_URL", "http://localhost:8000/api/auth", "http://localhost:8001/api/auth"),
            ("CORS_ORIGINS", '["http://localhost:5173"]', '["http://localhost:5174","http://127.0.0.1:5174"]'),
            ("BACKEND_CORS_ORIGINS", "http://localhost:5173,https://a.example", "https://a.example,http://localhost:5174,http://127.0.0.1:5174"),
            ("CORS_ORIGIN", "http://localhost:5173", "http://localhost:5174"),
            ("CSRF_TRUSTED_ORIGINS", '["http://localhost:5173"]', '["http://localhost:5174","http://127.0.0.1:5174"]'),
            ("ALLOWED_ORIGINS", '["localhost:5173"]', '["localhost:5174","127.0.0.1:5174"]'),
            ("ALLOWED_HOSTS", "shop.example,localhost", "shop.example,localhost,127.0.0.1"),
            ("API_PORT", "8000", "8001"),
        ],
    )  # fmt: skip
    def test_gets_its_address_in_the_projects_form(self, name: str, value: str, expected: str) -> None:
        assert given({name: value}) == {name: expected}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DATABASE_URL", "postgresql+asyncpg://shop:secret@localhost:5433/shop"),
            ("VITE_API_URL", "http://127.0.0.1:8001/api"),
            ("CORS_ORIGINS", '["http://localhost:5174", "http://127.0.0.1:5174"]'),
            ("CORS_ORIGIN", "http://localhost:5174"),
        ],
    )
    def test_stays_byte_for_byte_when_it_is_right_already(self, name: str, value: str) -> None:
        assert given({name: value}) == {name: value}

    def test_is_recognised_on_the_port_that_the_server_wanted_and_on_that_which_it_has(self) -> None:
        assert given({"HOOK": "http://localhost:8001/x"}) == {"HOOK": "http://localhost:8001/x"}

    def test_means_the_service_itself_under_the_names_for_that(self) -> None:
        assert given({"NEXTAUTH_URL": "http://localhost:3000"}, of="frontend") == {
            "NEXTAUTH_URL": "http://localhost:5174"
        }


class TestTheDatabase:
    def test_of_tests_is_never_that_of_the_application(self) -> None:
        values = given(
            {
                "DATABASE_URL": "postgresql://a:b@localhost:5432/app",
                "TEST_DATABASE_URL": "postgresql://a:b@localhost:5432/app_test",
                "SHADOW_DATABASE_URL": "postgresql://a:b@localhost:5432/shadow",
            }
        )

        assert values == {
            "DATABASE_URL": "postgresql://shop:secret@localhost:5433/shop",
            "TEST_DATABASE_URL": "postgresql://shop:secret@localhost:5433/shop_test",
            "SHADOW_DATABASE_URL": "postgresql://shop:secret@localhost:5433/shadow",
        }

    def test_that_the_server_does_not_have_stays_and_is_told(self) -> None:
        found = decided(
            stated("DATABASE_URL", "postgresql://a:b@localhost/app"),
            stated("STATS_DATABASE_URL", "postgresql://a:b@localhost/stats"),
        )

        assert found["STATS_DATABASE_URL"].value == "postgresql://shop:secret@localhost:5433/stats"
        assert found["STATS_DATABASE_URL"].why == "names the database 'stats', which postgres does not have"
        assert not found["DATABASE_URL"].why


class TestPartsOfAnAddress:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            (
                {"DB_HOST": "localhost", "DB_PORT": "5432", "DB_USER": "a", "DB_PASSWORD": "b", "DB_NAME": "c"},
                {"DB_HOST": "localhost", "DB_PORT": "5433", "DB_USER": "shop", "DB_PASSWORD": "secret", "DB_NAME": "shop"},
            ),
            (
                {"POSTGRES_SERVER": "db", "POSTGRES_PORT": "5432", "POSTGRES_DB": "app"},
                {"POSTGRES_SERVER": "127.0.0.1", "POSTGRES_PORT": "5433", "POSTGRES_DB": "shop"},
            ),
            (
                {"DBHOST": "localhost", "DBPORT": "5432", "DBUSER": "a"},
                {"DBHOST": "localhost", "DBPORT": "5433", "DBUSER": "shop"},
            ),
            (
                {"DB_CONNECTION": "pgsql", "DB_HOST": "127.0.0.1", "DB_PORT": "5432", "DB_DATABASE": "c"},
                {"DB_HOST": "127.0.0.1", "DB_PORT": "5433", "DB_DATABASE": "shop"},
            ),
            ({"REDIS_HOST": "redis", "REDIS_PORT": "6379", "REDIS_DB": "3"}, {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "6380", "REDIS_DB": "3"}),
            ({"DB_HOST": "localhost:5432", "DB_USER": "a"}, {"DB_HOST": "localhost:5433", "DB_USER": "shop"}),
            ({"DB__HOST": "db", "DB__PORT": "5432"}, {"DB__HOST": "127.0.0.1", "DB__PORT": "5433"}),
            (
                {"DATABASE_LOCATION": "localhost", "DATABASE_USER": "a", "DATABASE_PWD": "b", "DATABASE_NAME": "c"},
                {"DATABASE_LOCATION": "localhost", "DATABASE_USER": "shop", "DATABASE_PWD": "secret", "DATABASE_NAME": "shop"},
            ),
        ],
    )  # fmt: skip
    def test_that_mean_a_server_are_given_together(
        self, values: dict[str, str], expected: dict[str, str]
    ) -> None:
        assert given(values) == expected

    @pytest.mark.parametrize(
        "values",
        [
            {"DB_CONNECTION": "mysql", "DB_HOST": "localhost", "DB_PORT": "3306", "DB_USER": "a"},
            {"DB_ENGINE": "django.db.backends.sqlite3", "DB_NAME": "db.sqlite3", "DB_USER": "a"},
            {"DB_HOST": "localhost", "DB_PORT": "3306", "DB_USER": "a"},
            {"DB_HOST": "/run/postgresql", "DB_USER": "a"},
            {"MILVUS_DB_HOST": "localhost", "MILVUS_DB_PORT": "5432"},
            {"SMTP_HOST": "localhost", "SMTP_PORT": "1025"},
        ],
    )
    def test_of_something_else_stay(self, values: dict[str, str]) -> None:
        assert given(values) == {}

    def test_on_another_machine_stay_with_all_that_devinit_would_give_beside_them(self) -> None:
        found = decided(stated("POSTGRES_HOST", "db.example.com"), stated("POSTGRES_USER", "ada"))

        assert found["POSTGRES_HOST"].outcome is Outcome.REMOTE
        assert found["POSTGRES_HOST"].why == "talks to db.example.com"
        assert found["POSTGRES_USER"].outcome is Outcome.KEPT
        assert found["POSTGRES_PASSWORD"].outcome is Outcome.LEFT_OUT

    def test_of_a_data_source_of_spring_are_its_login(self) -> None:
        read = [
            stated("SPRING_DATASOURCE_URL", "jdbc:postgresql://localhost:5432/app", Source.CODE),
            stated("SPRING_DATASOURCE_USERNAME", "app", Source.CODE),
            stated("SPRING_DATASOURCE_PASSWORD", "", Source.CODE),
        ]

        assert {name: each.value for name, each in decided(*read).items()} == {
            "SPRING_DATASOURCE_URL": "jdbc:postgresql://localhost:5433/shop",
            "SPRING_DATASOURCE_USERNAME": "shop",
            "SPRING_DATASOURCE_PASSWORD": "secret",
        }

    def test_that_are_a_login_stay_beside_the_address_of_a_file(self) -> None:
        read = [
            stated("SPRING_DATASOURCE_URL", "jdbc:postgresql://db.example.com:5432/app"),
            stated("SPRING_DATASOURCE_USERNAME", "app", Source.CODE),
            stated("SPRING_DATASOURCE_PASSWORD", "", Source.CODE),
        ]

        assert not any(each.outcome is Outcome.GIVEN for each in decided(*read).values())

    def test_without_a_port_say_that_it_is_missing(self) -> None:
        found = decided(stated("DB_HOST", "localhost"), stated("DB_USER", "a"))

        assert found["DB_HOST"].why == "has no port beside it, and postgres is on 5433"


class TestAValueThatStays:
    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("CORS_ORIGINS", '["*"]', Outcome.KEPT),
            ("CORS_ORIGINS", "*", Outcome.KEPT),
            ("VITE_API_URL", "/api", Outcome.KEPT),
            ("DATABASE_URL", "file:./dev.db", Outcome.KEPT),
            ("DATABASE_URL", "sqlite:///./dev.db", Outcome.UNSURE),
            ("DATABASE_URL", "mysql://a:b@localhost:3306/c", Outcome.UNSURE),
            ("DATABASE_URL", "postgresql://a:b@db.example.com/c", Outcome.REMOTE),
            ("VITE_API_URL", "https://api.example.com", Outcome.REMOTE),
            ("UPSTASH_REDIS_REST_URL", "https://a.upstash.example", Outcome.KEPT),
            ("OLLAMA_API_URL", "http://localhost:11434", Outcome.KEPT),
            ("OPENAI_BASE_URL", "http://localhost:8000/v1", Outcome.KEPT),
            ("SUPABASE_URL", "http://localhost:54321", Outcome.KEPT),
            ("UPLOADS_URL", "http://localhost:9000", Outcome.KEPT),
            ("AMQP", "amqp://localhost:5672", Outcome.KEPT),
            ("SENTRY_DSN", "https://key@sentry.example/1", Outcome.KEPT),
            ("UPSTREAM", "localhost:5432", Outcome.UNSURE),
            ("ALLOWED_HOSTS", "*", Outcome.KEPT),
        ],
    )
    def test_is_told_from_one_that_is_replaced(self, name: str, value: str, expected: Outcome) -> None:
        assert outcome(name, value) is expected

    @pytest.mark.parametrize("value", ["", "<your database>", "your_url", "changeme"])
    def test_is_none_where_a_person_is_to_write_one(self, value: str) -> None:
        assert outcome("DATABASE_URL", value) is None

    @pytest.mark.parametrize("name", ["PORT", "HOST", "DEVINIT_PROJECT"])
    def test_is_not_asked_under_names_that_are_devinits_own(self, name: str) -> None:
        assert outcome(name, "8000") is None


class TestATextThatNoProcessCanHave:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("A_URL", "http://localhost:8000/\0"),
            ("A_URL", "http://localhost:8000/\ud800"),
            ("A=B", "http://localhost:8000"),
            ("", "http://localhost:8000"),
        ],
    )
    def test_is_not_looked_at(self, name: str, value: str) -> None:
        assert outcome(name, value, Source.CODE) is None


class TestAForm:
    """Of an example, or of a default in code: it has no value, so that devinit gives one."""

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("DATABASE_URL", "postgresql+asyncpg://user:pw@host:5432/db", "postgresql+asyncpg://shop:secret@127.0.0.1:5433/shop"),
            ("CORS_ORIGINS", "[]", '["http://localhost:5174", "http://127.0.0.1:5174"]'),
            ("POSTGRES_URL", "jdbc:postgresql://localhost", "jdbc:postgresql://localhost:5433/shop"),
            ("VITE_API_URL", "http://localhost:8000/api", "http://localhost:8001/api"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("source", [Source.CODE, Source.EXAMPLE])
    def test_is_used_for_the_value(self, name: str, value: str, expected: str, source: Source) -> None:
        found = decided(stated(name, value, source))

        assert found[name].value == expected

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("CORS_ORIGINS", '["*"]'),
            ("DATABASE_URL", "sqlite:///./dev.db"),
            ("DATABASE_URL", "postgresql://a:b@db.example.com/c"),
            ("ALLOWED_HOSTS", "*"),
        ],
    )
    def test_keeps_nothing_as_it_is(self, name: str, value: str) -> None:
        assert outcome(name, value, Source.EXAMPLE) is None

    def test_that_is_a_path_lets_the_page_ask_its_own_origin(self) -> None:
        assert outcome("VITE_API_URL", "/api", Source.CODE) is Outcome.LEFT_OUT

    def test_gives_way_to_a_value(self) -> None:
        found = decided(
            stated("CORS_ORIGINS", "http://localhost:5173,http://b.example"),
            stated("CORS_ORIGINS", "[]", Source.CODE),
        )

        assert found["CORS_ORIGINS"].value.startswith("http://b.example,")

    def test_counts_when_the_value_is_empty(self) -> None:
        found = decided(stated("CORS_ORIGINS", ""), stated("CORS_ORIGINS", "[]", Source.CODE))

        assert found["CORS_ORIGINS"].value.startswith("[")

    def test_is_not_needed_for_a_name_that_the_code_cannot_do_without(self) -> None:
        found = decided(stated("APP_DATABASE_URL", "", Source.CODE, required=True))

        assert found["APP_DATABASE_URL"].value == URL

    def test_of_one_origin_that_the_code_needs_is_that_of_the_first_frontend(self) -> None:
        found = decided(stated("CORS", "", Source.CODE, required=True))

        assert found["CORS"].value == "http://localhost:5174"
        assert decided(stated("CORS_ORIGIN", "", Source.CODE)) == {}

    def test_of_one_origin_is_no_list_whatever_its_name_is(self) -> None:
        read = replace(stated("ALLOWED_ORIGINS", "", Source.CODE, required=True), is_one_origin=True)

        assert decided(read)["ALLOWED_ORIGINS"].value == "http://localhost:5174"
        assert decided(stated("ALLOWED_ORIGINS", "", Source.CODE, required=True)) == {}

    @pytest.mark.parametrize("source", [Source.FILE, Source.EXAMPLE])
    @pytest.mark.parametrize("value", ["http://localhost:3000,https://shop.example", "https://shop.example"])
    def test_of_a_list_in_json_counts_more_than_the_commas_of_a_file(
        self, value: str, source: Source
    ) -> None:
        read = replace(stated("CORS_ORIGINS", "[]", Source.CODE), separator=Separator.JSON)

        found = decided(stated("CORS_ORIGINS", value, source), read)["CORS_ORIGINS"].value

        entries = msgspec.json.decode(found)
        assert entries[: value.count(",") + 1] == value.split(",")
        assert "http://localhost:5174" in entries

    def test_of_a_driver_alone_counts_where_something_else_reads_the_name(self) -> None:
        driver = stated("DATABASE_URL", "postgresql+asyncpg://", Source.CODE)
        required = stated("DATABASE_URL", "", Source.CODE, required=True)
        example = stated("DATABASE_URL", "postgresql+psycopg://a:b@localhost:5432/c", Source.EXAMPLE)

        assert decided(driver, required)["DATABASE_URL"].value.startswith("postgresql+asyncpg://shop:")
        assert decided(driver, example)["DATABASE_URL"].value.startswith("postgresql+psycopg://shop:")
        assert decided(driver) == {}

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("http://localhost:5173,https://shop.example", "https://shop.example,http://localhost:5174,http://127.0.0.1:5174"),
            ('["http://127.0.0.1:5173", "http://localhost:4000"]', '["http://localhost:4000", "http://localhost:5174", "http://127.0.0.1:5174"]'),
        ],
    )  # fmt: skip
    def test_of_a_list_loses_where_a_page_was_before_it_moved(self, value: str, expected: str) -> None:
        assert given({"CORS_ORIGINS": value}) == {"CORS_ORIGINS": expected}

    def test_of_a_port_behind_a_colon_is_where_a_program_of_go_listens(self) -> None:
        found = decided(stated("SHOP_API_ADDR", ":8000", Source.EXAMPLE))

        assert found["SHOP_API_ADDR"].value == ":8001"

    def test_of_a_list_of_origins_without_a_value_has_those_of_the_frontends(self) -> None:
        read = stated("CORS_ORIGIN", "", Source.CODE)

        found = decided(replace(read, separator=Separator.COMMA))

        assert found["CORS_ORIGIN"].value == "http://localhost:5174,http://127.0.0.1:5174"

    def test_of_an_address_that_a_page_needs_is_that_of_the_backend(self) -> None:
        found = decided(stated("VITE_API_BASE_URL", "", Source.CODE, required=True), of="frontend")

        assert found["VITE_API_BASE_URL"].value == "http://localhost:8001"
        assert decided(stated("VITE_MAPS_URL", "", Source.CODE, required=True), of="frontend") == {}

    def test_is_not_needed_where_the_name_has_the_projects_own_in_it(self) -> None:
        found = decided(stated("VITE_SHOP_API_URL", "", Source.CODE, required=True), of="frontend")

        assert found["VITE_SHOP_API_URL"].value == "http://localhost:8001"

    def test_is_not_needed_where_the_name_has_that_of_the_backends_package_in_it(self) -> None:
        backend = structs.replace(
            SHOP.services["backend"], command="uvicorn tea_room.main:app --port ${PORT}"
        )
        project = structs.replace(SHOP, services={**SHOP.services, "backend": backend})
        situation = Situation(
            servers=servers_of(project, endpoints(MOVED)),
            service="frontend",
            standard=environment(SHOP, endpoints(MOVED), base={}),
        )
        wanted = ("VITE_TEA_ROOM_API_URL", "VITE_TEA_API_URL", "VITE_PAYPAL_API_URL")

        found = decisions([stated(name, "", Source.CODE, required=True) for name in wanted], situation)

        assert {name: each.value for name, each in found.items()} == {wanted[0]: "http://localhost:8001"}


NAMES = (
    "DATABASE_URL", "TEST_DATABASE_URL", "DB_HOST", "DB_PORT", "DB_NAME", "DBHOST", "PGHOST", "POSTGRES_USER", "REDIS_URL",
    "REDIS_PORT", "CORS_ORIGINS", "ALLOWED_HOSTS", "VITE_API_URL", "FRONTEND_HOST", "NEXTAUTH_URL", "X", "_", "__HOST", "A__PORT",
)  # fmt: skip
PIECES = (
    "http://", "postgresql+asyncpg://", "jdbc:", "redis://", "user:pw@", "localhost", "db", "db.example.com", ":5432", ":99999",
    ":", "/", "/app", "?a=b", "#", ",", " ", "[", "]", '"', "*", "host=", "port=", "'", "\\", "${A}", "\0", "\ud800", "é", "<", ">", "5432",
)  # fmt: skip
some_statements = st.lists(
    st.builds(
        lambda name, pieces, source, required, separator: Statement(
            name=name,
            value="".join(pieces),
            file="f",
            line=1,
            source=source,
            is_required=required,
            separator=separator,
        ),
        st.sampled_from(NAMES),
        st.lists(st.sampled_from(PIECES), max_size=7),
        st.sampled_from(list(Source)),
        st.booleans(),
        st.sampled_from([None, *Separator]),
    ),
    max_size=6,
)


class TestAnything:
    @settings(max_examples=500, deadline=None)
    @given_by(some_statements)
    def test_is_decided_without_an_error_and_once(self, statements: list[Statement]) -> None:
        found = decided(*statements)

        assert all("\0" not in each.value and each.value.isprintable() for each in found.values())
        assert all(each.value for each in found.values() if each.is_given and "_URL" in each.statement.name)
        again = decided(
            *(stated(name, each.value) for name, each in found.items() if each.is_given and each.value)
        )
        alone = {
            name: each
            for name, each in again.items()
            if name in ("DATABASE_URL", "REDIS_URL", "VITE_API_URL")
        }
        assert {name: each.value for name, each in alone.items() if each.is_given} == {
            name: found[name].value for name in alone if again[name].is_given
        }

"""Specifies what values of a compose file become outside of its network: the form stays, host and port move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.sources.addresses import Login, Network, Rewritten, Server, added_ports, rewritten

DB = Server(name="db", prefix="POSTGRES", ports=(5432,), is_data=True, login=Login("app", "s3cret", "shop"))
CACHE = Server(name="redis", prefix="REDIS", ports=(6379,), is_data=True)
API = Server(name="api", prefix="API", ports=(8000, 5678))
WEB = Server(name="web", prefix="WEB", ports=(3000,))
MAIL = Server(name="mail", prefix=None, ports=())
NETWORK = Network(
    hosts={"db": DB, "shop-db": DB, "redis": CACHE, "api": API, "web": WEB, "mail": MAIL},
    published={5450: DB, 8010: API, 3000: WEB, 1025: MAIL},
    own=API,
    folders=(("/app", "${DEVINIT_PROJECT}/api"),),
    gone=("/data", "/run/secrets"),
)
PG = "${POSTGRES_USER}:${POSTGRES_PASSWORD}@${POSTGRES_HOST}:${POSTGRES_PORT}"


def of(value: str, name: str = "X", **others: str) -> Rewritten:
    return rewritten(name, value, {name: value, **others}, NETWORK)


class TestAURL:
    @pytest.mark.parametrize(
        ("value", "template"),
        [
            ("postgresql://app:s3cret@db:5432/shop", f"postgresql://{PG}/${{POSTGRES_DB}}"),
            (
                "postgresql+asyncpg://app:s3cret@db/shop?ssl=disable",
                f"postgresql+asyncpg://{PG}/${{POSTGRES_DB}}?ssl=disable",
            ),
            ("postgres://app:s3cret@shop-db:5432/other", f"postgres://{PG}/other"),
            ("postgres://app@db/shop", f"postgres://{PG}/${{POSTGRES_DB}}"),
            (
                "jdbc:postgresql://db:5432/shop",
                "jdbc:postgresql://${POSTGRES_HOST}:${POSTGRES_PORT}/${POSTGRES_DB}",
            ),
            ("redis://redis:6379/3", "redis://${REDIS_HOST}:${REDIS_PORT}/3"),
            ("redis://redis", "redis://${REDIS_HOST}:${REDIS_PORT}"),
            ("http://api:8000", "http://${API_HOST}:${API_PORT}"),
            ("http://api:8000/api/v1/?a=$1#b", "http://${API_HOST}:${API_PORT}/api/v1/?a=$$1#b"),
            ("ws://web:3000/ws", "ws://${WEB_HOST}:${WEB_PORT}/ws"),
            (
                "postgresql://app:s3cret@localhost:5450/shop?a=1",
                f"postgresql://{PG}/${{POSTGRES_DB}}?a=1",
            ),
            ("http://localhost:8010/api", "http://localhost:${API_PORT}/api"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:${WEB_PORT}"),
            ("http://localhost:8000/self", "http://localhost:${PORT}/self"),
            ("http://host.docker.internal:8010", "http://localhost:${API_PORT}"),
            ("http://host.docker.internal:9999/x", "http://localhost:9999/x"),
        ],
    )
    def test_keeps_its_form(self, value: str, template: str) -> None:
        assert of(value) == Rewritten(template, changed=True)

    @pytest.mark.parametrize(
        "value",
        [
            "https://api.example.com/db:5432",
            "http://localhost:9999",
            "postgresql://app@db.example.com/shop",
            "mongodb+srv://u:p@cluster/x",
            "api",
            "db",
        ],
    )
    def test_of_another_machine_stays(self, value: str) -> None:
        assert of(value) == Rewritten(value)

    def test_with_a_role_that_the_server_has_not_is_a_problem(self) -> None:
        assert of("postgres://other:x@db/shop").problems == ["db has no role other"]

    def test_of_a_port_that_is_not_the_main_one_is_a_problem(self) -> None:
        assert of("http://api:5678").problems == ["api is known by port 8000, not by 5678"]

    def test_of_a_server_that_devinit_does_not_run_names_it(self) -> None:
        assert of("smtp://mail:1025").missing == [MAIL]

    def test_with_a_password_that_a_url_escapes_keeps_it(self) -> None:
        odd = Server(name="db", prefix="POSTGRES", ports=(5432,), is_data=True, login=Login("a", "p@s", "b"))
        network = Network(hosts={"db": odd}, published={}, own=API)

        found = rewritten("X", "postgres://a:p%40s@db/b", {}, network)

        assert found.template == "postgres://a:p%40s@${POSTGRES_HOST}:${POSTGRES_PORT}/${POSTGRES_DB}"


class TestAList:
    @pytest.mark.parametrize(
        ("value", "template"),
        [
            (
                '["http://localhost:3000","https://shop.example"]',
                '["http://localhost:${WEB_PORT}","https://shop.example"]',
            ),
            (
                "http://localhost:3000,http://127.0.0.1:3000",
                "http://localhost:${WEB_PORT},http://127.0.0.1:${WEB_PORT}",
            ),
            ("redis:6379,other:1", "${REDIS_HOST}:${REDIS_PORT},other:1"),
            ("localhost:3000", "localhost:${WEB_PORT}"),
        ],
    )
    def test_keeps_what_else_is_in_it(self, value: str, template: str) -> None:
        assert of(value).template == template


class TestSplitParts:
    def test_are_a_host_and_what_stands_beside_it(self) -> None:
        values = {
            "DB_HOST": "db",
            "DB_PORT": "5432",
            "DB_USER": "app",
            "DB_PASS": "s3cret",
            "DB_NAME": "shop",
        }

        found = {name: rewritten(name, value, values, NETWORK).template for name, value in values.items()}

        assert found == {
            "DB_HOST": "${POSTGRES_HOST}",
            "DB_PORT": "${POSTGRES_PORT}",
            "DB_USER": "${POSTGRES_USER}",
            "DB_PASS": "${POSTGRES_PASSWORD}",
            "DB_NAME": "${POSTGRES_DB}",
        }

    def test_get_a_port_where_only_the_host_is_named(self) -> None:
        assert [*added_ports({"DB_SERVER": "db"}, NETWORK)] == [("DB_SERVER", "DB_PORT", "${POSTGRES_PORT}")]

    def test_get_none_where_devinit_gives_it_anyway(self) -> None:
        assert [*added_ports({"POSTGRES_HOST": "db"}, NETWORK)] == []

    def test_of_a_server_that_devinit_does_not_run_name_it(self) -> None:
        assert of("mail", "SMTP_HOST").missing == [MAIL]
        assert of("1025", "SMTP_PORT", SMTP_HOST="mail").missing == [MAIL]

    @pytest.mark.parametrize("name", ["CACHE_DRIVER", "APP_NAME", "QUEUE_CONNECTION"])
    def test_are_no_words_that_happen_to_be_the_name_of_a_service(self, name: str) -> None:
        assert of("redis", name) == Rewritten("redis")

    def test_at_a_port_of_this_machine_follow_it(self) -> None:
        assert of("5450", "DB_PORT", DB_HOST="localhost").template == "${POSTGRES_PORT}"
        assert of("5450", "DB_PORT", DB_HOST="db.example.com") == Rewritten("5450")


class TestADsn:
    def test_has_host_and_port(self) -> None:
        found = of("host=db port=5432 user=app dbname=shop sslmode=disable")

        assert (
            found.template
            == "host=${POSTGRES_HOST} port=${POSTGRES_PORT} user=app dbname=shop sslmode=disable"
        )

    def test_gets_a_port_where_it_has_none(self) -> None:
        assert of("user=app host=db").template == "user=app host=${POSTGRES_HOST} port=${POSTGRES_PORT}"

    def test_of_another_host_stays(self) -> None:
        assert of("host=/tmp user=$a") == Rewritten("host=/tmp user=$$a")


class TestWhereAServiceListens:
    @pytest.mark.parametrize(
        ("name", "value", "template"),
        [
            ("BIND", "0.0.0.0", "127.0.0.1"),
            ("ADDR", "0.0.0.0:8000", "127.0.0.1:${PORT}"),
            ("ADDR", ":8000", "127.0.0.1:${PORT}"),
            ("API_PORT", "8000", "${PORT}"),
        ],
    )
    def test_is_loopback_and_its_own_port(self, name: str, value: str, template: str) -> None:
        assert of(value, name).template == template


class TestAFolder:
    def test_of_the_container_is_the_one_of_the_repository(self) -> None:
        assert of("/app/data").template == "${DEVINIT_PROJECT}/api/data"

    def test_that_only_the_container_has_is_a_problem(self) -> None:
        assert of("/run/secrets/key").problems == ["/run/secrets is a folder of the container"]

    @pytest.mark.parametrize("value", ["/api/v1", "/apple", "/"])
    def test_is_no_path_of_a_url(self, value: str) -> None:
        assert of(value) == Rewritten(value)


@given(
    st.lists(
        st.sampled_from(
            [
                "db",
                ":",
                "//",
                "postgres",
                "@",
                "5432",
                "host=",
                " ",
                "localhost",
                "8010",
                "/",
                "$",
                "{",
                ",",
                "99999",
                "mail",
            ]
        ),
        max_size=12,
    ).map("".join),
    st.sampled_from(["X", "DB_HOST", "DB_PORT", "PORT", "_", "HOST"]),
)
def test_any_value_raises_nothing(value: str, name: str) -> None:
    of(value, name, DB_HOST="db")

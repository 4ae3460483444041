from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devinit.runtime.forms.address import Address, Form, Server, parse, written
from devinit.runtime.forms.lists import Separator, extended, parse_list

MOVED = Server(host="127.0.0.1", port=5433, user="shop", password="s/e:c@t", database="shop", has_login=True)
WEB = Server(host="localhost", port=8001)
OPEN = Server(host="127.0.0.1", port=6380, has_login=True)
LOCKED = Server(host="127.0.0.1", port=6380, user="default", password="key", has_login=True)
LOGIN = "shop:s%2Fe%3Ac%40t@"


def address_of(text: str) -> Address:
    address = parse(text)
    assert address is not None, text
    return address


class TestAnAddressInOurServersPlace:
    @pytest.mark.parametrize(
        ("text", "server", "expected"),
        [
            # URLs of databases: the driver, the query and the fragment stay
            ("postgresql+asyncpg://app:app@localhost:5432/app", MOVED, f"postgresql+asyncpg://{LOGIN}localhost:5433/shop"),
            ("postgres://app@db/app?sslmode=disable&schema=a#x", MOVED, f"postgres://{LOGIN}127.0.0.1:5433/shop?sslmode=disable&schema=a#x"),
            ("postgresql://localhost/app", MOVED, f"postgresql://{LOGIN}localhost:5433/shop"),
            ("postgresql://localhost", MOVED, f"postgresql://{LOGIN}localhost:5433/shop"),
            ("postgresql://u:p@[::1]:5432/app", MOVED, f"postgresql://{LOGIN}127.0.0.1:5433/shop"),
            ("postgresql:///app", MOVED, f"postgresql://{LOGIN}127.0.0.1:5433/shop"),
            ("postgres://u:p@host.docker.internal:5432/app", MOVED, f"postgres://{LOGIN}127.0.0.1:5433/shop"),
            # Redis keeps its database, and loses a password that our server does not have
            ("redis://localhost:6379/2", OPEN, "redis://localhost:6380/2"),
            ("redis://:old@redis:6379/2", OPEN, "redis://127.0.0.1:6380/2"),
            ("rediss://localhost:6379", LOCKED, "rediss://default:key@localhost:6380"),
            ("redis://localhost", OPEN, "redis://localhost:6380"),
            # Of the web: the path, a slash, the scheme
            ("http://localhost:8000", WEB, "http://localhost:8001"),
            ("http://localhost:8000/", WEB, "http://localhost:8001/"),
            ("http://127.0.0.1:8000/api/v1", WEB, "http://127.0.0.1:8001/api/v1"),
            ("ws://localhost:8000/ws?room=1", WEB, "ws://localhost:8001/ws?room=1"),
            ("http://backend:8000/api/", WEB, "http://localhost:8001/api/"),
            ("http://shop.localhost:8000", WEB, "http://shop.localhost:8001"),
            ("http://user:pw@localhost:8000/", WEB, "http://user:pw@localhost:8001/"),
            ("http://localhost/app", WEB, "http://localhost:8001/app"),
            ("http://localhost", Server(host="localhost", port=80), "http://localhost"),
            ("ws://localhost:8000/ws", Server(host="localhost", port=8443, tls=True), "wss://localhost:8443/ws"),
            # Others
            ("jdbc:postgresql://localhost:5432/app", MOVED, "jdbc:postgresql://localhost:5433/shop"),
            (
                "jdbc:postgresql://db:5432/app?user=app&ssl=false&password=pw",
                MOVED,
                "jdbc:postgresql://127.0.0.1:5433/shop?user=shop&ssl=false&password=s%2Fe%3Ac%40t",
            ),
            ("host=localhost port=5432 user=app dbname=app", MOVED, "host=localhost port=5433 user=shop dbname=shop password=s/e:c@t"),
            ("host=localhost  user='a b' connect_timeout=3", MOVED, "host=localhost  user=shop connect_timeout=3 port=5433 password=s/e:c@t dbname=shop"),
            ("localhost:5432", MOVED, "localhost:5433"),
            ("db:5432/app", MOVED, "127.0.0.1:5433/app"),
            ("localhost", MOVED, "localhost"),
            ("db", MOVED, "127.0.0.1"),
            ("5432", MOVED, "5433"),
        ],
    )  # fmt: skip
    def test_keeps_its_form(self, text: str, server: Server, expected: str) -> None:
        assert written(address_of(text), server) == expected

    def test_keeps_its_database_where_that_is_asked_for(self) -> None:
        address = address_of("postgresql://app:app@localhost:5432/app_test")

        assert written(address, MOVED, database=False) == f"postgresql://{LOGIN}localhost:5433/app_test"

    def test_has_the_login_of_the_project_where_devinit_knows_none(self) -> None:
        server = Server(host="127.0.0.1", port=5433)

        assert (
            written(address_of("postgresql://a:b@db:5432/c"), server) == "postgresql://a:b@127.0.0.1:5433/c"
        )


class TestATextThatIsNoAddress:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "postgresql://a:1,b:2/app",
            "postgresql:///app?host=/run/postgresql",
            "host=/run/postgresql dbname=app",
            "host=a,b dbname=app",
            "service=prod host=a",
            "http://<host>:8000",
            "http://localhost:${PORT}",
            "localhost:port",
            "70000",
            "/api",
            '["*"]',
            "a b",
            "./dev.db",
            "x" * 5000,
        ],
    )
    def test_is_told_from_one(self, text: str) -> None:
        assert parse(text) is None


schemes = st.sampled_from(["postgresql", "postgresql+asyncpg", "redis", "http", "wss", "jdbc:postgresql"])
words = st.text("abcXYZ019%._~-", min_size=1, max_size=12)
urls = st.builds(
    lambda scheme, login, host, port, path, query: f"{scheme}://{login}{host}{port}{path}{query}",
    schemes,
    st.one_of(st.just(""), words.map(lambda word: f"{word}@"), st.tuples(words, words).map(lambda w: f"{w[0]}:{w[1]}@")),
    st.sampled_from(["localhost", "127.0.0.1", "db", "[::1]", "a.example"]),
    st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}")),
    st.one_of(st.just(""), words.map(lambda word: f"/{word}"), st.just("/")),
    st.one_of(st.just(""), words.map(lambda word: f"?a={word}")),
)  # fmt: skip
texts = st.one_of(
    urls, st.text(max_size=60), st.sampled_from(["localhost:1", "5432", "host=a port=1 user=b"])
)


class TestEveryText:
    @settings(max_examples=400, deadline=None)
    @given(texts)
    def test_stays_as_it_is_with_the_address_that_it_has(self, text: str) -> None:
        address = parse(text)
        if address is None or not address.host or address.port is None:
            return
        same = Server(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            database=address.database,
            has_login=True,
        )

        assert written(address, same) == text

    @settings(max_examples=400, deadline=None)
    @given(urls)
    def test_names_our_server_once_it_is_written(self, text: str) -> None:
        address = address_of(text)

        moved = address_of(written(address, MOVED))

        assert (moved.port, moved.scheme, moved.form) == (5433, address.scheme, address.form)
        if not address.is_web and address.form is Form.URL:
            assert (moved.user, moved.password, moved.database) == ("shop", "s/e:c@t", "shop")
        assert written(moved, MOVED) == moved.text


class TestAList:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ('["http://a:1"]', '["http://a:1","http://localhost:3000"]'),
            ('["http://a:1", "http://b:2"]', '["http://a:1", "http://b:2", "http://localhost:3000"]'),
            ('["http://a:1/"]', '["http://a:1/","http://localhost:3000/"]'),
            ('["a:1"]', '["a:1","localhost:3000"]'),
            ("[]", '["http://localhost:3000"]'),
            ('[\n  "http://a:1"\n]', '[\n  "http://a:1","http://localhost:3000"\n]'),
            ("http://a:1,http://b:2", "http://a:1,http://b:2,http://localhost:3000"),
            ("http://a:1, http://b:2", "http://a:1, http://b:2, http://localhost:3000"),
            ("http://a:1,", "http://a:1,http://localhost:3000"),
            ("http://a:1 http://b:2", "http://a:1 http://b:2 http://localhost:3000"),
            ('["http://localhost:3000"]', '["http://localhost:3000"]'),
        ],
    )
    def test_gets_what_it_lacks_in_its_own_form(self, text: str, expected: str) -> None:
        listed = parse_list(text)

        assert listed is not None
        assert extended(listed, ["http://localhost:3000"]) == expected

    @pytest.mark.parametrize("text", ["http://a:1", "[1, 2]", "[", '{"a": 1}', ""])
    def test_is_told_from_what_is_none(self, text: str) -> None:
        assert parse_list(text) is None

    def test_of_hosts_has_neither_schemes_nor_ports(self) -> None:
        hosts, origins = parse_list("localhost,a.example"), parse_list("http://a,b")

        assert hosts is not None
        assert origins is not None
        assert (hosts.are_hosts, origins.are_hosts) == (True, False)

    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(
            st.text("abc/.*", min_size=1, max_size=10).map(lambda word: f"http://a{word}"),
            min_size=2,
            max_size=5,
        ),
        st.sampled_from(list(Separator)),
    )
    def test_with_nothing_to_add_stays_as_it_is(self, entries: list[str], separator: Separator) -> None:
        text = json.dumps(entries) if separator is Separator.JSON else separator.value.join(entries)
        listed = parse_list(text)

        assert listed is not None
        assert extended(listed, listed.entries) == text

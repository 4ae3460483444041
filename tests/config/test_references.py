from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from devinit.model.service import Condition, Project

Loaded = Callable[..., Project]
Refused = Callable[..., str]


def services(**keys: str) -> str:
    return "\n".join(f'[services.{name}]\ncommand = "x"\n{each}' for name, each in keys.items())


class TestADependency:
    def test_on_nothing_is_refused_with_the_nearest(self, refused: Refused) -> None:
        text = refused(services(a='depends_on = ["postgre"]', postgres=""))

        assert 'services.a.depends_on: there is no service "postgre" (did you mean "postgres"?)' in text

    def test_on_hundreds_that_do_not_exist_among_thousands_is_refused_in_seconds_and_few_words(
        self, refused: Refused
    ) -> None:
        unknown = ", ".join(f'"unknown-{number}"' for number in range(200))
        text = "".join(f'[services.s{number}]\ncommand = "x"\n' for number in range(10_000))
        begun = time.process_time()

        said = refused(f'{text}[services.web]\ncommand = "x"\ndepends_on = [{unknown}]\n')

        # Some 5 s for the file; comparing the names took half a minute more.
        assert time.process_time() - begun < 15
        assert "s48, s49 and 9,950 more" in said
        assert len(said) < 100_000

    def test_on_itself_is_refused(self, refused: Refused) -> None:
        assert "services wait for each other: a → a" in refused(services(a='depends_on = ["a"]'))

    def test_that_closes_a_cycle_is_refused_with_the_way(self, refused: Refused) -> None:
        text = refused(services(a='depends_on = "b"', b='depends_on = "c"', c='depends_on = "a"', d=""))

        assert "services.a.depends_on: services wait for each other: a → b → c → a" in text

    def test_shows_the_cycle_and_not_the_way_to_it(self, refused: Refused) -> None:
        text = refused(services(a='depends_on = "b"', b='depends_on = "c"', c='depends_on = "b"'))

        assert "each other: b → c → b (" in text

    def test_on_one_service_from_two_sides_is_no_cycle(self, loaded: Loaded) -> None:
        project = loaded(
            services(a='depends_on = ["b", "c"]', b='depends_on = "d"', c='depends_on = "d"', d="")
        )

        assert project.services["a"].depends_on == ("b", "c")

    def test_that_is_said_twice_counts_once(self, loaded: Loaded) -> None:
        assert loaded(services(a='depends_on = ["b", "b"]', b="")).services["a"].depends_on == ("b",)

    @pytest.mark.parametrize(
        ("job", "why"),
        [
            ("port = 8000", "it is a server"),
            ('restart = "always"', 'it has restart = "always"'),
        ],
    )
    def test_that_is_to_complete_may_end_by_itself(self, refused: Refused, job: str, why: str) -> None:
        text = refused(services(a='depends_on = { b = "completed" }', b=job))

        assert f"services.a.depends_on.b: b never completes: {why}" in text
        assert 'wait until it is "ready" or "started"' in text

    def test_of_a_table_is_one_like_those_of_a_list(self, loaded: Loaded, refused: Refused) -> None:
        a = loaded(services(a='depends_on = { b = "completed", c = "ready" }', b="", c="")).services["a"]

        assert a.depends_on == ("b", "c")
        assert a.conditions == {"b": Condition.COMPLETED}
        assert 'there is no service "bb"' in refused(services(a='depends_on = { bb = "ready" }', b=""))

    def test_may_be_one_of_a_thousand_in_a_row(self, loaded: Loaded) -> None:
        names = [f"s{number}" for number in range(1500)]
        keys = {name: f'depends_on = "{after}"' for name, after in pairwise(names)}

        assert len(loaded(services(**keys, s1499="")).services) == 1500


class TestAPortThatTwoServicesWant:
    def test_is_refused_when_neither_may_move(self, refused: Refused) -> None:
        strict = "port = 8000\nstrict_port = true"

        text = refused(services(a=strict, b=strict))

        assert "services.b.port: port 8000 is the strict port of a too" in text

    def test_is_noted_when_one_of_them_may(self, loaded: Loaded) -> None:
        project = loaded(services(a="port = 8000", b="port = 8000\nstrict_port = true"))

        assert project.notes == ("b and a both prefer port 8000: a will move",)

    def test_is_noted_when_it_is_an_extra_port(self, loaded: Loaded) -> None:
        project = loaded(services(a="port = 8000", b="extra_ports.debugger = 8000"))

        assert project.notes == ("a and b.debugger both prefer port 8000: b.debugger will move",)


class TestAVariableThatTwoServicesWouldSet:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                '[services.my-api]\ncommand = "x"\n[services.my_api]\ncommand = "x"',
                "services.my_api: its variable MY_API_PORT is my-api's too",
            ),
            (
                services(a='port = 8000\nport_env = "API_PORT"', b='port = 9000\nport_env = "API_PORT"'),
                "services.b.port_env: API_PORT is the port of a already",
            ),
            (
                services(a='port = 8000\nport_env = "B_PORT"', b="port = 9000"),
                "services.a.port_env: B_PORT is the port of b already",
            ),
        ],
    )
    def test_is_refused(self, refused: Refused, text: str, said: str) -> None:
        assert said in refused(text)


class TestAFurtherPort:
    def test_has_variables_of_its_own(self, refused: Refused) -> None:
        text = refused(services(**{"api-admin": "port = 8000", "api": "extra_ports.admin = 9001"}))

        assert "services.api.extra_ports: its variable API_ADMIN_PORT is api-admin's too" in text


class TestAUrlWithTheNameOfADatabase:
    """`<NAME>_URL` of one service and `DATABASE_URL` of another can be the same name."""

    @pytest.mark.parametrize(
        ("names", "said"),
        [
            (
                ("postgres", "database"),
                "services.database: DATABASE_URL would be its URL, and it is postgres's",
            ),
            (
                ("database", "postgres"),
                "services.database: DATABASE_URL would be its URL, and it is postgres's",
            ),
            (("orders", "database"), "services.database: DATABASE_URL would be its URL, and it is orders's"),
            (("orders", "orders-database"), "ORDERS_DATABASE_URL would be its URL, and it is orders's"),
        ],
    )
    def test_is_refused_with_both_names(self, refused: Refused, names: tuple[str, ...], said: str) -> None:
        tables = {
            "postgres": '[services.postgres]\nprovider = "postgres"',
            "orders": '[services.orders]\nprovider = "postgres"',
        }

        text = refused("\n".join(tables.get(name) or services(**{name: "port = 8000"}) for name in names))

        assert said in text

    def test_is_no_url_without_a_port(self, loaded: Loaded) -> None:
        project = loaded('[services.postgres]\nprovider = "postgres"\n' + services(database=""))

        assert list(project.services) == ["postgres", "database"]

    def test_may_be_the_database_itself(self, loaded: Loaded) -> None:
        assert list(loaded('[services.database]\nprovider = "postgres"').services) == ["database"]

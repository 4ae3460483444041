"""Specifies which password the files of a project name for its PostgreSQL."""

from __future__ import annotations

import pytest

from devinit.kinds.postgres.named import logins, named_password
from devinit.model.service import DatabaseSettings

SHOP = DatabaseSettings(database="shop", user="shop")


def named(prefix: str = "POSTGRES", **stated: str) -> str | None:
    return named_password(prefix, SHOP, stated)


class TestAVariable:
    @pytest.mark.parametrize("name", ["POSTGRES_PASSWORD", "PGPASSWORD"])
    def test_names_the_password_itself(self, name: str) -> None:
        assert named(**{name: "s3cret"}) == "s3cret"

    @pytest.mark.parametrize("name", ["DATABASE_URL", "POSTGRES_URL"])
    def test_names_it_in_the_url_whatever_the_role(self, name: str) -> None:
        assert named(**{name: "postgresql://app:s3cret@localhost:5432/app"}) == "s3cret"

    def test_of_the_service_itself_counts_most(self) -> None:
        assert named("EVENTS", EVENTS_PASSWORD="own", POSTGRES_PASSWORD="x", PGPASSWORD="y") == "own"
        assert named("EVENTS", EVENTS_DATABASE_URL="postgres://a:own@db/a", DATABASE_URL="x") == "own"

    @pytest.mark.parametrize("value", ["", "${SECRET}", "{{ vault }}"])
    def test_without_a_value_of_its_own_names_none(self, value: str) -> None:
        assert named(POSTGRES_PASSWORD=value) is None


class TestAnyOtherUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "postgresql+asyncpg://shop:s3cret@localhost/whatever",
            "postgres://somebody:s3cret@db:5432/shop",
            "postgresql://shop:s3cret@[::1]:5432/x",
            "postgresql://shop:s3cret@${POSTGRES_HOST}:${POSTGRES_PORT}/x",
        ],
    )
    def test_counts_when_its_role_or_its_database_is_the_servers(self, url: str) -> None:
        assert named(TEST_DSN=url) == "s3cret"

    def test_is_found_in_a_file(self) -> None:
        assert named(ini="[alembic]\nsqlalchemy.url = postgresql://shop:s3cret@localhost/shop\n") == "s3cret"

    def test_is_decoded(self) -> None:
        assert named(TEST_DSN="postgresql://shop:p%40ss%2F@localhost/shop") == "p@ss/"

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://other:s3cret@localhost/elsewhere",
            "postgresql://shop:s3cret@db.example.org/shop",
            "postgresql://shop:s3cret@10.0.0.5:5432/shop",
            "postgresql://shop:${DB_PASSWORD}@localhost/shop",
            "postgresql://shop:%(password)s@localhost/shop",
            "postgresql://shop@localhost/shop",
            "mysql://shop:s3cret@localhost/shop",
        ],
    )
    def test_of_another_server_or_without_a_password_does_not_count(self, url: str) -> None:
        assert named(TEST_DSN=url) is None

    @pytest.mark.timeout(120)
    def test_with_a_hostile_port_is_read_at_once(self) -> None:
        url = f"postgresql://q1:b@{':' * 100_000}]/q1"

        assert list(logins(url)) == []

    def test_of_a_server_elsewhere_never_counts(self) -> None:
        assert named(DATABASE_URL="postgresql://shop:production@db.example.org/shop") is None

"""Specifies which passwords are hidden in what is printed, and which words are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinit.logs.mask import Mask
from devinit.logs.secrets import mask_of, noted
from tests.places import state_of

if TYPE_CHECKING:
    from pathlib import Path

SHOP = {
    "DATABASE_URL": "postgresql://shop:shop@127.0.0.1:5432/shop",
    "POSTGRES_USER": "shop",
    "POSTGRES_PASSWORD": "shop",
    "REDIS_URL": "redis://:c%40rrot-cake@127.0.0.1:6379/0",
    "API_TOKEN": "tk-9f8e7d6c",
}


class TestAPasswordInAUrl:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("postgresql://shop:shop@127.0.0.1/shop", "postgresql://shop:***@127.0.0.1/shop"),
            ("postgresql+asyncpg://a:b@h/d?x=y", "postgresql+asyncpg://a:***@h/d?x=y"),
            ("redis://:pw@localhost:6379", "redis://:***@localhost:6379"),
            ('{"url": "http://u:p@h"}', '{"url": "http://u:***@h"}'),
            ("two: ftp://a:b@c ftp://d:e@f", "two: ftp://a:***@c ftp://d:***@f"),
        ],
    )
    def test_is_hidden_whoever_it_belongs_to(self, text: str, shown: str) -> None:
        assert Mask()(text) == shown

    @pytest.mark.parametrize(
        "text",
        [
            "http://localhost:5173/@vite/client",
            "http://localhost:3000?next=a@b.c",
            "git@github.com:shop/shop.git",
            "at file:///app/node_modules/@next/x.js:10:5",
            "mail me@example.com at 10:30",
        ],
    )
    def test_is_not_found_where_there_is_none(self, text: str) -> None:
        assert Mask(SHOP)(text) == text


class TestASecretOfTheEnvironment:
    def test_is_hidden_wherever_it_is_printed(self) -> None:
        mask = Mask(SHOP)

        assert mask("Authorization: Bearer tk-9f8e7d6c") == "Authorization: Bearer ***"
        assert mask("connecting with c@rrot-cake") == "connecting with ***"
        assert mask("AUTH c%40rrot-cake") == "AUTH ***"

    def test_that_is_also_a_name_is_hidden_where_it_is_called_a_password(self) -> None:
        mask = Mask(SHOP)

        assert mask("the shop is open") == "the shop is open"
        assert mask("POSTGRES_PASSWORD=shop") == "POSTGRES_PASSWORD=***"
        assert mask('{"password": "shop", "user": "shop"}') == '{"password": "***", "user": "shop"}'
        assert mask("the shop's password: shopping") == "the shop's password: shopping"

    def test_that_is_a_word_of_every_log_is_no_reason_to_make_it_unreadable(self) -> None:
        mask = Mask({"POSTGRES_PASSWORD": "password"})

        assert mask("password authentication failed") == "password authentication failed"
        assert mask("password=password") == "password=***"

    def test_is_hidden_also_when_another_one_is_part_of_it(self) -> None:
        assert Mask({"A_TOKEN": "abcdef", "B_TOKEN": "abcdefgh"})("abcdefgh") == "***"


class TestAProject:
    def test_has_the_secrets_of_its_runtime_environment(self, tmp_path: Path) -> None:
        (tmp_path / ".env.runtime").write_text(
            "# Auto-generated\nPOSTGRES_USER=shop\nPOSTGRES_PASSWORD='two words'\nX=\nnonsense\n"
        )

        assert mask_of(tmp_path)("using two words") == "using ***"

    def test_may_have_no_environment_yet(self, tmp_path: Path) -> None:
        assert mask_of(tmp_path)("http://u:p@h and more") == "http://u:***@h and more"

    def test_are_also_those_that_single_services_are_given(self, tmp_path: Path) -> None:
        backend = {
            "API_TOKEN": "tk-back-end",
            "DB_NAME": "shopdata",
            "DB_PASSWORD": "shopdata",
            "PLAIN": "visible",
        }
        worker = {"API_TOKEN": "tk-worker's", "SSH_PRIVATE_KEY": "first line\nsecond line"}
        state_of(tmp_path).mkdir(parents=True)
        (state_of(tmp_path) / "secrets").write_text(noted([backend, worker]))

        mask = mask_of(tmp_path)

        assert mask("tk-back-end and tk-worker's") == "*** and ***"
        assert [mask(line) for line in ("first line", "second line")] == ["***", "***"]
        assert mask("visible shopdata, password=shopdata") == "visible shopdata, password=***"

    def test_are_noted_without_what_is_none(self) -> None:
        assert noted([{"PLAIN": "visible", "PORT": "8000"}, {}]) == ""


class TestAProjectWithVeryManyVariables:
    def test_has_its_secrets_hidden_as_well(self, tmp_path: Path) -> None:
        values = "".join(f"LONG_{number}={'x' * 100_000}\n" for number in range(20))
        (tmp_path / ".env.runtime").write_text(f"{values}API_TOKEN=abc-9f8e7d6c\n")
        private = state_of(tmp_path)
        private.mkdir(parents=True)
        (private / "secrets").write_text(f"{values}SECRET=tk-9f8e7d6c\n")

        assert mask_of(tmp_path)("abc-9f8e7d6c and tk-9f8e7d6c") == "*** and ***"

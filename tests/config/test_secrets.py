"""Specifies which secrets of `.env` files a written devinit.toml names, and does not repeat."""

from __future__ import annotations

import pytest

from devinit.config.secrets import secrets_of, without_secrets

SAID = {
    "DB_PASS": "PWENV6",
    "TOKEN": "PWENV8",
    "CONN": "host=db password=PWENV20 user=app",
    "BROKER": "redis://x:PWENV24@redis:6379/1?secret=PWENV25",
    "LOG_LEVEL": "info",
    "SHORT_PASSWORD": "abc",
    "APP_PASSWORD": "shop",
    "DB_NAME": "shop",
}


class TestTheSecretsOfAnEnvFile:
    def test_are_values_with_a_telling_name_and_hidden_parts_of_others(self) -> None:
        assert secrets_of(SAID) == {"PWENV6": "DB_PASS", "PWENV8": "TOKEN"} | dict.fromkeys(
            ("PWENV20", "PWENV24", "PWENV25"), ""
        )

    def test_are_none_that_a_word_of_the_project_is(self) -> None:
        assert "shop" not in secrets_of(SAID)

    def test_are_none_that_every_configuration_has(self) -> None:
        assert secrets_of({"POSTGRES_PASSWORD": "postgres"}) == {}


class TestATable:
    @pytest.mark.parametrize(
        ("keys", "kept", "left"),
        [
            ({"command": "celery --secret PWENV8"}, {"command": "celery --secret ${TOKEN}"}, []),
            ({"before_start": ["a PWENV6", "b"]}, {"before_start": ["a ${DB_PASS}", "b"]}, []),
            ({"password": "PWENV6", "port": 5432}, {"password": "${DB_PASS}", "port": 5432}, []),
            ({"password": "xPWENV6", "port": 5432}, {"port": 5432}, ["password"]),
            ({"password": "PWENV20", "port": 5432}, {"port": 5432}, ["password"]),
            ({"env": {"A": "x PWENV20", "B": "info"}}, {"env": {"B": "info"}}, ["env.A"]),
            ({"env": {"A": "x PWENV20"}}, {}, ["env.A"]),
            ({"env": {"A": "p=PWENV6", "C": False}}, {"env": {"A": "p=${DB_PASS}", "C": False}}, []),
            ({"user": "PWENV6", "depends_on": ["PWENV8"]}, {"user": "PWENV6", "depends_on": ["PWENV8"]}, []),
            ({"command": "run --url redis://x:PWENV24@h"}, {}, ["command"]),
        ],
    )
    def test_names_the_variable_or_leaves_the_key_out(
        self, keys: dict[str, object], kept: dict[str, object], left: list[str]
    ) -> None:
        assert without_secrets(keys, secrets_of(SAID)) == (kept, left)  # type: ignore[arg-type]

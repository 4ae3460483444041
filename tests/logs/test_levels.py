"""Specifies how the level of a plain line is found, whichever program printed it."""

from __future__ import annotations

import pytest

from devinit.logs.levels import Level, belongs_to_the_line_before, level_of_value, stated_level


class TestALevel:
    @pytest.mark.parametrize(
        ("text", "level"),
        [
            ("INFO:     Started server process [4102]", Level.INFO),
            ("WARNING:django.request:Not Found: /x", Level.WARNING),
            ("2026-01-01 12:00:00,123 - shop.pay - ERROR - no answer", Level.ERROR),
            ("[2026-01-01 12:00:00 +0000] [12] [CRITICAL] WORKER TIMEOUT", Level.FATAL),
            ("[2026-01-01 12:00:00,000: WARNING/MainProcess] late", Level.WARNING),
            ("2026-01-01 12:00:00.000 | DEBUG    | app:main:7 - x", Level.DEBUG),
            ("2026-01-01 12:00:00 [info     ] user logged in  user=ann", Level.INFO),
            ("E, [2026-01-01T12:00:00.1 #12] ERROR -- : boom", Level.ERROR),
            ("W, [2026-01-01T12:00:00.1 #12]  -- : boom", Level.WARNING),
            ("[12:00:00.123] WARN (4711): slow", Level.WARNING),
            ("2026/01/01 12:00:00 INFO listening port=8080", Level.INFO),
            ("2026-01-01T12:00:00.000Z\tERROR\tapp/x.go:12\tboom", Level.ERROR),
            ("3:04PM ERR boom", Level.ERROR),
            ("WARN[0003] slow", Level.WARNING),
            ("2026-01-01T12:00:00.000000Z  WARN shop: slow", Level.WARNING),
            ("2026-01-01T12:00:00.000+01:00  INFO 12 --- [main] shop.App : started", Level.INFO),
            ("12:00:00.000 [main] TRACE shop.App - x", Level.TRACE),
            ("fail: Microsoft.AspNetCore.Server.Kestrel[13]", Level.ERROR),
            ("[12:00:00 WRN] slow", Level.WARNING),
            ("12:00:00.000 [error] GenServer terminating", Level.ERROR),
            ("[2026-01-01 12:00:00] local.ERROR: boom", Level.ERROR),
            ("2026-01-01 12:00:00.000 UTC [12] FATAL:  no such role", Level.FATAL),
            ("2026-01-01 12:00:00.000 UTC [12] LOG:  ready", Level.INFO),
            ("2026/01/01 12:00:00 [warn] 12#12: slow", Level.WARNING),
            ("12:M 01 Jan 2026 12:00:00.000 * Ready to accept connections", Level.INFO),
            ("12:M 01 Jan 2026 12:00:00.000 # no memory", Level.WARNING),
        ],
    )
    def test_is_what_the_line_states(self, text: str, level: Level) -> None:
        assert stated_level(text) is level

    @pytest.mark.parametrize("text", ["hello", "GET /ERROR/x 200", "the info: desk", "INFORMATION desk", ""])
    def test_is_not_read_into_other_lines(self, text: str) -> None:
        assert stated_level(text) is None

    @pytest.mark.parametrize(
        ("value", "level"),
        [
            (30, Level.INFO),
            (50, Level.ERROR),
            (35, Level.INFO),
            ("50", Level.ERROR),
            (3, Level.ERROR),
            (7, Level.DEBUG),
            (400, Level.ERROR),
            (550, Level.FATAL),
            ("Warning", Level.WARNING),
            ("nonsense", None),
            (True, None),
            (None, None),
        ],
    )
    def test_of_a_field_is_a_word_or_a_number(self, value: object, level: Level | None) -> None:
        assert level_of_value(value) is level


def test_an_indented_line_belongs_to_the_one_before() -> None:
    assert belongs_to_the_line_before('  File "app.py", line 3')
    assert not belongs_to_the_line_before(" INFO starts with a space")
    assert not belongs_to_the_line_before("next")

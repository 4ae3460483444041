"""Specifies which lines are left out by their level, and as requests that were answered."""

from __future__ import annotations

import pytest

from devinit.logs.levels import Level
from devinit.logs.lines import Line
from devinit.logs.records import record_of
from devinit.logs.requests import is_request
from devinit.logs.sieve import Sieve

TEXTS = [
    "INFO:     started",
    "ERROR:    Exception in ASGI application",
    "Traceback (most recent call last):",
    '  File "app.py", line 3, in f',
    "ValueError: no",
    '{"level":40,"msg":"slow"}',
    "printed",
    "  goes on",
    'INFO:     127.0.0.1:1 - "GET / HTTP/1.1" 500 Internal Server Error',
    'INFO:     127.0.0.1:1 - "GET / HTTP/1.1" 200 OK',
]


def kept(sieve: Sieve, texts: list[str]) -> list[str]:
    return [text for text in texts if sieve.keeps("web", text, record_of(text))]


class TestALevel:
    def test_lets_higher_ones_through_with_the_lines_that_belong_to_them(self) -> None:
        assert kept(Sieve(Level.WARNING), TEXTS) == [*TEXTS[1:6], TEXTS[8]]

    def test_takes_a_line_that_states_none_for_information(self) -> None:
        assert kept(Sieve(Level.INFO), TEXTS) == TEXTS

    def test_means_the_same_from_the_end_to_the_beginning(self) -> None:
        lines = [Line(text, 0.0) for text in reversed(TEXTS)]

        found = [line.text for line in Sieve(Level.WARNING).backwards("web", lines)]

        assert found[::-1] == [*TEXTS[1:6], TEXTS[8]]


class TestRequests:
    @pytest.mark.parametrize(
        "text",
        [
            'INFO:     127.0.0.1:40404 - "GET /items?page=2 HTTP/1.1" 200 OK',
            '127.0.0.1 - - [01/Jan/2026:12:00:00 +0000] "POST /x HTTP/1.1" 404 12 "-" "curl"',
            '[01/Jan/2026 12:00:00] "GET / HTTP/1.1" 200 10664',
            " GET /api/cart 200 in 34ms",
            "GET /x 304 1.234 ms - -",
            '[GIN] 2026/01/01 - 12:00:00 | 200 |  1.2ms |  127.0.0.1 | GET      "/ping"',
            'Started GET "/" for 127.0.0.1 at 2026-01-01 12:00:00 +0000',
            "Processing by HomeController#index as HTML",
            "Completed 200 OK in 5ms (Views: 3.1ms)",
            '{"level":30,"req":{"method":"GET","url":"/"},"res":{"statusCode":200},"msg":"request completed"}',
            "method=GET path=/jobs format=json status=200 duration=58.33",
        ],
    )
    def test_that_were_answered_are_recognised(self, text: str) -> None:
        assert is_request(text, record_of(text))
        assert kept(Sieve(requests=False), [text]) == []

    @pytest.mark.parametrize(
        "text",
        [
            'INFO:     127.0.0.1:40404 - "GET / HTTP/1.1" 500 Internal Server Error',
            " GET /api/cart 502 in 34ms",
            "GET the 200 best ones",
            "INFO:     Started server process",
            '{"level":30,"msg":"paid","status":200}',
            '{"level":50,"req":{"method":"GET"},"res":{"statusCode":500},"msg":"failed"}',
        ],
    )
    def test_that_failed_and_other_lines_are_shown(self, text: str) -> None:
        assert not is_request(text, record_of(text))

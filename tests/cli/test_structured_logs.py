"""Specifies how `logs` shows structured lines: arranged for a person, as they were printed for a program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.places import state_of
from tests.terminal import Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Shop

pytestmark = pytest.mark.timeout(120)
PAID = '{"level":30,"msg":"paid","order":17}'
FAILED = '{"level":50,"msg":"cannot pay","err":{"stack":"Error: no\\n    at pay (pay.js:1:2)"}}'
REQUEST = 'INFO:     127.0.0.1:1 - "GET / HTTP/1.1" 200 OK'
LINES = (PAID, "WARNING:  slow", "  because", FAILED, "INFO:     up", "  goes on", REQUEST)


@pytest.fixture
def logged(shop: Shop, port: int) -> Shop:
    shop.service("web", port=port)
    shop.log("web").write_text("".join(f"{line}\n" for line in LINES))
    return shop


class TestAtATerminal:
    def test_show_level_and_message_first_and_the_stack_trace_of_an_error_below(self, logged: Shop) -> None:
        text, code = Terminal(logged.terminal("logs", "web", columns=100)).left()

        assert code == 0
        assert "INFO  paid  order=17" in text
        assert "ERROR cannot pay  err=Error: no …" in text
        assert "          at pay (pay.js:1:2)" in text

    def test_are_shown_as_they_were_printed_on_demand(self, logged: Shop) -> None:
        text, _ = Terminal(logged.terminal("logs", "web", "--raw", columns=100)).left()

        assert PAID in text

    def test_are_found_by_what_is_seen(self, logged: Shop) -> None:
        text, _ = Terminal(logged.terminal("logs", "web", "--grep", "paid  order=17", columns=100)).left()

        assert "INFO  paid  order=17" in text


class TestForAProgram:
    def test_are_as_they_were_printed(self, logged: Shop) -> None:
        assert logged("logs", "web").stdout.splitlines() == list(LINES)

    def test_tell_their_level(self, logged: Shop) -> None:
        levels = [json.loads(line)["level"] for line in logged("logs", "web", "--json").stdout.splitlines()]

        assert levels == ["info", "warning", "info", "error", "info", "info", "info"]

    def test_hide_a_secret_that_only_shows_once_it_is_decoded(self, logged: Shop) -> None:
        (state_of(logged.root) / "secrets").write_text('0_SECRET=open"sesame\n')
        logged.log("web").write_text('{"level":30,"msg":"with open\\"sesame"}\n')

        assert logged("logs", "web").stdout == '{"level":30,"msg":"with ***"}\n'


class TestWhatIsLeftOut:
    def test_is_below_the_level_with_all_that_belongs_to_it(self, logged: Shop) -> None:
        assert logged("logs", "web", "--level", "warning").stdout.splitlines() == list(LINES[1:4])
        assert logged("logs", "web", "--level", "warning", "--since", "1h").stdout.splitlines() == list(
            LINES[1:4]
        )
        assert logged("logs", "web", "--level", "err").stdout.splitlines() == [FAILED]

    def test_does_not_count_among_the_last_lines(self, logged: Shop) -> None:
        assert logged("logs", "web", "--level", "warning", "-n", "2").stdout.splitlines() == list(LINES[2:4])

    def test_are_requests_that_were_answered(self, logged: Shop) -> None:
        assert logged("logs", "web", "--no-requests").stdout.splitlines() == list(LINES[:-1])

    def test_has_to_be_a_level(self, logged: Shop) -> None:
        done = logged("logs", "--level", "loud")

        assert done.returncode == 2
        assert "'loud' is no level: trace, debug, info, warning, error or fatal" in done.stderr

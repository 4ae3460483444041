"""Specifies which lines `logs` shows, and how, into a pipe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Shop


@pytest.fixture
def logged(shop: Shop, port: int) -> Shop:
    """A project of which two services have printed something."""
    shop.service("backend", port=port)
    shop.service("web", port=port + 1)
    shop.service("silent", port=port + 2)
    shop.log("backend").write_text("".join(f"request {number}\n" for number in range(200)))
    shop.log("web").write_text("\x1b[32mcompiled\x1b[0m\nERROR here\n")
    return shop


class TestLines:
    def test_are_the_last_hundred_of_each_with_the_name_before_them(self, logged: Shop) -> None:
        lines = logged("logs").stdout.splitlines()

        assert len(lines) == 102
        assert lines[0] == "backend | request 100"
        assert lines[-1] == "web     | ERROR here"

    def test_of_one_service_have_no_name_before_them(self, logged: Shop) -> None:
        assert logged("logs", "web").stdout == "compiled\nERROR here\n"

    def test_are_as_many_as_asked_for(self, logged: Shop) -> None:
        assert logged("logs", "backend", "-n", "2").stdout == "request 198\nrequest 199\n"
        assert logged("logs", "backend", "-n", "0").stdout == ""

    def test_can_be_searched_and_the_last_matches_count(self, logged: Shop) -> None:
        assert (
            logged("logs", "--grep", "request 1.$|ERR", "-n", "1").stdout
            == "backend | request 19\nweb     | ERROR here\n"
        )

    def test_are_searched_as_they_are_seen(self, logged: Shop) -> None:
        assert logged("logs", "web", "--grep", "^compiled$").stdout == "compiled\n"

    def test_that_do_not_match_are_no_failure(self, logged: Shop) -> None:
        done = logged("logs", "--grep", "nothing like this")

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "no line matches\n")

    def test_are_objects_for_a_program(self, logged: Shop) -> None:
        lines = [json.loads(line) for line in logged("logs", "web", "--json").stdout.splitlines()]

        assert [(line["service"], line["line"]) for line in lines] == [
            ("web", "compiled"),
            ("web", "ERROR here"),
        ]

    def test_that_were_written_over_show_their_last_state(self, logged: Shop) -> None:
        logged.log("web").write_bytes(b"10%\r20%\r100%\r\nnul \0 and \xff bad\n")

        assert logged("logs", "web").stdout == "100%\nnul  and \ufffd bad\n"

    def test_of_a_megabyte_are_cut_and_say_so(self, logged: Shop) -> None:
        logged.log("web").write_text("x" * 1_000_000 + "\nnext\n")

        assert logged("logs", "web").stdout == "x" * 65_536 + "… [934,464 more bytes in the log file]\nnext\n"

    def test_of_a_service_that_printed_nothing_are_none(self, logged: Shop) -> None:
        done = logged("logs", "silent")

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "nothing has been printed yet\n")

    def test_are_those_of_services_only(self, logged: Shop) -> None:
        done = logged("logs", "../supervisor")

        assert done.returncode == 2

    def test_cannot_be_searched_with_what_is_no_pattern(self, logged: Shop) -> None:
        done = logged("logs", "--grep", "GET (/api|/docs")

        assert done.returncode == 2
        assert done.stderr.splitlines()[:3] == [
            "error: --grep is not a regular expression: missing ), unterminated subpattern",
            "  GET (/api|/docs",
            "      ^ here; a \\ before a character takes it as it is",
        ]


class TestFollowing:
    def test_ends_when_the_reader_has_gone(self, logged: Shop) -> None:
        done = logged.sh("devinit logs backend -f -n 3 | grep -m1 'request 198'; exit ${PIPESTATUS[0]}")

        # Although nothing is printed any more.
        assert (done.stdout, done.stderr, done.returncode) == ("request 198\n", "", 141)

"""Specifies colours, durations, tables and what QUIET silences."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from devinit.cli.output import Paint, print_json, size_of, symbol, table, talk, wrapped
from devinit.text import duration

if TYPE_CHECKING:
    from tests.cli.conftest import MakePty


class TestColours:
    def test_are_shown_on_a_terminal(self, make_pty: MakePty, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TERM", "xterm")

        assert Paint(make_pty(80, 24).stream).good("up") == "\x1b[32mup\x1b[0m"

    def test_are_not_written_into_a_file(self) -> None:
        assert Paint(io.StringIO()).good("up") == "up"

    @pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
    def test_can_be_refused(
        self, name: str, value: str, make_pty: MakePty, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv(name, value)

        assert Paint(make_pty(80, 24).stream).bad("down") == "down"


class TestASymbol:
    def test_is_plain_where_the_stream_has_no_other(self) -> None:
        assert symbol("✓", "+", io.TextIOWrapper(io.BytesIO(), encoding="latin-1")) == "+"


class TestADuration:
    @pytest.mark.parametrize(
        ("seconds", "said"),
        [
            (0.0, "0 ms"),
            (0.0851, "85 ms"),
            (0.9996, "1.0 s"),
            (2.44, "2.4 s"),
            (99.99, "2 min"),
            (200, "3 min"),
            (7200, "2 h"),
        ],
    )
    def test_is_said_as_a_person_would(self, seconds: float, said: str) -> None:
        assert duration(seconds) == said


class TestATable:
    def test_is_aligned_by_what_characters_take(self) -> None:
        assert table([("漢字", "x"), ("a", "y")], header=("N", "V")) == ["N     V", "漢字  x", "a     y"]


class TestTalk:
    def test_is_no_result(self, capsys: pytest.CaptureFixture[str]) -> None:
        talk("hello")

        assert capsys.readouterr() == ("", "hello\n")

    @pytest.mark.parametrize("value", ["1", "true", "TRUE", "yes", "on"])
    def test_is_silenced_by_quiet(
        self, value: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("QUIET", value)

        talk("hello")

        assert capsys.readouterr() == ("", "")

    def test_breaks_between_words_where_it_is_narrow(self) -> None:
        assert wrapped("`devinit stop` ends all", 20) == "`devinit stop` ends\nall"

    def test_is_left_alone_without_a_terminal(self) -> None:
        assert wrapped("a " * 100, None) == "a " * 100


class TestJson:
    def test_is_readable_and_valid_where_the_stream_cannot_write_everything(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        monkeypatch.setattr(sys, "stdout", stream)

        print_json({"root": "Ölmühle"})

        stream.seek(0)
        assert json.loads(stream.read()) == {"root": "Ölmühle"}

    def test_shows_nothing_that_a_terminal_would_obey_and_is_the_same_to_a_program(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        odd = {"name": "a\x1b]0;t\x07\u202e\u2066\x9b\x7f\ue000\U000e0041 \u00e9\u6f22\U0001f680"}

        print_json(odd)

        printed = capsys.readouterr().out
        assert json.loads(printed) == odd
        assert printed.rstrip("\n").isprintable()
        assert "\u00e9\u6f22\U0001f680" in printed

    def test_has_no_secrets_in_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        print_json({"command": ["mysql", "-phunter2"], "reason": "--token hunter2", "root": "/srv/token=1"})

        assert json.loads(capsys.readouterr().out) == {
            "command": ["mysql", "-p***"],
            "reason": "--token ***",
            "root": "/srv/token=1",
        }


class TestTheSizeOfATerminal:
    def test_is_what_it_says(self, make_pty: MakePty) -> None:
        assert size_of(make_pty(40, 10).stream) == (40, 10)

    def test_is_80_by_24_when_it_does_not_say(self, make_pty: MakePty) -> None:
        assert size_of(make_pty(0, 0).stream) == (80, 24)

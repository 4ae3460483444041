"""Specifies how lines are kept and laid out: bounded, in order, as they were printed."""

from __future__ import annotations

import re

import pytest

from devinit.dashboard.lines.feed import Piece
from devinit.dashboard.lines.line import LONGEST, Kind, LogLine
from devinit.dashboard.lines.store import KEPT, SLACK, Store
from devinit.dashboard.lines.view import MOST_ROWS, LogView, Match, breaks
from devinit.logs.lines import Line


def piece(service: str, *texts: str, at: float = 0.0, skipped: int = 0, unfinished: str = "") -> Piece:
    lines = [Line(text, at + number) for number, text in enumerate(texts)]
    return Piece(service, lines, skipped, Line(unfinished, at + 99) if unfinished else None)


def texts(lines: list[LogLine]) -> list[str]:
    return [line.plain for line in lines]


class TestTheStore:
    def test_keeps_the_last_lines_of_each_service(self) -> None:
        store = Store()
        for number in range(0, 3 * KEPT, 500):
            store.add([piece("web", *(f"line {number + each}" for each in range(500)))])
        store.add([piece("quiet", "still here")])

        assert KEPT <= len(store.lines["web"]) <= KEPT + SLACK
        assert store.lines["web"][-1].plain == f"line {3 * KEPT - 1}"
        assert texts(store.of("quiet")) == ["still here"]

    def test_keeps_less_of_longer_lines(self) -> None:
        store = Store()
        for _ in range(30):
            store.add([piece("web", *("x" * 1_000_000 for _ in range(200)))])

        assert max(len(line.raw) for line in store.lines["web"]) < LONGEST + 100
        assert sum(len(line.raw) for line in store.lines["web"]) <= 16 * 1024 * 1024

    def test_says_how_many_lines_were_passed_over(self) -> None:
        store = Store()

        store.add([piece("web", "after", skipped=12_345)])

        assert texts(store.of("web"))[0].startswith("12,345 lines came faster")

    def test_puts_the_lines_of_all_services_in_order_of_time(self) -> None:
        store = Store()

        store.add([piece("a", "1", "3", at=1.0), piece("b", "2", at=1.5)])

        assert texts(store.of(None)) == ["1", "2", "3"]

    def test_shows_a_line_that_grows_only_once(self) -> None:
        store = Store()
        store.add([piece("web", unfinished="10 %")])
        store.add([piece("web", unfinished="10 % 20 %")])
        assert texts(store.of("web")) == ["10 % 20 %"]

        store.add([piece("web", "10 % 20 % done")])
        assert texts(store.of("web")) == ["10 % 20 % done"]


class TestALine:
    def test_obeys_nothing_and_keeps_its_colours(self) -> None:
        line = LogLine(1, "web", "\x1b]0;title\x07\x1b[31mred\x1b[0m\x1b[2J\ttab", 0.0)

        assert line.plain == "red     tab"
        assert "\x1b[31m" in line.coloured
        assert "\x1b[2J" not in line.coloured

    @pytest.mark.parametrize(
        "text",
        [
            "ERROR:    something",
            "Traceback (most recent call last):",
            "ValueError: no",
            '127.0.0.1 - "GET / HTTP/1.1" 500 Internal Server Error',
            "2026-01-01 FATAL:  role does not exist",
            "thread 'main' panicked at src/main.rs",
            "[error] boom",
            "src/a.ts(1,2): error TS2304: nope",
        ],
    )
    def test_that_somebody_should_see(self, text: str) -> None:
        assert LogLine(1, "web", text, 0.0).is_problem

    @pytest.mark.parametrize(
        "text", ["compiled with 0 errors", "no errors found", '"GET /errors HTTP/1.1" 200 OK', "terror", ""]
    )
    def test_that_nobody_need_see(self, text: str) -> None:
        assert not LogLine(1, "web", text, 0.0).is_problem


class TestTheView:
    def lines(self, *texts: str, service: str = "web") -> list[LogLine]:
        return [LogLine(number, service, text, 0.0) for number, text in enumerate(texts, 1)]

    def test_shows_only_what_matches(self) -> None:
        view = LogView()
        view.service, view.filter = "web", re.compile("b")

        view.show(self.lines("abc", "xyz", "b"))

        assert [row.line.plain for row in view.rows] == ["abc", "b"]

    def test_is_bounded(self) -> None:
        view = LogView()
        for number in range(30):
            view.add([LogLine(number * 1000 + each, "web", "x", 0.0) for each in range(1000)])

        assert len(view.rows) <= MOST_ROWS * 1.1

    def test_leaves_an_unfinished_line_alone_when_another_service_prints(self) -> None:
        view = LogView()
        view.service = "web"
        view.show([LogLine(1, "web", "Password: ", 0.0, Kind.UNFINISHED)])

        view.add([LogLine(2, "db", "noise", 0.0)])

        assert [row.line.plain for row in view.rows] == ["Password: "]

    @pytest.mark.parametrize("text", ["", "a" * 25, "漢字かな交じり文の行" * 3, "é" * 24, "a漢" * 9])
    def test_breaks_lines_so_that_nothing_is_lost(self, text: str) -> None:
        from devinit.dashboard.widgets.log_row import crop
        from devinit.text import width

        places = breaks(text, 10)
        parts = [crop(text, start, end) for start, end in zip([0, *places], [*places, None], strict=True)]

        assert "".join(parts) == text
        assert all(width(part) <= 10 for part in parts)

    def test_finds_around_the_end(self) -> None:
        view = LogView()
        view.show(self.lines("one", "two", "three"))

        assert view.find(re.compile("one"), 1, 1) == Match(row=0, number=1, total=1)
        assert view.find(re.compile("three"), 0, -1) == Match(row=2, number=1, total=1)
        assert view.find(re.compile("four"), 0, 1) is None

    @pytest.mark.parametrize(
        ("start", "step", "number"),
        [(0, 1, 1), (1, 1, 2), (2, 1, 2), (3, 1, 1), (3, -1, 2), (2, -1, 2), (1, -1, 1), (-1, -1, 2)],
    )
    def test_counts_what_matches(self, start: int, step: int, number: int) -> None:
        view = LogView()
        view.show(self.lines("a match", "other", "a match", "other"))

        found = view.find(re.compile("match"), start, step)

        assert found == Match(row=(0, 2)[number - 1], number=number, total=2)

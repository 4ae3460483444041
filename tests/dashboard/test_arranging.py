"""Specifies how services are arranged, drawn as a graph, and measured: values in, values out."""

from __future__ import annotations

import re
from typing import Any

import pytest

from devinit.dashboard.arranging import Arrangement, arranged, groups, layers
from devinit.dashboard.graph import blocker, graph_lines
from devinit.dashboard.presentation import table
from devinit.dashboard.refusals import called_for
from devinit.dashboard.state import Measured, Stack, View, refreshed
from devinit.dashboard.usage_line import bars_of, usage_line
from devinit.text import width
from tests.dashboard.conftest import status


def view(name: str, phase: str = "ready", *needs: str, **more: Any) -> View:
    return View(name=name, phase=phase, depends_on=needs, **more)


def stack_of(*views: View) -> Stack:
    return Stack(services={each.name: each for each in views})


SHOP = stack_of(
    view("frontend", "waiting", "backend"),
    view("backend", "starting", "postgres", "redis", talks_to=("postgres", "mail")),
    view("postgres", pid=1, cpu=(3.0,), memory=9),
    view("redis", "failed"),
    view("mail", pid=2, cpu=(80.0,), memory=70),
)


def names(order: str) -> list[str]:
    return list(arranged(SHOP, Arrangement(order=order)).services)


class TestTheOrder:
    def test_is_that_of_the_configuration_at_first(self) -> None:
        assert names("configured") == ["frontend", "backend", "postgres", "redis", "mail"]

    def test_puts_what_others_need_first_by_layer(self) -> None:
        assert names("layers") == ["postgres", "redis", "mail", "backend", "frontend"]
        assert layers(SHOP.services)["frontend"] == 3

    def test_puts_trouble_first(self) -> None:
        assert names("trouble") == ["redis", "backend", "frontend", "postgres", "mail"]
        asks = stack_of(view("a", "failed"), view("b", prompt="(Pdb)"))
        assert list(arranged(asks, Arrangement(order="trouble")).services) == ["b", "a"]

    @pytest.mark.parametrize("order", ["cpu", "memory"])
    def test_puts_what_uses_most_first(self, order: str) -> None:
        assert names(order)[:2] == ["mail", "postgres"]

    def test_goes_round(self) -> None:
        arrangement, seen = Arrangement(), []
        for _ in range(6):
            arrangement = arrangement.next_order()
            seen.append(arrangement.order)

        assert seen == ["layers", "trouble", "cpu", "memory", "name", "configured"]

    def test_of_services_that_need_each_other_ends(self) -> None:
        assert layers(stack_of(view("a", "ready", "b"), view("b", "ready", "a")).services) == {"a": 1, "b": 1}


class TestTheChoice:
    def test_leaves_out_what_does_not_match(self) -> None:
        arrangement = Arrangement(pattern=re.compile("end"))

        assert list(arranged(SHOP, arrangement).services) == ["frontend", "backend"]
        assert arrangement.said == "only end"


class TestTheGroups:
    def test_are_the_layers_each_numbered_once(self) -> None:
        assert groups(SHOP, Arrangement(order="layers")) == {"postgres": "1", "backend": "2", "frontend": "3"}
        assert groups(SHOP, Arrangement()) == {}

    def test_stand_before_the_services_and_marks_before_the_signs(self) -> None:
        by_layer = Arrangement(order="layers")

        header, lines = table(
            arranged(SHOP, by_layer), 80, 0.0, marked={"redis"}, groups=groups(SHOP, by_layer)
        )

        shown = ["".join(text for text, _ in line)[:15].rstrip() for line in (header, *lines)]
        assert shown == [
            "     SERVICE",
            "1  ● postgres",
            "  +✗ redis",
            "   ● mail",
            "2  ◐ backend",
            "3  ◌ frontend",
        ]
        assert all(sum(width(text) for text, _ in line) <= 80 for line in lines)


class TestTheGraph:
    def test_is_a_tree_of_what_each_service_needs(self) -> None:
        assert ["".join(text for text, _ in line) for line in graph_lines(SHOP)] == [
            " ◌ frontend  waiting, waits for backend",
            " └─ ◐ backend  starting  talks to postgres, mail  (not in depends_on: mail)",
            "    ├─ ● postgres  ready",
            "    └─ ✗ redis  failed",
            " ● mail  ready",
        ]

    def test_draws_what_several_need_once(self) -> None:
        stack = stack_of(view("a", "ready", "c"), view("b", "ready", "c"), view("c", "ready", "d"), view("d"))

        assert ["".join(text for text, _ in line) for line in graph_lines(stack)] == [
            " ● a  ready",
            " └─ ● c  ready",
            "    └─ ● d  ready",
            " ● b  ready",
            " └─ ● c  as above",
        ]

    def test_says_where_nothing_waits(self) -> None:
        assert "depends_on" in "".join(text for text, _ in next(iter(graph_lines(stack_of(view("a"))))))

    def test_draws_a_circle_once(self) -> None:
        stack = stack_of(view("a", "ready", "b"), view("b", "ready", "a"))

        assert len(list(graph_lines(stack))) == 3

    def test_takes_a_row_of_a_thousand(self) -> None:
        row = [view(f"s{number}", "ready", f"s{number + 1}") for number in range(1000)]

        assert len(list(graph_lines(stack_of(*row, view("s1000"))))) >= 20


class TestWhatIsWaitedFor:
    def test_is_the_end_of_the_row(self) -> None:
        assert blocker(SHOP.services["frontend"], SHOP.services) == "redis"
        assert blocker(SHOP.services["postgres"], SHOP.services) is None

    def test_of_services_that_need_each_other_ends(self) -> None:
        stack = stack_of(view("a", "waiting", "b"), view("b", "waiting", "a"))

        assert blocker(stack.services["a"], stack.services) == "b"


class TestWhatAServiceCallsFor:
    @pytest.mark.parametrize(
        ("shown", "expected"),
        [
            (view("a", prompt="(Pdb)"), ["attach"]),
            (view("a", "waiting"), ["go_to_blocker"]),
            (view("a", "failed"), ["details", "next_error"]),
            (view("a", changed="port"), ["restart_changed"]),
            (view("a"), []),
        ],
    )
    def test_follows_from_what_it_does(self, shown: View, expected: list[str]) -> None:
        assert list(called_for(shown)) == expected


class TestWhatAServiceHasUsed:
    def measured(self, count: int, step: float = 6.0) -> View:
        stack = Stack()
        for number in range(count):
            told: Any = {"project": "x", "root": "/", "supervisor": None}
            api = status("api", pid=number, cpu_percent=float(number % 90), memory_bytes=80_000_000)
            stack = refreshed(stack, told | {"services": [api]}, number * step)
        return stack.services["api"]

    def test_is_remembered_for_a_quarter_of_an_hour_over_restarts(self) -> None:
        usage = self.measured(400).usage

        assert usage[-1].at - usage[0].at == pytest.approx(900, abs=10)

    def test_is_not_remembered_more_often_than_it_is_shown(self) -> None:
        assert len(self.measured(10, step=1.0).usage) == 2

    def test_is_shown_in_a_line_that_fits(self) -> None:
        for columns in (60, 80, 120, 300):
            line = usage_line(self.measured(100), columns)
            text = "".join(text for text, _ in line)
            assert width(text) <= columns
            assert text.startswith(" api, last 9m  CPU ")

    def test_is_not_shown_before_it_was_measured_twice_or_where_it_has_no_room(self) -> None:
        assert usage_line(None, 80) == []
        assert usage_line(self.measured(1), 80) == []
        assert usage_line(self.measured(9), 30) == []

    def test_shows_peaks_however_few_bars_there_are(self) -> None:
        assert bars_of([0.0] * 50 + [100.0] + [0.0] * 49, 10, 100.0) == "▁▁▁▁▁█▁▁▁▁"
        assert Measured(0.0, 1.0, 2).memory == 2

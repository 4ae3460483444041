"""Specifies what the dashboard says of the start that it was opened by, and which exit code that start has."""

from __future__ import annotations

import itertools
from typing import Any

from msgspec.structs import replace

from devinit.dashboard.starting import Start, after, exit_code, start_line, unwell_rows
from devinit.dashboard.state import Stack, View
from devinit.dashboard.waiting import critical_path, heads_of
from devinit.text import width
from tests.dashboard.conftest import summed_up


def stack_of(*views: View) -> Stack:
    return Stack(services={view.name: view for view in views})


def view(name: str, phase: str, *needs: str, **more: Any) -> View:
    return View(name=name, phase=phase, depends_on=needs, **more)


def start_of(*names: str, **more: Any) -> Start:
    return Start(began=0.0, services=names, starting=names, **more)


def ended(start: Start, *rows: dict[str, Any], code: int, at: float = 12.0) -> Start:
    summary = {"type": "summary", "services": list(rows), "seconds": 12.0, "exit_code": code}
    return after(start, summary, at)


def said(start: Start | None, stack: Stack, now: float = 12.0, columns: int = 200) -> str:
    return "".join(text for text, _ in start_line(start, stack, now, columns)).strip()


class TestTheCriticalPath:
    def test_is_the_service_that_most_wait_for_and_the_longest_row_behind_it(self) -> None:
        services = stack_of(
            view("docs", "starting"),
            view("postgres", "starting"),
            view("backend", "waiting", "postgres"),
            view("worker", "waiting", "postgres"),
            view("frontend", "waiting", "backend"),
        ).services

        assert [each.name for each in critical_path(services)] == ["postgres", "backend", "frontend"]
        assert heads_of(services) == ["docs", "postgres"]

    def test_leaves_out_what_is_ready(self) -> None:
        services = stack_of(
            view("postgres", "ready"),
            view("backend", "starting", "postgres"),
            view("frontend", "waiting", "backend", "postgres"),
        ).services

        assert [each.name for each in critical_path(services)] == ["backend", "frontend"]

    def test_is_empty_when_nothing_comes_up(self) -> None:
        services = stack_of(view("a", "ready"), view("b", "failed"), view("c", "stopped", "b")).services

        assert critical_path(services) == []

    def test_does_not_end_in_services_that_need_each_other(self) -> None:
        services = stack_of(view("a", "waiting", "b"), view("b", "waiting", "a")).services

        assert critical_path(services) == []

    def test_takes_a_row_of_a_thousand(self) -> None:
        names = [f"s{number}" for number in range(1000)]
        row = [view(name, "waiting", before) for before, name in itertools.pairwise(names)]
        services = stack_of(view(names[0], "starting"), *row).services

        assert [each.name for each in critical_path(services)] == names


class TestTheLineOfAStart:
    def test_says_before_the_plan_only_that_it_goes_on(self) -> None:
        assert said(Start(began=8.0), Stack()) == "◐ starting, 4s"

    def test_says_what_is_waited_for_and_what_that_is_busy_with(self) -> None:
        stack = stack_of(
            view("postgres", "starting", since=3.0, doing="creating the database cluster"),
            view("backend", "waiting", "postgres"),
            view("docs", "starting"),
        )
        start = start_of("postgres", "backend", "docs")

        assert said(start, stack) == (
            "◐ starting, 12s  waits for postgres → backend and 1 more  9s: creating the database cluster"
        )

    def test_is_the_summary_for_a_minute_after_it_went_well(self) -> None:
        stack = stack_of(view("backend", "ready"))
        start = ended(start_of("backend"), summed_up("backend", port=8001), code=0)

        assert said(start, stack) == "✓ 1 of 1 service ready in 12.0 s, 1 not on its preferred port"
        assert said(start, stack, now=90.0) == ""

    def test_is_gone_once_a_service_is_no_longer_well(self) -> None:
        start = ended(start_of("backend"), summed_up("backend"), code=0)

        assert said(start, stack_of(view("backend", "failed", reason="exited with code 3"))) == ""

    def test_says_why_it_failed_until_that_is_put_right(self) -> None:
        failed = view("backend", "failed", reason="no module named app\nlook at it")
        start = ended(start_of("backend", "docs"), summed_up("docs"), summed_up("backend", "failed"), code=1)

        line = said(start, stack_of(failed, view("docs", "ready")), now=5000.0)
        put_right = said(start, stack_of(replace(failed, phase="ready"), view("docs", "ready")), now=5000.0)

        assert line == "✗ 1 of 2 ready  backend: no module named app  d tells why, r tries again"
        assert put_right == ""

    def test_names_what_was_not_ready_in_time(self) -> None:
        start = ended(start_of("backend"), summed_up("backend", "starting"), code=4)

        assert said(start, stack_of(view("backend", "starting"))) == "… not ready in time: backend"

    def test_keeps_the_keys_where_there_is_little_room(self) -> None:
        failed = view("backend", "failed", reason="a long story about what went wrong " * 9)
        start = ended(start_of("backend"), summed_up("backend", "failed"), code=1)

        line = said(start, stack_of(failed), columns=80)

        assert line.endswith("d tells why, r tries again")
        assert width(line) <= 80

    def test_is_not_there_without_a_start(self) -> None:
        assert said(None, stack_of(view("backend", "ready"))) == ""


class TestTheExitCode:
    def test_is_that_of_the_start(self) -> None:
        start = ended(start_of("backend"), summed_up("backend", "failed"), code=3)

        assert exit_code(start, stack_of(view("backend", "failed"))) == 3

    def test_is_nothing_once_what_had_failed_is_ready(self) -> None:
        start = ended(start_of("backend"), summed_up("backend", "failed"), code=1)

        assert exit_code(start, stack_of(view("backend", "ready"))) == 0

    def test_is_that_of_a_start_that_went_well_whatever_was_stopped_since(self) -> None:
        start = ended(start_of("backend"), summed_up("backend"), code=0)

        assert exit_code(start, stack_of(view("backend", "stopped"))) == 0

    def test_says_that_not_all_is_ready_when_it_is_left_before(self) -> None:
        assert exit_code(start_of("a", "b"), stack_of(view("a", "ready"), view("b", "waiting"))) == 4
        assert exit_code(Start(began=0.0), Stack()) == 4

    def test_says_what_has_failed_already_when_it_is_left_before(self) -> None:
        assert exit_code(start_of("a", "b"), stack_of(view("a", "failed"), view("b", "waiting"))) == 1

    def test_is_nothing_when_it_is_left_in_the_moment_in_which_all_is_ready(self) -> None:
        assert exit_code(start_of("a", "b"), stack_of(view("a", "ready"), view("b", "exited"))) == 0


class TestWhatIsExplainedAfterwards:
    def test_is_what_had_failed_and_has_now(self) -> None:
        rows = [summed_up("a", "failed"), summed_up("b", "failed"), summed_up("c")]
        start = ended(start_of("a", "b", "c"), *rows, code=1)
        stack = stack_of(view("a", "ready"), view("b", "failed"), view("c", "failed"))

        assert [row["service"] for row in unwell_rows(start, stack)] == ["b"]

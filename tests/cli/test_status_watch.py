"""Specifies `status --watch`, `status --exit-code` and the columns of `status` at a terminal."""

from __future__ import annotations

import io
import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from devinit.cli.arguments import Arguments
from devinit.cli.output import Paint
from devinit.cli.shown_status import lines_of
from devinit.cli.status import exit_code_of
from devinit.cli.status_watch import fitting
from tests.cli.conftest import code_of
from tests.dashboard.conftest import status
from tests.terminal import Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Shop

pytestmark = pytest.mark.timeout(120)
PAINT = Paint(io.StringIO())


def asked(*names: str, exit_code: bool = True) -> Any:
    arguments: Any = Arguments()
    arguments.services, arguments.exit_code = list(names), exit_code
    return arguments


def code(*services: dict[str, Any], names: tuple[str, ...] = ()) -> int:
    return exit_code_of(list(services), asked(*names))  # type: ignore[arg-type]  # as the wire has them


class TestTheExitCode:
    def test_is_0_without_the_switch(self) -> None:
        failed: Any = status("a", "failed")

        assert exit_code_of([failed], asked(exit_code=False)) == 0

    @pytest.mark.parametrize(
        ("phase", "expected"),
        [("ready", 0), ("exited", 0), ("starting", 1), ("unhealthy", 1), ("failed", 1), ("stopped", 1)],
    )
    def test_says_whether_a_service_is_well(self, phase: str, expected: int) -> None:
        assert code(status("a"), status("b", phase)) == expected

    def test_leaves_out_what_starts_by_its_name_unless_it_runs_or_is_named(self) -> None:
        aside = status("tool", "stopped", autostart=False)

        assert code(status("a"), aside) == 0
        assert code(status("a"), {**aside, "phase": "failed"}) == 1
        assert code(aside, names=("tool",)) == 1

    def test_leaves_out_what_is_optional_unless_it_is_named(self) -> None:
        optional = status("mail", "failed", optional=True)

        assert code(status("a"), optional) == 0
        assert code(optional, names=("mail",)) == 1

    def test_is_1_where_there_is_nothing(self) -> None:
        assert code() == 1

    def test_is_that_of_the_command(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        assert shop("status", "--exit-code").returncode == 1
        assert shop("start").returncode == 0
        assert shop("status", "--exit-code").returncode == 0
        assert shop("status", "--exit-code", "--json").returncode == 0

    def test_is_not_to_be_had_beside_watch_or_for_all_projects(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        assert shop("status", "--exit-code", "--watch").returncode == 2
        assert shop("status", "--exit-code", "--all").returncode == 2


class TestTheColumns:
    SERVICES: Any = (status("api", pid=1, url=None), status("frontend", "stopped", port=None))

    def test_stand_below_each_other_for_a_person(self) -> None:
        assert lines_of(list(self.SERVICES), PAINT, aligned=True) == [
            "Api (port 8000): ✓ Running (pid 1)",
            "Frontend:        ✗ Not running",
        ]

    def test_leave_a_plain_sentence_for_a_program(self) -> None:
        assert lines_of(list(self.SERVICES), PAINT)[1] == "Frontend: ✗ Not running"


class TestTheLinesInPlace:
    def test_leave_out_what_would_scroll_away(self) -> None:
        lines = ["one", "two " * 30, "three", "four"]

        assert fitting(lines, 80, 10) == lines
        assert fitting(lines, 80, 4) == ["one", "two " * 30, "and 2 more lines; `devinit status` shows all"]


class TestWatching:
    def test_prints_a_block_for_each_change_where_there_is_no_terminal(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        assert shop("start").returncode == 0
        watching = shop.begin("status", "--watch")
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith(f"Backend (port {port}): ✓ Running (pid ")

        assert shop("stop").returncode == 0
        seen = [watching.stdout.readline()]
        while "Not running" not in seen[-1]:
            seen.append(watching.stdout.readline())

        assert "\n" in seen
        watching.send_signal(signal.SIGTERM)
        assert watching.wait(30) == 143
        watching.communicate()

    def test_prints_an_object_a_line_with_json(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        watching = shop.begin("status", "--watch", "--json")
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())["services"][0]["phase"] == "stopped"

        assert shop("start").returncode == 0
        while json.loads(watching.stdout.readline())["services"][0]["phase"] != "ready":
            pass

        watching.send_signal(signal.SIGTERM)
        assert watching.wait(30) == 143
        watching.communicate()

    def test_draws_in_place_until_it_is_interrupted(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop.service("db")
        assert shop("start", "backend").returncode == 0
        child = shop.terminal("status", "--watch", columns=100)
        terminal = Terminal(child)
        terminal.shows(f"Backend (port {port}): ✓ Running", "Db:", "✗ Not running")

        assert shop("stop").returncode == 0
        text = terminal.shows(f"Backend (port {port}): ✗ Not running")
        assert text.count("Backend") == 1

        terminal.press("\x03")
        assert code_of(child) == 130

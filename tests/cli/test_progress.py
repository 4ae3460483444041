"""Specifies the lines of a start: on a terminal, where they are redrawn, and elsewhere."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from devinit.cli.output import Paint
from devinit.cli.progress import Board, Progress, symbols_of

if TYPE_CHECKING:
    from tests.cli.conftest import MakePty

LONG = "exited with code 1: " + "a reason that is wider than every terminal " * 5


def plan(*names: str) -> dict[str, Any]:
    return {"type": "plan", "services": list(names), "starting": list(names)}


def phase(service: str, now: str, before: str = "waiting", **more: Any) -> dict[str, Any]:
    event = {"type": "phase", "service": service, "phase": now, "previous": before}
    return {**event, "reason": None, "pid": None, "ready_seconds": None, **more}


def note(message: str) -> dict[str, Any]:
    return {"type": "note", "service": None, "message": message}


def moved(service: str, port: int, wanted: int) -> dict[str, Any]:
    return decided(
        service, port, preferred=wanted, moved_from=wanted, reason=f"{wanted} is held by vite (pid 4242)"
    )


def decided(service: str, port: int, **more: Any) -> dict[str, Any]:
    event = {"type": "port", "service": service, "port": port, "preferred": port, "moved_from": None}
    return {**event, "attempts": 2, "reason": "", "kind": None, "killed": [], "uses": None, **more}


def board() -> Board:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    return Board(Paint(stream), symbols_of(stream))


class TestTheBoard:
    def test_says_for_how_long_something_is_waited_for(self) -> None:
        shown = board()
        shown.see(plan("backend", "frontend"), 0)
        shown.see(phase("backend", "starting"), 10)

        lines = shown.lines(12.5, 80, 24)

        assert lines == ["… backend   starting 2.5 s", "… frontend  waiting"]

    def test_shows_what_a_step_prints_that_takes_its_time(self) -> None:
        shown = board()
        shown.output_of = {"backend": "added 312 packages", "frontend": ""}.__getitem__
        shown.see(plan("backend", "frontend"), 0)
        shown.see({"type": "progress", "service": "backend", "message": "setting up: npm ci"}, 0)

        assert shown.lines(0.9, 80, 24)[0] == "… backend   waiting 900 ms: setting up: npm ci"
        assert shown.lines(9.0, 80, 24) == [
            "… backend   waiting 9.0 s: setting up: npm ci  added 312 packages",
            "… frontend  waiting",
        ]

    def test_shortens_what_a_step_was_told_to_do_for_what_it_prints(self) -> None:
        shown = board()
        shown.output_of = lambda _: "reading " + "x" * 60
        shown.see(plan("backend"), 0)
        shown.see({"type": "progress", "service": "backend", "message": "setting up: " + "npm ci " * 9}, 0)

        (line,) = shown.lines(9.0, 60, 24)

        assert line.startswith("… backend  waiting 9.0 s: set…")
        assert "…  reading xxxx" in line
        assert len(line) < 60

    @pytest.mark.parametrize(
        ("reason", "said"),
        [
            ("exited with code 0", "finished"),
            (
                "ran on 2026-11-30 22:10, once; `devinit restart seed` runs it again",
                "ran on 2026-11-30 22:10, once; `devinit restart seed` runs it again",
            ),
        ],
    )
    def test_tells_a_one_shot_that_was_not_run_from_one_that_ended(self, reason: str, said: str) -> None:
        shown = board()
        shown.see(plan("seed"), 0)
        shown.see(phase("seed", "exited", "starting", reason=reason), 1)

        assert shown.lines(1, 80, 24) == [f"· seed  {said}"]

    def test_says_nothing_of_a_time_that_nobody_noticed(self) -> None:
        shown = board()
        shown.see(phase("backend", "starting"), 10)

        assert shown.lines(10.05, 80, 24) == ["… backend  starting"]

    def test_says_what_a_service_is_busy_with(self) -> None:
        shown = board()
        shown.see(phase("postgres", "starting"), 0)
        shown.see({"type": "progress", "service": "postgres", "message": "creating the\ndatabase cluster"}, 1)

        assert shown.lines(3, 80, 24) == ["… postgres  starting 3.0 s: creating the database cluster"]

    def test_says_how_long_a_service_took(self) -> None:
        shown = board()
        shown.see(phase("backend", "ready", "starting", ready_seconds=0.133), 0)

        assert shown.lines(99, 80, 24) == ["✓ backend  ready after 133 ms"]

    def test_lines_ports_up_only_when_there_are_any(self) -> None:
        shown = board()
        shown.see(plan("a", "b"), 0)
        shown.see(moved("a", 8001, 8000), 0)

        assert shown.lines(0, 80, 24) == ["… a  8001  waiting", "… b        waiting"]

    def test_says_once_that_a_port_moved_and_why(self) -> None:
        said = board().see(moved("backend", 8001, 8000), 0)

        assert said == ["backend: 8000 → 8001: 8000 is held by vite (pid 4242)"]

    def test_says_how_many_ports_were_tried_when_it_was_not_the_next_one(self) -> None:
        said = board().see(moved("backend", 8003, 8000) | {"attempts": 4}, 0)

        assert said == ["backend: 8000 → 8003 after 4 attempts: 8000 is held by vite (pid 4242)"]

    def test_says_who_was_ended_for_a_port(self) -> None:
        said = board().see(decided("backend", 8000, killed=["vite (pid 4242)"]), 0)

        assert said == ["backend: ended vite (pid 4242) to free port 8000"]

    def test_says_whose_server_is_used(self) -> None:
        said = board().see(decided("postgres", 5432, uses="PostgreSQL 15.18, database shop"), 0)

        assert said == ["postgres: uses PostgreSQL 15.18, database shop on port 5432, and never stops it"]

    def test_shows_those_that_something_happens_to_when_there_is_no_room_for_all(self) -> None:
        shown = board()
        names = [f"s{number}" for number in range(30)]
        shown.see(plan(*names), 0)
        for name in names[:10]:
            shown.see(phase(name, "ready", ready_seconds=1), 0)

        lines = shown.lines(0, 80, 11)

        assert len(lines) == 11
        assert lines[0].startswith("… s10")
        assert lines[-1] == "  and 10 more"


class TestWithoutATerminal:
    def lines(self, *events: dict[str, Any]) -> list[str]:
        stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with Progress(stream) as progress:
            for event in events:
                progress.see(event)
        stream.seek(0)
        return stream.read().splitlines()

    def test_each_thing_that_happens_has_a_line_without_times_that_nobody_measured(self) -> None:
        lines = self.lines(
            plan("backend"),
            phase("backend", "starting"),
            note("look at this"),
            phase("backend", "ready", "starting", ready_seconds=0.05),
        )

        assert lines == ["… backend  starting", "⚠ look at this", "✓ backend  ready after 50 ms"]

    def test_a_failure_leaves_its_reason_to_the_summary(self) -> None:
        assert self.lines(phase("backend", "failed", reason="it fell")) == ["✗ backend  failed"]

    def test_waiting_is_worth_a_line_only_with_a_reason(self) -> None:
        lines = self.lines(
            phase("a", "waiting", "stopped"), phase("b", "waiting", "stopped", reason="waits for a")
        )

        assert lines == ["… b  waiting: waits for a"]

    def test_quiet_says_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("QUIET", "true")

        assert self.lines(phase("backend", "ready")) == []


class TestOnATerminal:
    def test_a_line_is_drawn_over(self, make_pty: MakePty) -> None:
        pty = make_pty(80, 24)
        progress = Progress(pty.stream)

        progress.see(plan("backend"))
        progress.see(phase("backend", "starting"))
        progress.see(phase("backend", "ready", "starting", ready_seconds=1))

        assert pty.look() == ["✓ backend  ready after 1.0 s", ""]

    def test_notes_stay_above(self, make_pty: MakePty) -> None:
        pty = make_pty(80, 24)
        progress = Progress(pty.stream)

        progress.see(plan("backend"))
        progress.see(note("first"))
        progress.tick()
        progress.see(note("second"))

        assert pty.look() == ["⚠ first", "⚠ second", "… backend  waiting", ""]

    @pytest.mark.parametrize("columns", [20, 40, 80])
    @pytest.mark.parametrize("reason", [LONG, "漢字" * 50, "\x1b[31m" * 9 + LONG, "🚀" * 60, "a\r\tb" * 30])
    def test_what_is_too_wide_is_cut_so_that_it_can_be_drawn_over(
        self, make_pty: MakePty, reason: str, columns: int
    ) -> None:
        pty = make_pty(columns, 24)
        progress = Progress(pty.stream)

        for _ in range(3):
            progress.see(phase("backend", "failed", "starting", reason=reason))
            progress.see(phase("web", "starting", reason=reason))

        first, second, last = pty.look()
        assert first.startswith("✗ backend")
        assert second.startswith("… web")
        assert last == ""

    def test_it_can_become_narrower_meanwhile(self, make_pty: MakePty) -> None:
        pty = make_pty(100, 24)
        progress = Progress(pty.stream)
        progress.see(note("a note"))
        progress.see(phase("backend", "failed", "starting", reason=LONG))

        pty.narrow(30)
        progress.see(phase("backend", "stopped", "failed"))

        assert pty.look() == ["⚠ a note", "· backend  stopped", ""]

    def test_the_picture_gives_way_to_something_better(self, make_pty: MakePty) -> None:
        pty = make_pty(80, 24)

        with Progress(pty.stream, vanishes=True) as progress:
            progress.see(note("a note"))
            progress.see(phase("backend", "ready"))

        assert pty.look() == ["⚠ a note", ""]

    def test_the_picture_stays_after_an_interrupt(self, make_pty: MakePty) -> None:
        pty = make_pty(80, 24)

        progress = Progress(pty.stream, vanishes=True)
        progress.see(phase("backend", "starting"))
        progress.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)

        assert pty.look() == ["… backend  starting", ""]

    def test_the_cursor_is_never_hidden_so_that_nothing_has_to_be_restored(self, make_pty: MakePty) -> None:
        pty = make_pty(80, 24)

        with Progress(pty.stream) as progress:
            progress.see(phase("backend", "starting"))
            progress.tick()

        assert all("?25" not in line for line in pty.look())

    def test_a_dumb_one_gets_lines(self, make_pty: MakePty, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TERM", "dumb")
        pty = make_pty(80, 24)
        progress = Progress(pty.stream)

        progress.see(phase("backend", "starting"))
        progress.see(phase("backend", "ready", "starting"))

        assert pty.look() == ["… backend  starting", "✓ backend  ready", ""]

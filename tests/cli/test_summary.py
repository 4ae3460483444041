"""Specifies the table that a start ends with, and what is said about failures."""

from __future__ import annotations

import io
from typing import Any

import pytest

from devinit.cli.output import Paint
from devinit.cli.progress import symbols_of
from devinit.cli.summary import advice, explanation, picture, shown_url
from devinit.model.start_words import totals
from devinit.text import width

STREAM = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
PAINT = Paint(STREAM)


def row(service: str, phase: str = "ready", **more: Any) -> dict[str, Any]:
    return {
        "service": service,
        "phase": phase,
        "mode": "preferred",
        "port": 8000,
        "preferred": 8000,
        "moved_from": None,
        "attempts": 1,
        "ready_seconds": 0.133,
        "url": "http://localhost:8000",
        "reason": None,
        "log_tail": [],
        **more,
    }


def summary(*rows: dict[str, Any], exit_code: int = 0) -> dict[str, Any]:
    return {"type": "summary", "services": list(rows), "seconds": 0.497, "exit_code": exit_code}


def table(*rows: dict[str, Any], columns: int | None = None) -> list[str]:
    return picture(summary(*rows), PAINT, symbols_of(STREAM), columns)


FAILED = row("backend", "failed", reason="exited with code 3", ready_seconds=None, log_tail=["one", "two"])
WORKER = row("worker", port=None, preferred=None, url=None, attempts=0, ready_seconds=0.3)


class TestTheTable:
    def test_lists_port_attempts_time_and_url(self) -> None:
        assert table(row("backend"), WORKER) == [
            "   SERVICE  PORT  PREFERRED  READY   URL",
            "✓  backend  8000  yes        133 ms  http://localhost:8000",
            "✓  worker                    300 ms",
        ]

    def test_says_how_many_ports_were_tried_where_one_has_moved(self) -> None:
        assert table(row("backend", port=8001, attempts=2), WORKER)[:2] == [
            "   SERVICE  PORT  PREFERRED        TRIES  READY   URL",
            "✓  backend  8001  moved from 8000  2      133 ms  http://localhost:8000",
        ]

    def test_calls_a_job_that_has_ended_finished(self) -> None:
        [_, line] = table(row("migrate", "exited", port=None, preferred=None, reason="exited with code 0"))

        assert line.split() == ["·", "migrate", "finished", "exited", "with", "code", "0"]

    def test_says_from_where_a_service_moved(self) -> None:
        moved = row("backend", port=8002, attempts=3)

        assert "8002  moved from 8000  3" in table(moved)[1]

    def test_leaves_the_reason_of_a_failure_to_the_text_below(self) -> None:
        assert table(FAILED)[1] == "✗  backend  8000  yes        failed"

    def test_says_what_a_service_waits_for(self) -> None:
        waiting = row("web", "waiting", reason="waits for backend", ready_seconds=None)

        assert table(waiting)[1].endswith("waiting  waits for backend")

    def test_hides_passwords(self) -> None:
        url = "postgresql://shop:secret@127.0.0.1:5432/shop"

        assert shown_url({"url": url}) == "postgresql://shop:***@127.0.0.1:5432/shop"

    @pytest.mark.parametrize(
        ("columns", "header"),
        [
            (80, "   SERVICE  PORT  PREFERRED  READY   URL"),
            (60, "   SERVICE  PORT  PREFERRED  READY   URL"),
            (50, "   SERVICE  PORT  PREFERRED  URL"),
            (40, "   SERVICE  PORT  URL"),
            (35, "   SERVICE  URL"),
        ],
    )
    def test_leaves_columns_out_on_a_narrow_terminal_but_never_cuts_a_url(
        self, columns: int, header: str
    ) -> None:
        head, line = table(row("backend"), columns=columns)

        assert head == header
        assert line.endswith("http://localhost:8000")
        assert width(line) <= columns

    def test_cuts_a_reason_that_is_too_long(self) -> None:
        waiting = row("web", "waiting", reason="waits for 漢字 " * 30, ready_seconds=None)

        lines = table(row("backend"), waiting, columns=80)

        assert lines[2].endswith("…")
        assert width(lines[2]) <= 80


class TestAServerOfSomebodyElse:
    def test_is_called_external(self) -> None:
        [_, line] = table(row("postgres", mode="external", port=5432, preferred=5432, attempts=0))

        assert line.split()[:4] == ["✓", "postgres", "5432", "external"]


class TestTheTotals:
    def test_count_what_is_ready_and_how_long_it_took(self) -> None:
        assert totals(summary(row("a"), FAILED), ["a"]) == "1 of 2 services ready in 497 ms"

    def test_count_what_has_finished_apart_from_what_is_ready(self) -> None:
        finished = row("migrate", "exited", port=None, preferred=None)

        assert totals(summary(row("a"), finished), ["a"]) == "1 of 2 services ready, 1 finished in 497 ms"

    def test_count_what_is_not_where_it_wants_to_be(self) -> None:
        assert totals(summary(row("a", port=1)), ["a"]).endswith(
            "ready in 497 ms, 1 not on its preferred port"
        )

    def test_do_not_pretend_that_something_was_started(self) -> None:
        assert totals(summary(row("a")), []) == "1 of 1 service ready, as before"


class TestAFailure:
    def test_is_explained_once_with_its_last_lines(self) -> None:
        lines = list(explanation(summary(row("web"), FAILED, exit_code=1), PAINT))

        assert lines == ["", "backend failed: exited with code 3", "  | one", "  | two"]

    def test_shows_every_line_of_its_reason(self) -> None:
        failed = row("backend", "failed", reason="`migrate` failed:\nno such table")

        assert list(explanation(summary(failed), PAINT))[1:] == [
            "backend failed: `migrate` failed:",
            "  no such table",
        ]

    def test_cannot_command_the_terminal(self) -> None:
        failed = row("backend", "failed", reason="\x1b[2Jgone", log_tail=["\x1b]0;title\x07text"])

        assert "\x1b" not in "".join(explanation(summary(failed), PAINT))

    def test_names_the_service_in_the_hint(self) -> None:
        said = advice(summary(row("web"), FAILED, exit_code=1))

        assert "`devinit why backend`" in said
        assert "what is up stays up" in said

    def test_what_is_late_is_named(self) -> None:
        late = row("slow", "starting", ready_seconds=None)

        assert "slow" in list(explanation(summary(late, exit_code=4), PAINT))[1]

    def test_says_in_red_which_server_a_service_uses_in_the_place_of_its_own(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm")
        screen = io.StringIO()
        monkeypatch.setattr(screen, "isatty", lambda: True)
        wrong = {
            "text": "connected to guestbook's postgres (port 5432), not to its own (5433)",
            "advice": ["alembic.ini:3 names localhost:5432; nothing tells it 5433"],
        }
        paint = Paint(screen)

        lines = list(explanation(summary(row("backend", wrong_servers=[wrong])), paint))

        assert paint.bad("x") != "x"
        assert lines == [
            "",
            paint.bad("backend is connected to guestbook's postgres (port 5432), not to its own (5433)"),
            "  alembic.ini:3 names localhost:5432; nothing tells it 5433",
        ]


class TestTheAdvice:
    def test_names_a_service_that_is_not_up_for_another_reason_than_a_failure(self) -> None:
        stopped = row("worker", "stopped", ready_seconds=None)

        said = advice(summary(row("backend"), stopped, exit_code=1))

        assert "`devinit why worker`" in said

    def test_names_what_failed_before_what_waits_for_it(self) -> None:
        waiting = row("frontend", "waiting", ready_seconds=None)

        assert "`devinit why backend`" in advice(summary(waiting, FAILED, exit_code=1))

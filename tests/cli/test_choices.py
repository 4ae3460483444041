"""Specifies what is offered about taken ports: for one, and for all of them at a glance."""

from __future__ import annotations

import io

import pytest

from devinit.cli.choices import choices_of, first_choices, lasting_choices, overview
from devinit.cli.output import Paint
from devinit.text import width
from tests.cli.taken import conflict, holder

PAINT = Paint(io.StringIO())
RESERVED = {"root": "/srv/old", "project": "old", "service": "web", "pid": 1, "at": 0.0}


class TestTheChoices:
    def test_are_those_of_the_conflict_in_its_order_then_ours(self) -> None:
        assert choices_of(conflict(holder("/usr/bin/vite", "--host")), 80, has_details=True) == [
            ("move", "move to 8001"),
            ("kill", "kill 4242 (vite --host), ends 1 process"),
            ("retry", "try again"),
            ("always", "always do the same…"),
            ("details", "show all details"),
            ("abort", "abort: nothing is ended, nothing is started"),
        ]

    def test_do_not_offer_what_cannot_be_done(self) -> None:
        found = conflict(choices=["retry", "abort"], move_to=None)

        assert [kind for kind, _ in choices_of(found, 80, has_details=False)] == ["retry", "abort"]

    def test_say_whose_port_would_be_taken_and_what_would_be_used(self) -> None:
        found = conflict(
            choices=["take", "reuse", "abort"], owner=RESERVED, reuse="PostgreSQL 15.18, database shop"
        )

        assert choices_of(found, 80, has_details=False)[:2] == [
            ("take", "take it from old, which does not use it now"),
            ("reuse", "use PostgreSQL 15.18, database shop; devinit never stops it"),
        ]

    def test_that_end_a_process_say_how_many_with_its_helpers(self) -> None:
        found = conflict(holder("vite"), ends=3)

        assert dict(choices_of(found, 80, has_details=False))["kill"] == "kill 4242 (vite), ends 3 processes"

    @pytest.mark.parametrize("columns", [40, 60, 80])
    def test_fit_the_terminal(self, columns: int) -> None:
        long = conflict(
            holder("node", "x" * 300),
            holder("node", "y" * 300, pid=7),
            choices=["move", "kill", "reuse", "take", "retry", "abort"],
            owner={**RESERVED, "project": "p" * 80},
        )

        texts = [text for _, text in choices_of(long, columns, has_details=True)]

        # Before a choice stand a pointer and spaces.
        assert max(map(width, texts)) <= columns - 4
        assert texts[1].startswith("kill 4242")
        assert texts[1].endswith(", ends 2 processes")


class TestAnAnswerForGood:
    def test_is_one_that_is_a_policy_too_and_the_one_that_ends_processes_stands_last(self) -> None:
        found = conflict(holder("vite"), choices=["kill", "take", "move", "retry", "abort"])

        assert [kind for kind, _ in lasting_choices(found, 80)] == ["move", "kill", "back"]


class TestSeveralConflicts:
    PAIR = (
        conflict(holder("python3", "-m", "http.server", "8000")),
        conflict(
            holder("next", "dev"),
            service="frontend",
            port=3000,
            kind="orphan",
            summary="leased by frontend of this project",
            choices=["kill", "move", "retry", "abort"],
            default="kill",
        ),
    )
    STRICT = conflict(holder("vite"), service="strict", choices=["retry", "abort"], default="abort")

    def test_are_shown_at_a_glance_with_what_is_suggested(self) -> None:
        assert list(overview([*self.PAIR, self.STRICT], PAINT, 80)) == [
            "3 ports are taken:",
            "",
            "  SERVICE   PORT  WHO HAS IT           SUGGESTION",
            "  backend   8000  vite (pid 4242)      move to 8001",
            "  frontend  3000  next dev (pid 4242)  kill 4242, ends 1 process",
            "  strict    8000  vite (pid 4242)      you decide",
        ]

    @pytest.mark.parametrize("columns", [30, 40, 60, 80])
    def test_fit_the_terminal(self, columns: int) -> None:
        long = [{**each, "summary": f"held by {'x' * 90} (pid 4242)"} for each in self.PAIR]

        lines = list(overview(long, PAINT, columns))

        assert max(map(width, lines)) < columns
        assert "(pid 4242)" in " ".join(lines)

    def test_can_be_accepted_decided_one_by_one_or_given_up(self) -> None:
        assert [kind for kind, _ in first_choices(list(self.PAIR), 80)] == ["accept", "each", "abort"]

    def test_of_which_one_has_no_harmless_answer_are_accepted_without_it(self) -> None:
        [(kind, text), *_] = first_choices([*self.PAIR, self.STRICT], 80)

        assert (kind, text) == ("accept", "accept all suggestions (ends 1 process), then ask about strict")

    @pytest.mark.parametrize(
        ("columns", "text"),
        [
            (80, "accept all suggestions (ends 3 processes)"),
            (40, "accept all (ends 3 processes)"),
        ],
    )
    def test_say_how_many_processes_their_suggestions_end(self, columns: int, text: str) -> None:
        [backend, frontend] = self.PAIR
        # One holder, and a helper that it started.
        more = {**frontend, "service": "assets", "port": 3001, "ends": 2}

        assert first_choices([backend, frontend, more], columns)[0] == ("accept", text)

    def test_whose_suggestions_end_no_process_are_accepted_without_a_count(self) -> None:
        [backend, _] = self.PAIR

        assert first_choices([backend, backend], 80)[0] == ("accept", "accept all suggestions")

    def test_none_of_which_has_a_harmless_answer_are_decided_one_by_one(self) -> None:
        assert [kind for kind, _ in first_choices([self.STRICT, self.STRICT], 80)] == ["each", "abort"]

"""Specifies how a person chooses where the cursor cannot move; the arrow keys are pressed in test_conflicts."""

from __future__ import annotations

import io
import sys

import pytest

from devinit.cli.prompts import select_by_number

CHOICES = [("move", "move to 8001"), ("kill", "kill 4242 (vite)"), ("abort", "abort")]


class TestATerminalThatCannotMoveTheCursor:
    @pytest.mark.parametrize(
        ("typed", "chosen"),
        [("\n", "move"), ("2\n", "kill"), ("9\nx\n3\n", "abort"), ("q\n", "abort"), ("", "abort")],
    )
    def test_is_asked_for_a_number(self, typed: str, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))

        assert select_by_number("Which?", CHOICES) == chosen

    def test_gets_the_safe_choice_for_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))

        assert select_by_number("Which?", CHOICES, "kill") == "kill"

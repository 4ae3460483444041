"""Specifies how a person chooses where the cursor cannot move; the arrow keys are pressed in test_conflicts."""

from __future__ import annotations

import io
import sys

import pexpect
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


SIGNALLED = """
import os, signal, sys
from prompt_toolkit.renderer import Renderer
from devinit.cli.prompts import select_by_arrows
from devinit.cli.{module} import {names}

render, drawn = Renderer.render, []

def killed(*arguments, **named):
    drawn.append(1)
    if len(drawn) == 2:
        os.kill(os.getpid(), signal.SIGTERM)
    return render(*arguments, **named)

Renderer.render = killed
{act}
"""
ASK = "select_by_arrows('Which?', [('move', 'move to 8001'), ('abort', 'abort')], None, '')"


class TestASignal:
    """One that comes while the question is drawn: asyncio takes what its handler raises for an error of that step."""

    @pytest.mark.parametrize(
        ("module", "names", "act"),
        [
            ("leaving", "until_left", f"print('code', until_left(lambda: {ASK}))"),
            (
                "terminated",
                "Terminable",
                (
                    "from devinit.errors import Termination\n"
                    f"try:\n    with Terminable(): {ASK}\nexcept Termination: print('code', 0)"
                ),
            ),
        ],
    )
    def test_ends_the_question(self, module: str, names: str, act: str) -> None:
        code = SIGNALLED.format(module=module, names=names, act=act)
        child = pexpect.spawn(sys.executable, ["-c", code], encoding="utf-8", timeout=60)

        child.expect("abort")
        child.send("\x1b[B")

        child.expect("code 0")
        child.expect(pexpect.EOF)

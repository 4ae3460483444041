"""Specifies what a person is told about a taken port, and offered."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from devinit.cli.output import Paint
from devinit.cli.prompts import choices_of, facts_of, select_by_number

CHOICES = [("move", "move to 8001"), ("kill", "kill 4242 (vite)"), ("abort", "abort")]


def holder(*command: str, pid: int = 4242) -> dict[str, Any]:
    identity = {"pid": pid, "start_time": 1, "boot_id": "x"}
    about = {"name": "node", "user": "ann", "directory": "/home/ann/shop", "age_seconds": 90}
    return {"identity": identity, "command": list(command), **about}


def conflict(*holders: dict[str, Any], **more: Any) -> dict[str, Any]:
    known = {"service": "backend", "port": 8000, "summary": "held by vite", "holders": list(holders)}
    return {
        **known,
        "owner": None,
        "advice": "",
        "problem": "",
        "killable": bool(holders),
        "move_to": 8001,
        **more,
    }


class TestTheFacts:
    def facts(self, found: dict[str, Any]) -> list[str]:
        return list(facts_of(found, Paint(io.StringIO())))

    def test_say_who_holds_the_port_since_when_and_where(self) -> None:
        assert self.facts(conflict(holder("vite", "--port", "8000"))) == [
            "Port 8000, which backend wants, is held by vite:",
            "  vite --port 8000",
            "    pid 4242, user ann, for 90.0 s, in /home/ann/shop",
        ]

    def test_say_why_a_holder_is_protected(self) -> None:
        found = self.facts(conflict(holder("sshd"), advice="an SSH connection", killable=False))

        assert found[-1] == "  an SSH connection"

    def test_cannot_command_the_terminal(self) -> None:
        assert "\x1b" not in "".join(self.facts(conflict(holder("sh", "\x1b[2J\nrm"))))


class TestTheChoices:
    def test_begin_with_the_safe_one(self) -> None:
        assert choices_of(conflict(holder("vite")), 80) == [
            ("move", "move to 8001"),
            ("kill", "kill 4242 (vite)"),
            ("retry", "try again"),
            ("abort", "abort"),
        ]

    def test_do_not_offer_what_cannot_be_done(self) -> None:
        kinds = [kind for kind, _ in choices_of(conflict(killable=False, move_to=None), 80)]

        assert kinds == ["retry", "abort"]

    def test_fit_the_terminal(self) -> None:
        long = conflict(holder("node", "x" * 300), holder("node", "y" * 300, pid=7))

        texts = [text for _, text in choices_of(long, 40)]

        assert max(map(len, texts)) <= 37
        assert texts[1].endswith("…) and 1 more")


class TestATerminalThatCannotMoveTheCursor:
    @pytest.mark.parametrize(
        ("typed", "chosen"), [("\n", "move"), ("2\n", "kill"), ("9\nx\n3\n", "abort"), ("", "abort")]
    )
    def test_is_asked_for_a_number(self, typed: str, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))

        assert select_by_number("Which?", CHOICES) == chosen

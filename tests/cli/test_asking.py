"""Specifies who decides about a taken port."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from devinit.cli.arguments import module_of, read
from devinit.cli.asking import can_ask, policy_of
from devinit.errors import UsageError

if TYPE_CHECKING:
    from tests.cli.conftest import MakePty


def policy(*words: str) -> str:
    return policy_of(read(module_of("start"), "start", list(words), None))


class TestWithoutATerminal:
    def test_a_port_moves(self) -> None:
        assert policy() == "move"

    def test_a_port_moves_even_if_somebody_should_be_asked(self) -> None:
        assert policy("--on-conflict", "ask") == "move"

    def test_force_kills(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert policy("--force") == "kill"
        monkeypatch.setenv("FORCE_MODE", "true")
        assert policy() == "kill"

    def test_an_option_counts_more_than_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FORCE_MODE", "true")
        monkeypatch.setenv("DEVINIT_ON_CONFLICT", "kill")

        assert policy("--on-conflict", "fail") == "fail"

    def test_the_environment_decides(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DEVINIT_ON_CONFLICT", "fail")

        assert policy() == "fail"

    def test_a_slip_in_the_environment_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DEVINIT_ON_CONFLICT", "kil")

        with pytest.raises(UsageError, match="DEVINIT_ON_CONFLICT=kil"):
            policy()

    def test_force_and_a_policy_contradict_each_other(self) -> None:
        with pytest.raises(UsageError, match="not allowed with argument --force"):
            policy("--force", "--on-conflict", "move")


class TestAtATerminal:
    def sit_down(self, make_pty: MakePty, monkeypatch: pytest.MonkeyPatch) -> None:
        # Not in a fixture: pytest sets its own streams between that and the test.
        stream = make_pty(80, 24).stream
        monkeypatch.setattr(sys, "stdin", stream)
        monkeypatch.setattr(sys, "stderr", stream)

    def test_a_person_is_asked(self, make_pty: MakePty, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sit_down(make_pty, monkeypatch)

        assert policy() == "ask"

    def test_nobody_is_asked_when_a_program_reads(
        self, make_pty: MakePty, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.sit_down(make_pty, monkeypatch)

        assert not can_ask(read(module_of("start"), "start", ["--json"], None))
        assert policy("--json") == "move"

"""Specifies the terminal's other screen: what it shows, what a key does meanwhile, and how it is left."""

from __future__ import annotations

import os
import termios
from typing import TYPE_CHECKING

import pytest

from devinit.system import alternate_screen
from devinit.system.alternate_screen import BEGIN, LEAVE, AlternateScreen, with_silent_keys

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The other side of a terminal that is ours."""
    ours, its = os.openpty()
    monkeypatch.setattr(alternate_screen, "INPUT", its)
    monkeypatch.setattr(alternate_screen, "show", lambda data: os.write(its, data))
    yield ours
    os.close(ours)
    os.close(its)


class TestTheOtherScreen:
    def test_keeps_what_is_typed_and_does_not_show_it(self, terminal: int) -> None:
        screen = AlternateScreen()

        assert screen.enter()
        os.write(terminal, b"q")

        assert os.read(terminal, 100) == BEGIN
        assert os.read(alternate_screen.INPUT, 1) == b"q"

    def test_is_left_as_the_terminal_was(self, terminal: int) -> None:
        before = termios.tcgetattr(alternate_screen.INPUT)
        screen = AlternateScreen()

        screen.enter()
        screen.leave()
        screen.leave()

        assert os.read(terminal, len(BEGIN)) + os.read(terminal, 100) == BEGIN + LEAVE
        assert termios.tcgetattr(alternate_screen.INPUT) == before

    def test_is_left_alone_once_it_was_given_away(self, terminal: int) -> None:
        before = termios.tcgetattr(alternate_screen.INPUT)
        screen = AlternateScreen()
        screen.enter()

        assert screen.give_away() == before
        screen.leave()

        assert os.read(terminal, 100) == BEGIN
        assert screen.give_away() is None

    def test_is_not_entered_without_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reading, writing = os.pipe()
        monkeypatch.setattr(alternate_screen, "INPUT", reading)
        try:
            assert not AlternateScreen().enter()
        finally:
            os.close(reading)
            os.close(writing)

    def test_lets_a_key_interrupt_and_none_halt(self, terminal: int) -> None:
        before = termios.tcgetattr(alternate_screen.INPUT)

        silent = with_silent_keys(before)

        assert silent[3] & termios.ISIG
        assert not silent[3] & termios.ECHO
        assert silent[6][termios.VSUSP] == b"\x00"
        assert silent[6][termios.VINTR] == before[6][termios.VINTR]

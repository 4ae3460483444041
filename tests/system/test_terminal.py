"""Specifies what passes the one door to standard output, standard error and the terminal."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from devinit.system import terminal

EVIL = "a\x1b[2Jb\u202ec \x1b[32mgreen\x1b[0m --password hunter2"


class Screen(io.StringIO):
    """A terminal that keeps what it receives."""

    def isatty(self) -> bool:
        return True


class TestALine:
    def test_has_only_colours_left_at_a_terminal(self) -> None:
        screen = Screen()

        terminal.write(screen, [EVIL])

        assert screen.getvalue() == "abc \x1b[32mgreen\x1b[0m --password ***\x1b[0m\n"

    def test_has_not_even_colours_left_elsewhere(self) -> None:
        file = io.StringIO()

        terminal.write(file, [EVIL])

        assert file.getvalue() == "abc green --password ***\n"

    def test_may_lose_more_than_what_is_recognised_anyhow(self) -> None:
        file = io.StringIO()

        terminal.write(file, ["the shop is open"], lambda text: text.replace("shop", "***"))

        assert file.getvalue() == "the *** is open\n"

    def test_in_our_colours_needs_no_patterns(self) -> None:
        code = (
            "import sys\n"
            "from devinit.text import coloured\n"
            "assert coloured('\\x1b[32m✓\\x1b[0m up \\x1b[2mhttp://localhost\\x1b[0m').endswith('m')\n"
            "assert 're' not in sys.modules"
        )

        subprocess.run([sys.executable, "-S", "-c", code], check=True, timeout=60)


class TestAPicture:
    def test_moves_the_cursor_and_nothing_in_it_does(self) -> None:
        screen = Screen()

        terminal.draw(screen, 2, [EVIL], ["web \x1b[9Aready"])

        assert screen.getvalue() == (
            "\r\x1b[2A\x1b[Jabc \x1b[32mgreen\x1b[0m --password ***\x1b[0m\nweb ready\x1b[K\n\x1b[J"
        )


class TestAQuestion:
    def test_leaves_the_cursor_behind_it(self) -> None:
        screen = Screen()

        terminal.prompt(screen, "choose\x1b[2J: ")

        assert screen.getvalue() == "choose: "


class TestData:
    def test_is_the_same_to_the_letter_for_a_program(self, monkeypatch: pytest.MonkeyPatch) -> None:
        file = io.StringIO()
        monkeypatch.setattr(sys, "stdout", file)

        terminal.data(EVIL)

        assert file.getvalue() == EVIL

    def test_is_harmless_and_complete_at_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        screen = Screen()
        monkeypatch.setattr(sys, "stdout", screen)

        terminal.data(EVIL)

        assert screen.getvalue() == "abc green --password hunter2"

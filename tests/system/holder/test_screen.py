"""Specifies what of a terminal's output is logged, and what a viewer is shown who comes later."""

from __future__ import annotations

import pytest

from devinit.system.holder.screen import KEPT_BYTES, Screen


def screen() -> Screen:
    return Screen(lambda: "vim")


class TestWhatIsLogged:
    def test_a_line_ends_with_a_line_feed(self) -> None:
        assert screen().take(b"one\r\ntwo\r\r\nthree\r\n") == b"one\ntwo\nthree\n"

    def test_a_carriage_return_between_two_pieces_is_one_with_its_line_feed(self) -> None:
        shown = screen()

        assert [shown.take(b"one\r"), shown.take(b"\ntwo\r\n")] == [b"one", b"\ntwo\n"]

    def test_progress_that_overwrites_itself_keeps_its_carriage_returns(self) -> None:
        assert screen().take(b"10%\r100%\r\n") == b"10%\r100%\n"

    def test_colours_stay(self) -> None:
        assert screen().take(b"\x1b[31mred\x1b[0m\r\n") == b"\x1b[31mred\x1b[0m\n"

    @pytest.mark.parametrize("mode", [b"1049", b"47", b"1047", b"1;1049;25"])
    def test_one_line_stands_for_all_that_is_shown_on_the_whole_screen(self, mode: bytes) -> None:
        data = b"$ vim\r\n\x1b[?%bh~\r\n~\r\nfile\x1b[?%blafter\r\n" % (mode, mode)

        assert screen().take(data) == b"$ vim\n--- full screen: vim ---\nafter\n"

    def test_that_line_begins_on_a_line_of_its_own(self) -> None:
        assert screen().take(b"> \x1b[?1049hx\x1b[?1049l") == b"> \n--- full screen: vim ---\n"

    def test_a_sequence_may_come_in_pieces(self) -> None:
        shown = screen()
        data = b"a\r\n\x1b[?1049hsecret\x1b[?1049lb\r\n"

        logged = b"".join(shown.take(data[index : index + 1]) for index in range(len(data)))

        assert logged == b"a\n--- full screen: vim ---\nb\n"

    def test_what_only_begins_like_a_sequence_is_logged(self) -> None:
        shown = screen()

        assert (
            shown.take(b"a\x1b[?" + b"1" * 100) + shown.take(b" b\r\n") == b"a\x1b[?" + b"1" * 100 + b" b\n"
        )


class TestWhatAViewerIsShown:
    def test_the_last_lines(self) -> None:
        shown = screen()
        shown.take(b"one\r\ntwo\r\nthree\r\n>>> ")

        assert shown.replay(2) == b"three\r\n>>> "

    def test_no_more_than_there_is(self) -> None:
        shown = screen()
        shown.take(b"one\r\n>>> ")

        assert shown.replay(100) == b"one\r\n>>> "

    def test_whole_lines_of_what_is_kept(self) -> None:
        shown = screen()
        for number in range(20_000):
            shown.take(b"line %d\r\n" % number)

        replayed = shown.replay(65535)

        assert len(replayed) <= KEPT_BYTES
        assert all(line.startswith(b"line ") for line in replayed.splitlines())
        assert replayed.endswith(b"line 19999\r\n")

    def test_nothing_of_a_program_that_filled_the_screen_and_has_left_it(self) -> None:
        shown = screen()
        shown.take(b"a\r\n\x1b[?1049h~~~\x1b[?1049l> ")

        assert shown.replay(10) == b"a\r\n> "

    def test_the_screen_of_a_program_that_fills_it_which_paints_it_again(self) -> None:
        shown = screen()
        shown.take(b"a\r\n\x1b[?1049h\x1b[?25l\x1b[?1006h~~~")

        assert shown.replay(10) == b"\x1b[?1049h\x1b[?25l\x1b[?1006h"

    def test_the_modes_that_are_on(self) -> None:
        shown = screen()
        shown.take(b"\x1b[?2004h\x1b[?1000h" + b"x\r\n" * 10)

        assert shown.replay(1).endswith(b"\x1b[?1000h\x1b[?2004h")

    def test_no_question_that_its_terminal_would_answer(self) -> None:
        shown = screen()
        shown.take(b"\x1b[6n\x1b[c> ")

        assert shown.replay(1) == b"> "


class TestWhatIsUndone:
    def test_all_that_was_switched_on(self) -> None:
        shown = screen()
        shown.take(b"\x1b[?1049h\x1b[?25l\x1b[?1000;1006h\x1b[?2004h")

        undone = shown.undone()

        assert undone.startswith(b"\x1b[?1049l")
        assert all(each in undone for each in (b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1006l", b"\x1b[?2004l"))

    def test_the_reporting_of_keys_as_numbers(self) -> None:
        shown = screen()
        shown.take(b"\x1b[>4;2m")

        assert b"\x1b[>4m" in shown.undone()
        shown.take(b"\x1b[>1u")
        assert b"\x1b[<u" in shown.undone()
        shown.take(b"\x1b[>c")
        assert b"\x1b[<u" in shown.undone()

    def test_what_programs_that_were_killed_leave_behind(self) -> None:
        shown = screen()
        shown.take(b"\x1b(0\x1b[5;10r\x1b[4h\x1b[?1016h")

        undone = shown.undone()

        # The whole screen scrolls, which would move the cursor; insert mode, line drawing, the mouse.
        assert all(
            each in undone for each in (b"\x1b7\x1b[r\x1b8", b"\x1b[4l", b"\x1b(B\x0f", b"\x1b[?1016l")
        )

    def test_no_mode_with_a_number_that_there_is_not(self) -> None:
        shown = screen()

        shown.take(b"\x1b[?" + b"1" * 5000 + b"h\x1b[?2004h")

        assert b"\x1b[?2004l" in shown.undone()

    def test_nothing_that_was_not(self) -> None:
        shown = screen()
        shown.take(b"\x1b[?2004hx\x1b[?2004l")

        assert b"?" not in shown.undone()

"""Specifies how text from somewhere else is made safe for a terminal, and made to fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinit.text import coloured, cut, harmless, last_state, linked, one_line, pad, plain, width

if TYPE_CHECKING:
    from collections.abc import Callable

SEQUENCES = {
    "clear the screen": "\x1b[2J",
    "move the cursor": "\x1b[10;20H",
    "hide the cursor": "\x1b[?25l",
    "set the title": "\x1b]0;owned\x07",
    "set the title, ended otherwise": "\x1b]0;owned\x1b\\",
    "query the terminal": "\x1b[c",
    "device control": "\x1bP$q\x1b\\",
    "reset the terminal": "\x1bc",
    "another character set": "\x1b(0",
    "ring": "\x07",
    "go back": "\b\b",
    "NUL": "\0",
    "8-bit CSI": "\x9b2J",
    "write from right to left": "\u202e",
    "embed left to right": "\u202a",
    "embed right to left": "\u202b",
    "end an embedding": "\u202c",
    "write from left to right": "\u202d",
    "isolate left to right": "\u2066",
    "isolate right to left": "\u2067",
    "isolate by the first letter": "\u2068",
    "end an isolate": "\u2069",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "Arabic letter mark": "\u061c",
}


class TestWhatATerminalWouldObey:
    @pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES.keys())
    def test_is_not_let_through(self, sequence: str) -> None:
        rest = "2J" if sequence == "\x9b2J" else ""

        assert plain(f"a{sequence}b") == coloured(f"a{sequence}b") == f"a{rest}b"
        assert harmless(linked(f"a{sequence}b")) == f"a{rest}b"

    def test_is_let_through_when_it_is_a_colour(self) -> None:
        assert coloured("\x1b[1;31mred\x1b[0m") == "\x1b[1;31mred\x1b[0m"

    def test_ends_with_the_line_when_the_service_does_not_end_it(self) -> None:
        assert coloured("\x1b[38;5;9mred").endswith("red\x1b[0m")

    def test_is_cut_with_the_line_when_it_never_ends(self) -> None:
        assert plain("before\x1b]0;title\nafter") == "before\nafter"

    def test_is_not_composed_of_what_is_left(self) -> None:
        halves = b"\xc2\x1b[m\x9b2J".decode(errors="surrogateescape")

        assert plain(halves).encode(errors="surrogateescape") == "\ufffd\ufffd2J".encode()

    def test_leaves_an_emoji_of_several_characters_whole(self) -> None:
        family = "👩\u200d👧"

        assert plain(f"a\x07{family}") == f"a{family}"

    def test_leaves_tabs_and_letters_of_all_languages(self) -> None:
        assert plain("a\tж 漢 é") == "a\tж 漢 é"


class TestASecret:
    @pytest.mark.parametrize("shown", [plain, one_line])
    def test_is_not_shown(self, shown: Callable[[str], str]) -> None:
        assert shown("vite --token hunter2 \x1b[2J--port 3000") == "vite --token *** --port 3000"

    def test_is_not_recognised_in_halves_so_it_is_hidden_before_a_text_is_cut(self) -> None:
        assert (
            cut(one_line("postgresql://shop:hunter2hunter2@127.0.0.1:5432/shop"), 24)
            == "postgresql://shop:***@1…"
        )

    def test_stays_where_a_text_is_only_made_harmless(self) -> None:
        assert harmless("PASSWORD=hunter2\x1b[2J") == "PASSWORD=hunter2"


class TestALineThatWasWrittenOver:
    def test_shows_its_last_state(self) -> None:
        assert last_state("10%\r50%\r100%") == "100%"

    def test_shows_the_state_before_a_carriage_return_at_its_end(self) -> None:
        assert last_state("10%\r50%\r") == "50%"


class TestOneLine:
    def test_joins_what_has_line_breaks(self) -> None:
        assert one_line("python -c 'import a\n  b\r\n' \x1b[2J x") == "python -c 'import a b ' x"


class TestTheWidth:
    @pytest.mark.parametrize(
        ("text", "cells"), [("abc", 3), ("é", 1), ("e\u0301", 1), ("漢字", 4), ("🚀", 2), ("a\u200bb", 2)]
    )
    def test_counts_cells(self, text: str, cells: int) -> None:
        assert width(text) == cells

    def test_is_what_padding_reaches(self) -> None:
        assert pad("漢", 4) == "漢  "


class TestCutting:
    def test_leaves_what_fits(self) -> None:
        assert cut("abcdef", 6) == "abcdef"

    def test_shows_that_something_is_missing(self) -> None:
        assert cut("abcdefg", 6) == "abcde…"

    def test_never_splits_a_wide_character(self) -> None:
        assert cut("漢字漢字", 6) == "漢字…"
        assert cut("漢字漢字", 7) == "漢字漢…"

    def test_leaves_nothing_where_there_is_no_room(self) -> None:
        assert cut("abc", 0) == ""


class TestALink:
    PAGE = "\x1b]8;;https://a.b/c\x1b\\"
    END = "\x1b]8;;\x1b\\"

    @pytest.mark.parametrize(
        "text",
        [
            "\x1b]8;id=7;https://a.b/c\x07page\x1b]8;;\x07 next",
            "\x1b]8;;https://a.b/c\x1b\\page\x1b]8;;\x1b\\ next",
        ],
    )
    def test_to_a_page_is_kept_in_one_form(self, text: str) -> None:
        assert linked(text) == f"{self.PAGE}page{self.END} next\x1b[0m"
        assert coloured(text) == "page next"

    def test_ends_with_the_text(self) -> None:
        assert linked("\x1b]8;;https://a.b/c\x07page") == f"{self.PAGE}page{self.END}\x1b[0m"

    def test_keeps_its_colours(self) -> None:
        text = "\x1b]8;;https://a.b/c\x07\x1b[31mpage\x1b[0m\x1b]8;;\x07"

        assert linked(text) == f"{self.PAGE}\x1b[31mpage\x1b[0m{self.END}\x1b[0m"

    @pytest.mark.parametrize(
        "address",
        [
            "file:///etc/passwd",
            "javascript:x",
            "https://a b",
            "https://a\x9cb",
            "https://\u202eb",
            "x" * 9000,
        ],
    )
    def test_to_anything_else_is_none(self, address: str) -> None:
        assert "\x1b]" not in linked(f"\x1b]8;;{address}\x07page\x1b]8;;\x07")

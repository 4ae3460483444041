"""Specifies what programs ask a terminal, and what is answered where none is there."""

from __future__ import annotations

import pytest

from devinit.system.holder.queries import Quiet, answers_to, without_queries

QUERIES = [
    b"\x1b[6n", b"\x1b[5n", b"\x1b[?6n", b"\x1b[c", b"\x1b[0c", b"\x1b[>c", b"\x1b[=c", b"\x1b[>q", b"\x1b[?u",
    b"\x1b[?2026$p", b"\x1b[18t", b"\x1b]11;?\x07", b"\x1b]4;1;?\x1b\\", b"\x1b]52;c;?\x07", b"\x1bP$qm\x1b\\",
    b"\x1bP+q544e\x1b\\", b"\x1bZ",
]  # fmt: skip
NO_QUERIES = [
    b"\x1b[31m", b"\x1b[2J", b"\x1b[?25l", b"\x1b]0;a title\x07", b"\x1b]8;;http://localhost/?a\x1b\\link",
    b"\x1b[8;24;80t", b"\x1b[>1u", b"\x1b(B", b"\x1b7",
]  # fmt: skip


class TestWhatIsShownAgain:
    @pytest.mark.parametrize("query", QUERIES)
    def test_has_no_questions(self, query: bytes) -> None:
        assert without_queries(b"before " + query + b" after") == b"before  after"

    @pytest.mark.parametrize("sequence", NO_QUERIES)
    def test_has_everything_else(self, sequence: bytes) -> None:
        assert without_queries(b"before " + sequence + b" after") == b"before " + sequence + b" after"

    def test_may_come_in_pieces(self) -> None:
        quiet = Quiet()
        data = b"a\x1b[6nb\x1b[31mc"

        assert b"".join(quiet.take(data[index : index + 1]) for index in range(len(data))) == b"ab\x1b[31mc"


class TestAnAnswer:
    def test_says_that_the_cursor_is_in_the_corner(self) -> None:
        assert answers_to(b"prompt\x1b[6n") == b"\x1b[1;1R"

    def test_comes_once_for_each_question(self) -> None:
        assert answers_to(b"\x1b[6n\x1b[6n") == b"\x1b[1;1R" * 2

    def test_comes_for_a_question_in_two_pieces(self) -> None:
        assert answers_to(b"n", b"\x1b[6") == b"\x1b[1;1R"

    def test_comes_once_for_a_question_that_was_seen(self) -> None:
        assert answers_to(b"x", b"\x1b[c") == b""

    def test_comes_for_nothing_else(self) -> None:
        assert answers_to(b"\x1b[31mred\x1b[0m 6n c") == b""

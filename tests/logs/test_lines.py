"""Specifies what a line is, wherever blocks end and whatever a program prints."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from devinit.logs.lines import LONGEST_LINE, ReversedLine, Splitter, text_of


def split(*blocks: bytes) -> list[str]:
    """Return the lines of blocks that come one after the other, and the one that has not ended."""
    splitter = Splitter()
    lines = [text_of(line, missing) for block in blocks for _, line, missing in splitter.split(block)]
    return lines + [text_of(line, missing) for _, line, missing in filter(None, [splitter.unfinished()])]


class TestText:
    @pytest.mark.parametrize(
        ("line", "text"),
        [
            (b"plain", "plain"),
            ("漢字 ✓".encode(), "漢字 ✓"),
            (b"caf\xe9 \xff\xfe", "caf\ufffd \ufffd\ufffd"),
            (b"nul \0 here", "nul \0 here"),
            (b"of Windows\r", "of Windows"),
            (b"10%\r50%\r100%", "100%"),
            (b"100%\r", "100%"),
        ],
    )
    def test_is_what_the_line_says_whatever_bytes_it_has(self, line: bytes, text: str) -> None:
        assert text_of(line) == text

    def test_of_a_line_that_was_cut_says_how_much_is_missing_and_breaks_no_character(self) -> None:
        assert text_of("né".encode()[:2], 934_464) == "n… [934,464 more bytes in the log file]"


class TestBlocks:
    @given(
        some.lists(some.text(alphabet="ab漢\t", max_size=8), min_size=1, max_size=20),
        some.lists(some.integers(0, 200)),
    )
    def test_may_end_anywhere(self, lines: list[str], cuts: list[int]) -> None:
        data = "".join(f"{line}\n" for line in lines).encode()
        places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
        blocks = [data[start:end] for start, end in pairwise(places)]

        assert split(*blocks) == lines

    def test_tell_where_each_line_ends(self) -> None:
        splitter = Splitter(100)

        found = [*splitter.split(b"one\ntw"), *splitter.split(b"o\n\nthr")]

        assert [(end, line) for end, line, _ in found] == [(104, b"one"), (108, b"two"), (109, b"")]
        assert splitter.position == 112

    def test_that_begin_inside_a_line_leave_it_out(self) -> None:
        splitter = Splitter(50, inside_a_line=True)

        assert [line for _, line, _ in splitter.split(b"its end\nnext\n")] == [b"next"]


class TestALineWithoutEnd:
    def test_takes_no_more_memory_than_what_is_shown_of_it(self) -> None:
        splitter = Splitter()
        for _ in range(100):
            assert list(splitter.split(b"x" * 65_536)) == []

        end, line, missing = splitter.unfinished() or (0, b"", 0)

        assert (end, len(line), missing) == (100 * 65_536, LONGEST_LINE, 99 * 65_536)

    def test_shows_its_last_state_when_it_is_written_over(self) -> None:
        assert split(*[b"%d%%\r" % percent * 1000 for percent in range(101)]) == ["100%"]

    def test_is_a_progress_bar_also_when_a_long_text_came_before(self) -> None:
        assert split(b"x" * 100_000, b"\r100%") == ["100%"]


class TestALineThatIsReadFromItsEnd:
    @given(some.binary(max_size=60), some.lists(some.integers(0, 60)))
    def test_is_the_same_as_one_that_is_read_from_its_beginning(self, data: bytes, cuts: list[int]) -> None:
        data = data.replace(b"\n", b"")
        places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
        line = ReversedLine()
        for start, end in reversed(list(pairwise(places))):
            line.add(data[start:end])

        assert text_of(*line.finish()) == text_of(data)

    def test_keeps_its_beginning_when_it_is_too_long(self) -> None:
        line = ReversedLine()
        for _ in range(100):
            line.add(b"x" * 65_536)
        line.add(b"begin ")

        kept, missing = line.finish()

        assert kept == b"begin " + b"x" * (LONGEST_LINE - 6)
        assert missing == 100 * 65_536 + 6 - LONGEST_LINE

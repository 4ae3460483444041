"""Specifies how structured lines and tracebacks are shown: on one row first, with all that they say on a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinit.dashboard.lines.feed import Piece
from devinit.dashboard.lines.store import Store
from devinit.dashboard.lines.view import LogView
from devinit.logs.levels import Level
from devinit.logs.lines import Line
from tests.dashboard.conftest import NOON

if TYPE_CHECKING:
    from tests.dashboard.conftest import Desk, Open

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("another_home")]
PAID = '{"level":30,"time":1790000000123,"pid":7,"msg":"paid","order":17}'
FAILED = '{"level":50,"time":1790000000123,"pid":7,"msg":"cannot pay","order":17}'
TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "app.py", line 3, in f',
    "    pay()",
    "LookupError: no such order",
)
REQUEST = 'INFO:     127.0.0.1:40404 - "GET /hidden HTTP/1.1" 200 OK'


async def says(desk: Desk, *texts: str, service: str = "backend") -> None:
    lines = [Line(text, NOON + 60 + number) for number, text in enumerate(texts)]
    desk.app._add_lines([Piece(service, lines)])
    await desk.pilot.pause()


def rows(desk: Desk) -> list[str]:
    """Return the rows of the log pane as they are painted."""
    pane = desk.main.log_pane
    top, height = pane.scroll_offset.y, pane.size.height
    return [
        "".join(segment.text for segment in pane.render_line(y)).strip()
        for y in range(min(height, len(pane.view.rows) - top))
    ]


class TestAStructuredLine:
    async def test_shows_level_time_and_message_first(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, PAID)

            assert rows(desk)[-1] == "INFO  14:13:20 paid  order=17"

    async def test_leaves_its_own_time_out_beside_the_one_at_which_it_was_printed(
        self, open_desk: Open
    ) -> None:
        async with open_desk() as desk:
            await says(desk, PAID)
            await desk.press("t")

            assert rows(desk)[-1] == "14:14:20 INFO  paid  order=17"

    async def test_is_unfolded_and_folded_where_the_cursor_is(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, PAID, PAID)
            await desk.press("tab", "k", "k")
            await desk.press("F")

            assert [row for row in rows(desk) if "pid" in row] == ["pid    7"]
            await desk.press("enter")
            assert [row for row in rows(desk) if "pid" in row] == []

    async def test_is_unfolded_with_all_others_while_the_end_is_followed(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, PAID, FAILED)
            await desk.press("F")

            assert [row.strip("▎ ") for row in rows(desk)[-6:]] == [
                "INFO  14:13:20 paid",
                "pid    7",
                "order  17",
                "ERROR 14:13:20 cannot pay",
                "pid    7",
                "order  17",
            ]

    async def test_that_has_nothing_to_unfold_says_so(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, "plain")
            await desk.press("tab", "k", "F")

            assert [notice.message for notice in desk.app._notifications] == [
                "this line has nothing to unfold"
            ]

    async def test_is_copied_as_it_was_printed(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, PAID)
            await desk.press("y")

            assert desk.app.clipboard == PAID

    async def test_is_found_by_what_is_seen_and_by_what_was_printed(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, PAID)

            await desk.press("slash", *"order=17", "enter")
            assert desk.main.log_pane.match is not None
            await desk.press("slash", *'r":17', "enter")
            assert desk.main.log_pane.match is not None

    async def test_counts_as_an_error_by_its_level(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, PAID, FAILED, PAID)
            await desk.press("E")

            assert desk.main.log_pane.line_text() == FAILED

    async def test_obeys_nothing_that_its_escapes_hold(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, r'{"level":30,"msg":"a\u001b[2Jb\u001b]0;t\u0007c","x":"\u009b2J"}')
            await desk.press("F")

            assert "INFO  abc" in desk.text()
            assert not {"\x1b", "\x9b", "\x07"} & set(desk.text())


class TestATraceback:
    async def test_is_one_row_with_what_happened(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, *TRACEBACK, "next")

            assert rows(desk)[-2:] == ["▎LookupError: no such order  ▸ 4 lines", "next"]

    async def test_is_unfolded_by_a_key_and_copied_as_a_whole(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, *TRACEBACK)
            await desk.press("y")
            assert desk.app.clipboard == "\n".join(TRACEBACK)

            await desk.press("tab", "k", "F")

            assert [row.strip("▎ ") for row in rows(desk)[-4:]] == [line.strip() for line in TRACEBACK]

    async def test_that_comes_bit_by_bit_and_among_others_is_the_same(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("a")
            for line in TRACEBACK:
                await says(desk, line)
                await says(desk, "meanwhile", service="frontend")

            shown = [row for row in rows(desk) if "LookupError" in row or "File" in row or "pay()" in row]
            assert len(shown) == 1
            assert "LookupError: no such order  ▸ 4 lines" in shown[0]

    async def test_is_unfolded_where_a_search_finds_something_in_it(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, *TRACEBACK)
            await desk.press("slash", *"pay\\(", "enter")

            assert "pay()" in desk.main.log_pane.line_text()

    def test_is_shown_whole_where_a_filter_matches_one_line(self) -> None:
        import re

        view, store = LogView(), Store()
        view.filter = re.compile("LookupError")

        view.add(store.add([Piece("web", [Line(text, NOON) for text in ("before", *TRACEBACK, "after")])]))

        assert [view.text_of(row) for row in view.rows] == ["LookupError: no such order"]
        assert view.text(0, 0) == "\n".join(TRACEBACK)


class TestTheLevel:
    async def test_goes_from_step_to_step_for_each_service(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, PAID, FAILED, '{"level":20,"msg":"detail"}')
            await desk.press("L")
            assert "info and above" in desk.text()
            assert "detail" not in desk.text()

            await desk.press("L")
            assert "warning and above" in desk.text()
            assert [line for line in desk.logs() if line in (PAID, FAILED)] == [FAILED]

            desk.main.table.select("frontend")
            await desk.pilot.pause()
            assert "warning and above" not in desk.text()

            desk.main.table.select("backend")
            await desk.pilot.pause()
            assert "warning and above" in desk.text()

            await desk.press("L", "L")
            assert desk.main.choice.level is None
            assert PAID in desk.logs()

    async def test_lets_no_lower_line_through_that_comes_later(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("L", "L", "L")
            assert desk.main.choice.level is Level.ERROR
            await says(desk, PAID, FAILED)

            assert desk.logs()[-1] == FAILED
            assert PAID not in desk.logs()


class TestRequests:
    async def test_are_left_out_and_shown_again(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, REQUEST)
            await desk.press("A")
            assert "no requests" in desk.text()
            assert REQUEST not in desk.logs()

            await says(desk, REQUEST)
            assert REQUEST not in desk.logs()

            await desk.press("A")
            assert desk.logs()[-2:] == [REQUEST, REQUEST]

    async def test_filters_are_kept_for_each_service(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("f", *"items", "enter")
            assert len(desk.logs()) == 1

            desk.main.table.select("frontend")
            await desk.pilot.pause()
            assert len(desk.logs()) == 2

            desk.main.table.select("backend")
            await desk.pilot.pause()
            assert len(desk.logs()) == 1

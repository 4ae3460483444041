"""Specifies the keys that arrange and mark the services."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.dashboard.conftest import FakeLink, Open

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("another_home")]


class TestMarks:
    async def test_let_one_order_count_for_several(self, open_desk: Open, link: FakeLink) -> None:
        async with open_desk() as desk:
            await desk.press("m", "m", "r")

            assert link.orders[-1][0] == "restart"
            assert link.orders[-1][1]["services"] == ["backend", "frontend"]
            assert "2 marked" in desk.text()
            assert "+● backend" in desk.text()

    async def test_are_taken_away_one_by_one_or_all(self, open_desk: Open, link: FakeLink) -> None:
        async with open_desk() as desk:
            await desk.press("m", "k", "m")
            assert "marked" not in desk.text()

            await desk.press("m", "M", "r")

            assert len(link.orders[-1][1]["services"]) == 1

    async def test_do_not_order_what_none_of_them_can_do(self, open_desk: Open, link: FakeLink) -> None:
        async with open_desk() as desk:
            desk.main.table.select("mailer")
            await desk.press("m", "m", "x")

            assert link.orders == []


class TestTheArrangement:
    async def test_keeps_the_cursor_on_its_service(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("comma", "comma")

            assert desk.main.table.selected == "backend"
            assert desk.text().splitlines()[2].startswith(" ✗ mailer")
            assert "trouble first" in desk.text().splitlines()[0]

    async def test_shows_only_what_matches_until_nothing_is_asked_for(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("semicolon", *"end", "enter")
            assert "postgres" not in desk.text()
            assert "frontend" in desk.text()
            assert "only end" in desk.text()

            await desk.press("semicolon", "backspace", "backspace", "backspace", "enter")

            assert "postgres" in desk.text()

    async def test_refuses_what_no_service_matches(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("semicolon", *"nope", "enter")

            assert "no service matches nope" in desk.text()
            assert "postgres" in desk.text()


class TestGoingToWhatIsWaitedFor:
    async def test_ends_at_the_service_that_everything_waits_for(
        self, open_desk: Open, link: FakeLink
    ) -> None:
        link.services[1] |= {"phase": "waiting", "depends_on": ["mailer"]}
        async with open_desk() as desk:
            await desk.press("b")

            assert desk.main.table.selected == "mailer"
            assert "─ mailer" in desk.text()

    async def test_is_offered_first_by_a_service_that_waits(self, open_desk: Open, link: FakeLink) -> None:
        link.services[1] |= {"phase": "waiting", "depends_on": ["mailer"]}
        async with open_desk(80, 24) as desk:
            assert "b Waits for" in desk.text().splitlines()[-1]


class TestTheGraph:
    async def test_is_a_page_that_follows_what_happens(self, open_desk: Open, link: FakeLink) -> None:
        link.services[1]["depends_on"] = ["postgres"]
        async with open_desk() as desk:
            await desk.press("D")
            await desk.shows("└─ ● postgres")
            link.happens(
                type="phase", service="postgres", phase="failed", previous="ready", reason="gone", pid=None
            )

            await desk.shows("└─ ✗ postgres")


class TestWhatAServiceHasUsed:
    async def test_has_a_line_where_there_is_room(self, open_desk: Open, link: FakeLink) -> None:
        async with open_desk(100, 34) as desk:
            for _ in range(3):
                link.now += 6
                link.comes_back()
                await desk.pilot.pause()
            assert "backend, last 18s  CPU 37%" in desk.text()

            await desk.pilot.resize_terminal(100, 24)
            await desk.pilot.pause()

            assert "backend, last" not in desk.text()

"""Specifies how the dashboard looks: pictures of it at two sizes, on both themes, kept once a developer has looked at them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from devinit.errors import SupervisorError
from tests.dashboard.conftest import CONFLICT, HOLDER, port_question, status

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.dashboard.conftest import Desk, Open

    Matches = Callable[[Desk, str], None]

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("another_home")]


class TestTheMainScreen:
    @pytest.mark.parametrize("theme", ["dark", "light"])
    @pytest.mark.parametrize(("columns", "lines"), [(80, 24), (120, 40)])
    async def test_looks_as_it_did(
        self, open_desk: Open, matches: Matches, columns: int, lines: int, theme: str
    ) -> None:
        async with open_desk(columns, lines, theme=f"devinit-{theme}") as desk:
            matches(desk, f"main-{columns}x{lines}-{theme}")

    async def test_of_all_services_with_times(self, open_desk: Open, matches: Matches) -> None:
        async with open_desk() as desk:
            await desk.press("a", "t")
            matches(desk, "all-services")

    @pytest.mark.parametrize("size", [(1, 1), (10, 3), (24, 8), (40, 10)])
    async def test_survives_a_tiny_terminal_and_comes_back(
        self, open_desk: Open, size: tuple[int, int]
    ) -> None:
        async with open_desk() as desk:
            before = desk.text()
            await desk.pilot.resize_terminal(*size)
            await desk.press("down", "up", "a", "a", "w", "w")
            await desk.pilot.resize_terminal(100, 30)

            while desk.text() != before:  # the test's own time limit is the end of it
                await desk.pilot.pause()

    async def test_without_colours_tells_phases_by_their_shape(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            rows = desk.text().splitlines()[2:8]

            assert [row[1] for row in rows] == ["●", "●", "●", "◐", "✗", "○"]


class TestTheFooter:
    @pytest.mark.parametrize(
        ("columns", "footer"),
        [
            (
                100,
                "x Stop r Restart o Open d Details a All / Search f Filter e Error w Wrap p Ports ? Help q Quit",
            ),
            (80, "x Stop r Restart o Open d Details a All / Search e Error p Ports ? Help q Quit"),
            (70, "x Stop r Restart o Open d Details a All / Search p Ports ? Help q Quit"),
            (60, "x Stop r Restart d Details a All / Search ? Help q Quit"),
            (40, "x Stop r Restart d Details ? Help q Quit"),
            (14, "? Help q Quit"),
        ],
    )
    async def test_keeps_the_keys_that_matter_most(self, open_desk: Open, columns: int, footer: str) -> None:
        async with open_desk(columns, 24) as desk:
            assert desk.text().splitlines()[-1] == footer

    async def test_follows_the_width_of_the_terminal(self, open_desk: Open) -> None:
        async with open_desk(120, 24) as desk:
            await desk.pilot.resize_terminal(40, 24)
            await desk.pilot.pause()
            assert desk.text().splitlines()[-1] == "x Stop r Restart d Details ? Help q Quit"

            await desk.pilot.resize_terminal(120, 24)
            await desk.pilot.pause()
            assert "e Error" in desk.text()

    async def test_keeps_the_way_back_on_a_page(self, open_desk: Open) -> None:
        async with open_desk(24, 24) as desk:
            await desk.press("p")
            await desk.settled()

            assert "Esc Back" in desk.text().splitlines()[-1]


class TestWhatIsSaidInPassing:
    @pytest.mark.parametrize("size", [(60, 20), (80, 24)])
    async def test_covers_nothing_also_when_there_is_a_lot_of_it(
        self, open_desk: Open, size: tuple[int, int]
    ) -> None:
        async with open_desk(*size) as desk:
            before = desk.text().splitlines()
            for number in range(8):
                desk.app.notify(f"a long message about port {number} that says what to do next", title="Said")
            await desk.shows("about port 7")
            said = desk.text().splitlines()

            # The table above and the keys below are where they were, the log ends above what is said.
            assert said[:8] == before[:8]
            assert said[-1] == before[-1]
            assert any("than any terminal" in line or "POST /orders" in line for line in said)
            assert sum("message about" in line for line in said) < size[1] / 3


class TestTheBeginning:
    async def test_says_nothing_of_the_supervisor_before_it_is_known(self, open_desk: Open) -> None:
        link_is_slow = asyncio.Event()
        async with open_desk() as desk:
            assert "connecting" not in desk.text()
        desk.link.reachable = link_is_slow
        async with open_desk() as desk:
            assert "connecting…" in desk.text()
            assert "supervisor" not in desk.text()
            link_is_slow.set()
            await desk.pilot.pause()
            assert "connecting" not in desk.text()
            assert "3 of 6 ready" in desk.text()

    async def test_says_that_the_configuration_cannot_be_read_until_it_can(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.configuration_error = "devinit.toml, line 3: no table"
            desk.link.comes_back()
            await desk.shows(
                "devinit.toml, line 3: no table; the services run as they were configured before"
            )
            assert "● postgres" in desk.text()

            desk.link.configuration_error = None
            desk.link.comes_back()
            await desk.pilot.pause()
            assert "no table" not in desk.text()

    async def test_of_a_project_without_services_says_what_to_do(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.services = []
            desk.link.comes_back()
            await desk.pilot.pause()

            assert "There are no services yet. Add a [services.NAME]" in desk.text()

    async def test_with_a_broken_file_shows_it_as_it_is_written(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.is_refused("devinit.toml, line 1: the line is: [services.web")
            await desk.pilot.pause()

            assert "devinit.toml, line 1: the line is: [services.web\n" in desk.text()
            assert "Ctrl-R tries again." in desk.text()


class TestTheOtherScreens:
    @pytest.mark.parametrize(
        ("name", "key"), [("details", "d"), ("ports", "p"), ("environment", "v"), ("help", "question_mark")]
    )
    async def test_look_as_they_did(self, open_desk: Open, matches: Matches, name: str, key: str) -> None:
        async with open_desk(100, 34) as desk:
            await desk.press(key)
            await desk.settled()
            matches(desk, name)

    async def test_a_conflict(self, open_desk: Open, matches: Matches) -> None:
        async with open_desk(100, 34) as desk:
            desk.link.refusals = [port_question(CONFLICT)]
            await desk.press("r")
            matches(desk, "conflict")

    @pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 10)])
    async def test_a_conflict_shows_the_port_and_every_answer_also_where_there_is_little_room(
        self, open_desk: Open, columns: int, lines: int
    ) -> None:
        parents = [{"pid": pid, "title": "bash /srv/scripts/serve-everything.sh"} for pid in (40, 41, 42)]
        long = {**HOLDER, "command": ["python3", "-m", "http.server", "8000"] * 3, "ancestors": parents}
        async with open_desk(columns, lines) as desk:
            desk.link.refusals = [port_question({**CONFLICT, "holders": [long, long]})]
            await desk.press("r")

            said = desk.text()

            assert "Port 8000" in said
            assert all(answer in said for answer in ("move to 8001", "kill 4121", "try again", "abort"))
            await desk.press(*["pagedown"] * 20)
            assert "BACKEND_URL" in desk.text()
            assert "abort" in desk.text()

    async def test_a_confirmation_shows_its_answers_also_where_there_is_little_room(
        self, open_desk: Open
    ) -> None:
        async with open_desk(40, 10) as desk:
            desk.link.services = [status(f"service-{number}", pid=4000 + number) for number in range(20)]
            desk.link.comes_back()
            await desk.press("X")

            said = desk.text()

            assert "Stop everything?" in said
            assert "No (n)" in said
            assert "Stop (y)" in said


class TestWhatHappens:
    async def test_is_shown_the_moment_it_does(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.happens(
                type="phase", service="docs", phase="starting", previous="stopped", reason=None, pid=4200
            )
            desk.link.happens(type="progress", service="docs", message="building the pages")
            await desk.pilot.pause()

            assert "◐ docs" in desk.text()
            assert "building the pages" in desk.text()

    async def test_to_a_service_that_fails_stays_in_its_log(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.happens(
                type="phase",
                service="backend",
                phase="failed",
                previous="ready",
                reason="out of memory",
                pid=None,
            )
            await desk.pilot.pause()

            assert desk.logs()[-1] == "backend failed: out of memory"
            assert "✗ backend" in desk.text()
            assert "1 of 6 ready" not in desk.text()

    async def test_to_the_supervisor_is_said_and_can_be_mended(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.goes_away()
            await desk.pilot.pause()
            assert "The supervisor is gone: what runs keeps running" in desk.text()
            assert "● postgres" in desk.text()

            await desk.press("ctrl+r")
            assert desk.link.revived
            desk.link.comes_back()
            await desk.pilot.pause()
            assert "supervisor is gone" not in desk.text()

    async def test_takes_back_what_was_said_of_a_supervisor_that_was_gone(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.refusals = [SupervisorError("the supervisor hung up", hint="run the command again")]
            await desk.press("r")
            await desk.shows("the supervisor hung up")
            desk.link.goes_away()
            await desk.pilot.pause()
            desk.link.comes_back()
            await desk.pilot.pause()
            await desk.pilot.pause()

            assert "hung up" not in desk.text()

"""Specifies the dashboard that a start opens: what it shows until all is ready, what it asks, when it leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from devinit.control.client import RemoteError
from devinit.dashboard.screens.conflict import ConflictDialogue
from devinit.errors import PortConflict, SupervisorError
from tests.dashboard.conftest import CONFLICT, FakeBegun, port_question, status, summed_up

if TYPE_CHECKING:
    from tests.dashboard.conftest import Desk, FakeLink, Open

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("another_home")]


@pytest.fixture
def begun() -> FakeBegun:
    return FakeBegun()


COMING = (
    status("postgres", "starting", port=5432, depends_on=[]),
    status("backend", "waiting", depends_on=["postgres"]),
)


async def planned(desk: Desk, begun: FakeBegun) -> None:
    begun.happens(type="plan", services=["postgres", "backend"], starting=["postgres", "backend"])
    await desk.pilot.pause()


class TestAStart:
    async def test_is_shown_before_the_supervisor_has_told_its_status(
        self, open_desk: Open, link: FakeLink, begun: FakeBegun
    ) -> None:
        link.reachable = asyncio.Event()
        async with open_desk(begun=begun) as desk:
            assert "◐ starting, 2s" in desk.text()
            assert "connecting" not in desk.text()

            await planned(desk, begun)

            assert "◌ postgres" in desk.text()
            assert "◌ backend" in desk.text()

    async def test_says_what_is_waited_for_and_shows_the_lines_of_all_services(
        self, open_desk: Open, link: FakeLink, begun: FakeBegun
    ) -> None:
        link.services = [dict(each) for each in COMING]
        async with open_desk(begun=begun) as desk:
            await planned(desk, begun)
            link.happens(type="progress", service="postgres", message="creating the database cluster")
            await desk.pilot.pause()
            desk.says("backend", "installing 3 of 4")
            await desk.pilot.pause()

            assert "waits for postgres → backend" in desk.text()
            assert "creating the database cluster" in desk.text()
            assert "─ all services · following" in desk.text()
            assert "backend   installing 3 of 4" in desk.text()

    async def test_ends_with_its_summary_as_a_line(
        self, open_desk: Open, link: FakeLink, begun: FakeBegun
    ) -> None:
        async with open_desk(begun=begun) as desk:
            await planned(desk, begun)
            begun.comes_to([summed_up("postgres"), summed_up("backend", port=8001)])
            await desk.pilot.pause()

            assert "✓ 2 of 2 services ready in 12.0 s, 1 not on its preferred port" in desk.text()
            link.now += 61
            desk.main.let_time_pass()
            await desk.pilot.pause()
            assert "2 of 2 services" not in desk.text()

    async def test_shows_the_service_that_fails_and_its_lines(
        self, open_desk: Open, link: FakeLink, begun: FakeBegun
    ) -> None:
        link.services = [dict(each) for each in COMING]
        async with open_desk(begun=begun) as desk:
            await planned(desk, begun)
            link.happens(
                type="phase",
                service="backend",
                phase="failed",
                previous="starting",
                reason="no app",
                pid=None,
            )
            begun.comes_to([summed_up("postgres"), summed_up("backend", "failed")], code=1)
            await desk.pilot.pause()

            assert "─ backend · following" in desk.text()
            assert "✗ 1 of 2 ready  backend: no app  d tells why, r tries again" in desk.text()

    async def test_leaves_the_choice_to_the_user_who_has_made_one(
        self, open_desk: Open, link: FakeLink, begun: FakeBegun
    ) -> None:
        link.services = [dict(each) for each in COMING]
        async with open_desk(begun=begun) as desk:
            await planned(desk, begun)
            await desk.press("down")
            assert "─ backend · following" in desk.text()

            link.happens(
                type="phase", service="postgres", phase="failed", previous="starting", reason="x", pid=None
            )
            await desk.pilot.pause()

            assert "─ backend · following" in desk.text()

    async def test_says_a_thing_once_that_comes_on_two_connections(
        self, open_desk: Open, link: FakeLink, begun: FakeBegun
    ) -> None:
        async with open_desk(begun=begun) as desk:
            await planned(desk, begun)
            note = {"type": "note", "service": "backend", "message": "moved away"}
            begun.happens(**note)
            link.happens(**note)
            begun.happens(**note, at=1.0)
            await desk.pilot.pause()

            assert sum("moved away" in line.plain for line in desk.main.store.of("backend")) == 2


class TestAStartThatAsks:
    async def test_is_ordered_again_with_the_answer(self, open_desk: Open, begun: FakeBegun) -> None:
        begun.refusals = [port_question(CONFLICT)]
        async with open_desk(begun=begun) as desk:
            await desk.shows("Port 8000, which backend wants")
            assert isinstance(desk.app.screen, ConflictDialogue)
            desk.app.screen.is_late = False
            await desk.press("enter")
            await desk.pilot.pause()

            assert [each["kind"] for each in begun.sent[-1]["resolutions"]] == ["move"]
            assert desk.link.orders == []

    async def test_leaves_with_the_words_of_the_shell_when_it_is_not_answered(
        self, open_desk: Open, begun: FakeBegun
    ) -> None:
        begun.refusals = [port_question(CONFLICT)]
        async with open_desk(begun=begun) as desk:
            await desk.shows("Port 8000, which backend wants")
            await desk.press("escape")
            await desk.pilot.pause()

            refusal = desk.app.refusal
            assert isinstance(refusal, PortConflict)
            assert refusal.message == "port 8000 for backend is taken, and the start was aborted"
            assert refusal.hint == "nothing was started, and nothing was ended"

    async def test_is_not_asked_about_where_options_forbid_it(
        self, open_desk: Open, begun: FakeBegun
    ) -> None:
        begun.params["can_answer"] = False
        begun.refusals = [question := port_question(CONFLICT)]
        async with open_desk(begun=begun) as desk:
            await desk.pilot.pause()

            assert desk.app.refusal is question


class TestAStartThatIsRefused:
    async def test_leaves_so_that_the_shell_says_why(self, open_desk: Open, begun: FakeBegun) -> None:
        begun.refusals = [refusal := RemoteError({"message": "devinit.toml, line 3: no such key"})]
        async with open_desk(begun=begun) as desk:
            await desk.pilot.pause()

            assert desk.app.refusal is refusal

    async def test_stays_when_only_the_supervisor_has_gone(self, open_desk: Open, begun: FakeBegun) -> None:
        begun.refusals = [SupervisorError("the supervisor went away during `start`", hint="run it again")]
        async with open_desk(begun=begun) as desk:
            await desk.shows("the supervisor went away")

            assert desk.app.refusal is None

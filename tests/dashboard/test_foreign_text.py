"""Specifies that the dashboard shows foreign text without commands to the terminal, without secrets and as no markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.dashboard.conftest import (
    CONFLICT,
    HOLDER,
    INSPECTION,
    PORTS,
    REPORT,
    WHY,
    port_question,
    status,
)

if TYPE_CHECKING:
    from tests.dashboard.conftest import Desk, Open

pytestmark = pytest.mark.timeout(120)

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b2J\u202e[bold]x[/bold] --password hunter2"
SHOWN = "[bold]x[/bold] --password ***"
SERVICE_FACTS = {
    "reason": EVIL,
    "command": EVIL,
    "last_probe": EVIL,
    "port_reason": EVIL,
    "log_tail": [EVIL],
    "last_error": {"text": EVIL, "file": EVIL, "line": 1, "at": 0.0},
}
TAKEN = {
    "summary": f"held by {EVIL}",
    "advice": EVIL,
    "holders": [
        {**HOLDER, "command": ["next", "--token", "hunter2 hunter2", EVIL], "branch": EVIL, "user": EVIL}
    ],
}


def assert_is_safe(desk: Desk) -> None:
    text = desk.text()
    assert not [each for each in ("\x1b", "\x9b", "\u202e", "owned", "hunter2") if each in text]


class TestForeignText:
    async def test_is_safe_as_the_reason_of_a_service(self, open_desk: Open) -> None:
        async with open_desk(140, 40) as desk:
            desk.link.services = [status("backend", "failed", reason=EVIL)]
            desk.link.comes_back()
            await desk.shows(SHOWN)

            assert_is_safe(desk)

    async def test_is_safe_as_an_event(self, open_desk: Open) -> None:
        async with open_desk(140, 40) as desk:
            desk.link.happens(type="note", service="backend", message=EVIL)
            await desk.shows(SHOWN)

            assert_is_safe(desk)

    async def test_is_safe_on_the_pages_about_a_service(self, open_desk: Open) -> None:
        async with open_desk(140, 60) as desk:
            desk.link.answers["why"] = {**WHY, **SERVICE_FACTS}
            desk.link.answers["inspect"] = {
                **INSPECTION,
                "environment": {"RAILS_MASTER_KEY": "hunter2", "GREETING": EVIL},
                "changed": [{"name": "APP_KEY", "then": "hunter2", "now": EVIL}],
            }
            await desk.press("d")
            await desk.shows(SHOWN)

            assert_is_safe(desk)

    async def test_that_is_a_secret_is_shown_when_the_user_asks_for_it_and_harmless_then(
        self, open_desk: Open
    ) -> None:
        async with open_desk(140, 60) as desk:
            desk.link.answers["inspect"] = {**INSPECTION, "environment": {"APP_KEY": "\x1b[2Jhunter2"}}
            await desk.press("d")
            await desk.shows("APP_KEY")
            assert_is_safe(desk)

            await desk.press("m")
            await desk.shows("hunter2")

            assert "\x1b" not in desk.text()

    async def test_is_safe_in_the_question_about_a_port(self, open_desk: Open) -> None:
        async with open_desk(140, 50) as desk:
            desk.link.refusals = [port_question({**CONFLICT, **TAKEN})]
            await desk.press("r")
            await desk.shows("--token ***")

            assert_is_safe(desk)

    async def test_is_safe_in_the_question_about_several_ports(self, open_desk: Open) -> None:
        async with open_desk(140, 50) as desk:
            desk.link.refusals = [
                port_question({**CONFLICT, **TAKEN}, {**CONFLICT, **TAKEN, "service": "frontend"})
            ]
            await desk.press("r")
            await desk.shows("2 ports are taken")

            assert_is_safe(desk)

    async def test_is_safe_on_the_page_of_ports_and_where_a_kill_is_confirmed(self, open_desk: Open) -> None:
        async with open_desk(140, 50) as desk:
            desk.link.answers["ports"] = [{**PORTS[0], "holder": EVIL}]
            desk.link.answers["who"] = {**REPORT, **TAKEN, "advice": ""}
            await desk.press("p")
            await desk.settled()
            assert_is_safe(desk)

            await desk.press("k")
            await desk.shows("kill 4121")

            assert_is_safe(desk)

    async def test_is_safe_as_what_is_said_in_passing_whatever_a_widget_wants(self, open_desk: Open) -> None:
        async with open_desk(140, 40) as desk:
            desk.main.notify(EVIL, title=EVIL, markup=True)
            await desk.shows(SHOWN)

            assert_is_safe(desk)

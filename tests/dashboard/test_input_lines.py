"""Specifies how a service is typed into where there is no terminal to give it, as in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from devinit.dashboard.widgets.input_lines import TypeLine
from devinit.errors import ServiceError
from tests.dashboard.conftest import status

if TYPE_CHECKING:
    from tests.dashboard.conftest import Desk, FakeLink, Open

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("another_home")]

Json = dict[str, Any]
TAKEN = {"pid": 4102, "taken": True, "unread": 0}


def line_of(desk: Desk) -> TypeLine:
    return desk.main.query_one(TypeLine)


@pytest.fixture
def typing(link: FakeLink, monkeypatch: pytest.MonkeyPatch) -> list[Json]:
    """What was typed; every line is taken."""
    typed: list[Json] = []

    async def order(method: str, params: Json) -> Any:
        assert method == "input"
        typed.append(params)
        return TAKEN

    monkeypatch.setattr(link, "order", order)
    return typed


class TestTheLine:
    async def test_opens_under_what_the_service_prints_and_stays_for_the_next_one(
        self, open_desk: Open, typing: list[Json]
    ) -> None:
        async with open_desk() as desk:
            await desk.press("a", "i", *"p x", "enter", "c", "enter")
            await desk.settled()

            assert [params["text"] for params in typing] == ["p x\n", "c\n"]
            assert {params["service"] for params in typing} == {"backend"}
            assert "─ backend · following" in desk.text()
            assert desk.logs()[-2:] == ["> p x", "> c"]
            assert "type into backend" in desk.text()

    async def test_is_what_enter_opens_too_and_esc_closes(self, open_desk: Open, typing: list[Json]) -> None:
        async with open_desk() as desk:
            await desk.press("enter")
            assert line_of(desk).has_focus

            await desk.press("x", "escape")

            assert not line_of(desk).display
            assert desk.main.table.has_focus
            assert typing == []

    async def test_brings_earlier_lines_of_that_service_back(
        self, open_desk: Open, typing: list[Json]
    ) -> None:
        async with open_desk() as desk:
            await desk.press("i", "u", "enter", "w", "enter", "up", "up", "enter")
            await desk.settled()

            assert [params["text"] for params in typing] == ["u\n", "w\n", "u\n"]
            await desk.press("escape", "down", "i", "up")
            assert line_of(desk).value == ""

    async def test_shows_no_password_and_keeps_none(
        self, open_desk: Open, link: FakeLink, typing: list[Json]
    ) -> None:
        asks = {"prompt": "Password:", "kind": "password", "pid": 4102, "since": 1.0}
        link.services = [status("backend", waits_for_input=asks)]
        async with open_desk() as desk:
            await desk.press("i", *"key")
            assert "key" not in desk.text().splitlines()[-3]

            await desk.press("enter", "up")
            await desk.settled()

            assert [params["text"] for params in typing] == ["key\n"]
            assert line_of(desk).value == ""
            assert desk.logs()[-1] == "> …"

    async def test_leaves_it_to_a_terminal_to_show_what_was_typed(
        self, open_desk: Open, link: FakeLink, typing: list[Json]
    ) -> None:
        terminal = {"pid": 4100, "socket": "/run/x.tty", "lost": False, "for_this_run": False}
        link.services = [status("backend", terminal=terminal)]
        async with open_desk() as desk:
            await desk.press("i", "c", "enter")
            await desk.settled()

            assert [params["text"] for params in typing] == ["c\n"]
            assert "> c" not in desk.logs()

    async def test_says_why_a_line_was_not_taken(
        self, open_desk: Open, link: FakeLink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers: list[Any] = [
            {"pid": 4102, "taken": False, "unread": 65536},
            ServiceError("backend reads from /dev/null", hint="it cannot be typed into"),
        ]

        async def order(_method: str, _params: Json) -> Any:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(link, "order", order)
        async with open_desk() as desk:
            await desk.press("i", "c", "enter")
            await desk.shows("65,536 bytes wait to be read")
            await desk.press("c", "enter")
            await desk.shows("backend reads from /dev/null")

    async def test_is_not_there_for_a_service_that_does_not_run(
        self, open_desk: Open, typing: list[Json]
    ) -> None:
        async with open_desk() as desk:
            desk.main.table.select("docs")
            await desk.press("i")

            assert not line_of(desk).display
            await desk.shows("docs does not run: s starts it")

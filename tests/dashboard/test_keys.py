"""Specifies what each key does, on a dashboard that talks to no supervisor."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.widgets import Input

from devinit.control.client import RemoteError
from devinit.dashboard.keys import KEYS
from devinit.dashboard.screens.confirm import Confirm
from devinit.dashboard.screens.conflict import ConflictDialogue
from devinit.dashboard.screens.details import DetailsPage
from devinit.dashboard.screens.environment import EnvironmentPage
from devinit.dashboard.screens.help import HelpPage
from devinit.dashboard.screens.ports import PortsPage
from devinit.dashboard.widgets import log_pane
from tests.dashboard.conftest import CONFLICT, HOLDER, port_question, status

if TYPE_CHECKING:
    from tests.dashboard.conftest import FakePins, Open

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("another_home")]

STOPPING = {
    "type": "phase",
    "service": "backend",
    "phase": "stopping",
    "previous": "ready",
    "reason": None,
    "pid": 4102,
}


class TestTheKeysOfServices:
    async def test_choose_one(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            assert desk.main.table.selected == "backend"

            await desk.press("down")
            assert desk.main.table.selected == "frontend"
            await desk.press("k", "k", "k", "k")
            assert desk.main.table.selected == "postgres"

    @pytest.mark.parametrize(
        ("service", "key", "method"),
        [("docs", "s", "start"), ("backend", "x", "stop"), ("backend", "r", "restart")],
    )
    async def test_order_something_of_the_one_that_is_looked_at(
        self, open_desk: Open, service: str, key: str, method: str
    ) -> None:
        async with open_desk() as desk:
            desk.main.table.select(service)
            await desk.press(key)
            await desk.settled()

            [(ordered, params)] = desk.link.orders
            assert (ordered, params["services"]) == (method, [service])

    @pytest.mark.parametrize(
        ("service", "key", "said"),
        [
            ("docs", "x", "docs does not run"),
            ("docs", "r", "docs does not run: s starts it"),
            ("docs", "o", "docs does not run: s starts it"),
            ("backend", "s", "backend runs already"),
            ("worker", "s", "worker is being started"),
            ("worker", "o", "worker has no URL"),
            ("worker", "u", "worker has no URL"),
            ("postgres", "o", "postgres has no page: u copies its URL"),
        ],
    )
    async def test_only_say_why_not_where_they_make_no_sense(
        self, open_desk: Open, service: str, key: str, said: str
    ) -> None:
        async with open_desk() as desk:
            desk.main.table.select(service)
            await desk.press(key)
            await desk.settled()

            assert (desk.link.orders, desk.opened, desk.app.clipboard) == ([], [], "")
            assert said in desk.text()

    @pytest.mark.parametrize(
        ("service", "keys", "said", "order"),
        [
            ("mailer", "jx", "docs does not run", None),
            ("worker", "kx", "", ("stop", "frontend")),
            ("worker", "jx", "mailer does not run", None),
            ("worker", "js", "", ("start", "mailer")),
            ("mailer", "ks", "worker is being started", None),
        ],
    )
    async def test_that_come_in_one_write_are_judged_by_the_service_that_those_before_have_chosen(
        self, open_desk: Open, service: str, keys: str, said: str, order: tuple[str, str] | None
    ) -> None:
        async with open_desk() as desk:
            desk.main.table.select(service)
            await desk.pilot.pause()

            await desk.types(keys)
            await desk.settled()

            assert [notice.message for notice in desk.app._notifications] == ([said] if said else [])
            assert [(method, params["services"]) for method, params in desk.link.orders] == (
                [(order[0], [order[1]])] if order else []
            )

    async def test_that_take_an_order_back_are_not_said_to_do_nothing(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.patience = asyncio.Event()

            await desk.press("x", "s")

            assert [method for method, _ in desk.link.orders] == ["stop", "start"]
            assert list(desk.app._notifications) == []
            desk.link.patience.set()

    @pytest.mark.parametrize(("key", "method"), [("S", "start"), ("R", "restart")])
    async def test_order_something_of_all(self, open_desk: Open, key: str, method: str) -> None:
        async with open_desk() as desk:
            await desk.press(key)
            await desk.settled()

            [(ordered, params)] = desk.link.orders
            assert (ordered, params["services"]) == (method, [])

    async def test_restart_what_was_configured_anew(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("C")
            await desk.settled()

            [(method, params)] = desk.link.orders
            assert (method, params["only_changed"]) == ("restart", True)

    async def test_stop_everything_only_after_a_yes(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("X")
            assert isinstance(desk.app.screen, Confirm)
            await desk.press("enter")
            assert desk.link.orders == []

            await desk.press("X", "y")
            await desk.settled()
            assert desk.link.orders[0][0] == "stop"

    @pytest.mark.parametrize(
        ("keys", "last"),
        [("xs", "start"), ("xr", "restart"), ("rx", "stop"), ("xrx", "stop"), ("rxs", "start")],
    )
    async def test_given_faster_than_the_screen_follows_are_judged_by_what_was_ordered_last(
        self, open_desk: Open, keys: str, last: str
    ) -> None:
        async with open_desk() as desk:
            desk.link.patience = asyncio.Event()

            # The phase that is shown stays "ready".
            await desk.press(*keys)

            assert len(desk.link.orders) == len(keys)
            assert desk.link.orders[-1][0] == last
            desk.link.patience.set()

    async def test_stop_a_service_that_was_ordered_to_start(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.happens(**{**STOPPING, "phase": "stopped", "pid": None})
            desk.link.patience = asyncio.Event()

            await desk.press("s", "x")

            assert [method for method, _ in desk.link.orders] == ["start", "stop"]
            desk.link.patience.set()

    async def test_stop_what_a_restart_is_stopping_and_end_it_at_once_only_once_more(
        self, open_desk: Open
    ) -> None:
        async with open_desk() as desk:
            desk.link.patience = asyncio.Event()
            await desk.press("r")
            desk.link.happens(**STOPPING)
            await desk.pilot.pause()
            assert "x Stop" in desk.text()

            await desk.press("x")
            assert [method for method, _ in desk.link.orders] == ["restart", "stop"]

            await desk.press("x")
            assert "End backend at once?" in desk.text()
            await desk.press("n")
            desk.link.patience.set()

    async def test_start_all_that_was_ordered_to_stop(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.patience = asyncio.Event()

            await desk.press("X", "y", "S")

            assert [method for method, _ in desk.link.orders] == ["stop", "start"]
            desk.link.patience.set()

    async def test_stop_all_that_was_ordered_to_start(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            for service in [each["name"] for each in desk.link.services]:
                desk.link.happens(**{**STOPPING, "service": service, "phase": "stopped", "pid": None})
            desk.link.patience = asyncio.Event()

            await desk.press("S", "X", "y")

            assert [method for method, _ in desk.link.orders] == ["start", "stop"]
            desk.link.patience.set()

    async def test_are_judged_by_the_phase_again_once_the_order_is_answered(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("x")
            await desk.settled()

            await desk.press("s")

            assert "backend runs already" in desk.text()
            assert len(desk.link.orders) == 1

    async def test_order_something_once_however_long_they_are_held_down(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            for _ in range(10):
                await desk.press("r")
                desk.link.now += 0.5
            await desk.settled()
            assert len(desk.link.orders) == 1

            desk.link.now += 1
            await desk.press("r")
            await desk.settled()
            assert len(desk.link.orders) == 2

    async def test_end_at_once_what_takes_its_time_to_stop_only_after_a_yes(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.happens(**STOPPING)
            await desk.pilot.pause()
            assert "x End now" in desk.text()
            await desk.press("x")
            assert "End backend at once?" in desk.text()
            # Somebody holds the key down, or has second thoughts.
            await desk.press("x", "x", "n")
            await desk.settled()
            assert desk.link.orders == []

            await desk.press("x", "y")
            await desk.settled()
            assert desk.link.orders == [("stop", {"services": ["backend"], "force": True, "resolutions": []})]

    async def test_do_not_end_at_once_what_has_ended_meanwhile(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.happens(**STOPPING)
            await desk.pilot.pause()
            await desk.press("x")
            desk.link.happens(**{**STOPPING, "phase": "stopped", "previous": "stopping", "pid": None})
            await desk.press("y")
            await desk.settled()

            assert desk.link.orders == []

    async def test_end_at_once_what_is_left_of_a_stop_of_everything(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.patience = asyncio.Event()
            await desk.press("X", "y")
            await desk.press("X")
            assert "End at once what is left?" in desk.text()
            await desk.press("y")
            desk.link.patience.set()
            await desk.settled()

            assert [(method, params["force"]) for method, params in desk.link.orders] == [
                ("stop", False),
                ("stop", True),
            ]

    async def test_open_a_url(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("o")

            assert desk.opened == ["http://localhost:8001"]

    async def test_open_no_url_where_there_is_no_browser(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.has_browser = False
            await desk.press("o")
            await desk.settled()

            assert desk.opened == []
            assert "no browser was found: u copies the URL" in desk.text()

    async def test_copy_a_url(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("u")

            assert desk.app.clipboard == "http://localhost:8001"

    async def test_are_shown_as_far_as_they_count(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            assert "x Stop r Restart o Open" in desk.text()
            assert "s Start" not in desk.text()

            desk.main.table.select("docs")
            await desk.pilot.pause()

            assert "\ns Start X Stop all" in desk.text()
            assert "x Stop" not in desk.text()

    async def test_offer_to_start_all_when_nothing_runs(self, open_desk: Open) -> None:
        async with open_desk(50, 24) as desk:
            assert "S Start all" not in desk.text()

            desk.link.services = [status(name, "stopped") for name in ("backend", "frontend")]
            desk.link.comes_back()

            await desk.shows("s Start S Start all d Details")


class TestTheKeysOfLogs:
    async def test_show_all_services_together(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("a")
            assert "reading mailer.toml" in desk.logs()
            assert "Traceback (most recent call last):" in desk.logs()

            await desk.press("a")
            assert "reading mailer.toml" not in desk.logs()

    async def test_search_and_go_from_match_to_match(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("slash", *"get", "enter")
            assert "GET /items" in desk.main.log_pane.line_text()

            await desk.press("slash", *"info", "enter")
            last = desk.main.log_pane.cursor
            await desk.press("N")
            before = desk.main.log_pane.cursor
            assert before is not None
            assert last is not None
            assert before < last
            await desk.press("n")
            assert desk.main.log_pane.cursor == last

    async def test_say_which_of_the_matches_one_looks_at(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("slash", *"info", "enter")
            lines = sum("info" in line.lower() for line in desk.logs())
            assert lines > 2
            assert f"search info {lines} of {lines}" in desk.text()

            await desk.press("N")
            assert f"search info {lines - 1} of {lines}" in desk.text()
            await desk.press("n", "n")
            assert f"search info 1 of {lines}" in desk.text()

    async def test_find_while_one_types_and_go_back_with_escape(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("slash", *"get")
            assert "GET /items" in desk.main.log_pane.line_text()
            assert desk.main.query_one("#prompt").display

            await desk.press("escape")
            assert desk.main.log_pane.search is None
            assert desk.main.log_pane.following

            await desk.press("space", "slash", *"get", "escape")
            assert desk.main.log_pane.search is None
            assert not desk.main.log_pane.following

    async def test_clear_the_search_with_escape(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("slash", *"get", "enter")
            assert not desk.main.log_pane.following

            await desk.press("escape")

            assert desk.main.log_pane.search is None
            assert desk.main.log_pane.following
            assert "search get" not in desk.text()

    async def test_bring_back_what_was_searched_before(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("slash", *"get", "enter", "slash", *"info", "enter")

            await desk.press("slash")
            prompt = desk.main.query_one("#prompt", Input)
            seen = [prompt.value]
            for key in ("up", "up", "up", "down", "down"):
                await desk.press(key)
                seen.append(prompt.value)

            assert seen == ["", "info", "get", "get", "info", ""]

    async def test_filter_by_regular_expression_and_show_all_again(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("f", *"startup|process", "enter")
            assert len(desk.logs()) == 2
            assert "filter startup|process" in desk.text()

            await desk.press("f", *["backspace"] * 20, "enter")
            assert len(desk.logs()) == 8

    async def test_refuse_what_is_no_regular_expression(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("f", "left_parenthesis", "enter")

            assert desk.main.log_pane.view.filter is None
            assert desk.main.query_one("#prompt").display

    @pytest.mark.parametrize("key", ["f", "slash"])
    async def test_give_up_an_expression_that_takes_for_ever(
        self, open_desk: Open, monkeypatch: pytest.MonkeyPatch, key: str
    ) -> None:
        monkeypatch.setattr(log_pane, "ALL_SECONDS", 0.05)
        async with open_desk() as desk:
            desk.says("backend", "a" * 60 + "!")
            before = desk.logs()

            await desk.press(key, *"(a+)+$", "enter")

            await desk.shows("(a+)+$' takes")
            assert desk.logs() == before
            assert (desk.main.log_pane.view.filter, desk.main.log_pane.search) == (None, None)

    async def test_give_up_an_expression_that_a_new_line_makes_slow(
        self, open_desk: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(log_pane, "ALL_SECONDS", 0.05)
        async with open_desk() as desk:
            await desk.press("f", *"(a+)+$", "enter")
            assert "filter (a+)+$" in desk.text()

            desk.says("backend", "a" * 60 + "!")

            await desk.shows("(a+)+$' takes")
            assert len(desk.logs()) == 9

    async def test_leave_the_question_with_escape(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("f", *"abc", "escape")

            assert len(desk.logs()) == 8
            assert not desk.main.query_one("#prompt").display

    async def test_go_from_error_to_error_over_all_services(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            seen = []
            for _ in range(3):
                await desk.press("E")
                seen.append((desk.main.table.selected, desk.main.log_pane.line_text().partition(":")[0]))

            # In the order of time, from the last one backwards: both services print one line a second.
            assert seen == [
                ("backend", "Traceback (most recent call last)"),
                ("backend", "ERROR"),
                ("mailer", "ValueError"),
            ]
            await desk.press("e")
            assert desk.main.log_pane.line_text().startswith("ERROR")

    async def test_pause_and_follow(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            assert "following" in desk.text()
            await desk.press("space")
            assert "paused" in desk.text()
            await desk.press("escape")
            assert desk.main.log_pane.following

    async def test_break_long_lines(self, open_desk: Open) -> None:
        async with open_desk(80, 24) as desk:
            assert "it has to be broken" not in desk.text()
            await desk.press("w")
            assert "it has to be broken" in desk.text()

    async def test_show_times(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("t")

            assert "14:13:21 INFO:     Started server process" in desk.text()

    async def test_clear_the_view(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("ctrl+l")
            assert desk.logs() == []
            desk.main.table.select("mailer")
            await desk.pilot.pause()
            assert desk.logs() != []

    async def test_copy_the_last_line_or_the_one_that_is_looked_at(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("y")
            assert desk.app.clipboard.startswith("INFO:     127.0.0.1:40406")

            await desk.press("tab", "up", "up", "up", "y")
            assert desk.app.clipboard == "Traceback (most recent call last):"

    async def test_give_the_logs_the_whole_screen(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("z")
            assert "SERVICE" not in desk.text()
            await desk.press("z")
            assert "SERVICE" in desk.text()

    async def test_scroll_whatever_has_the_focus(self, open_desk: Open) -> None:
        async with open_desk(100, 14) as desk:
            await desk.press("home")
            assert not desk.main.log_pane.following
            assert "backend starts on port" in desk.text()
            await desk.press("end")
            assert desk.main.log_pane.following
            await desk.press("pageup")
            assert not desk.main.log_pane.following
            await desk.press("pagedown", "pagedown", "pagedown")
            assert desk.main.log_pane.following


class TestWhatIsSaid:
    async def test_is_not_said_again_while_it_is_shown(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.types(["slash", *"nothing", "enter", "n", "n", "n"])
            await desk.settled()

            assert [notice.message for notice in desk.app._notifications] == ["no line matches nothing"]


class TestKeysThatComeInOneWrite:
    """Each comes before the one before it has done its work: under load, over SSH, or pasted."""

    @pytest.mark.parametrize("key", ["slash", "f"])
    async def test_belong_to_the_prompt_that_one_of_them_opens(self, open_desk: Open, key: str) -> None:
        async with open_desk() as desk:
            await desk.types([key, *"RqQXSxr T?"])
            await desk.settled()

            assert desk.main.query_one("#prompt", Input).value == "RqQXSxr T?"
            assert desk.link.orders == []
            assert desk.app.screen is desk.main

    async def test_are_keys_of_the_screen_again_behind_the_enter_that_ends_a_prompt(
        self, open_desk: Open
    ) -> None:
        async with open_desk() as desk:
            await desk.types(["f", *"GET", "enter", "R"])
            await desk.settled()

            assert desk.main.log_pane.view.filter is not None
            assert desk.main.log_pane.view.filter.pattern == "GET"
            assert [method for method, _ in desk.link.orders] == ["restart"]

    async def test_are_keys_of_the_screen_again_behind_the_escape_that_leaves_a_prompt(
        self, open_desk: Open
    ) -> None:
        async with open_desk() as desk:
            await desk.types(["slash", *"GET", "escape", "R"])
            await desk.settled()

            assert desk.main.log_pane.search is None
            assert [method for method, _ in desk.link.orders] == ["restart"]

    async def test_stay_in_their_order_with_text_that_is_pasted_between_them(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.app.simulate_key("slash")
            desk.app.simulate_key("R")
            desk.app.post_message(events.Paste("quit"))
            desk.app.simulate_key("S")
            await desk.pilot.pause()
            await desk.settled()

            assert desk.main.query_one("#prompt", Input).value == "RquitS"
            assert desk.link.orders == []

    @pytest.mark.parametrize(
        ("key", "page"),
        [("d", DetailsPage), ("p", PortsPage), ("v", EnvironmentPage), ("question_mark", HelpPage)],
    )
    async def test_belong_to_the_page_that_one_of_them_opens(
        self, open_desk: Open, key: str, page: type
    ) -> None:
        async with open_desk() as desk:
            await desk.types([key, *"RSXx"])
            await desk.settled()

            assert isinstance(desk.app.screen, page)
            assert desk.link.orders == []

    async def test_belong_to_the_screen_below_behind_the_key_that_leaves_a_page(
        self, open_desk: Open
    ) -> None:
        async with open_desk() as desk:
            await desk.types(["question_mark", "q", "R"])
            await desk.settled()

            assert desk.app.screen is desk.main
            assert [method for method, _ in desk.link.orders] == ["restart"]

    @pytest.mark.parametrize("key", ["X", "Q"])
    async def test_answer_the_question_that_one_of_them_asks(self, open_desk: Open, key: str) -> None:
        async with open_desk() as desk:
            await desk.types([key, "R", "S", "enter"])
            await desk.settled()
            assert (desk.link.orders, desk.app.screen) == ([], desk.main)

            await desk.types([key, "R", "y"])
            await desk.settled()
            assert [method for method, _ in desk.link.orders] == ["stop"]

    async def test_answer_whether_a_service_ends_at_once(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.happens(**STOPPING)
            await desk.pilot.pause()

            await desk.types(["x", "R", "n"])
            await desk.settled()

            assert (desk.link.orders, desk.app.screen) == ([], desk.main)

    async def test_say_which_port_is_meant(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("p")
            await desk.settled()

            await desk.types(["s", *["backspace"] * 4, *"8002", "enter"])
            await desk.pilot.pause()

            assert ("choose_port", {"service": "backend", "port": 8002}) in desk.link.asked
            assert ("forget_ports", {"services": ["backend"]}) not in desk.link.asked

    async def test_answer_one_question_about_a_port_after_the_other(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.refusals = [port_question(CONFLICT, {**CONFLICT, "port": 3000, "service": "frontend"})]
            await desk.press("r")

            await desk.types(["down", "enter", "down", "enter", "enter"])
            await desk.settled()

            assert desk.app.screen is desk.main
            assert [each["kind"] for each in desk.link.orders[-1][1]["resolutions"]] == ["kill", "move"]

    async def test_answer_no_question_about_a_port_that_was_not_there_yet(self, open_desk: Open) -> None:
        """It comes from the supervisor, which takes its time: Enter was pressed for something else."""
        async with open_desk() as desk:
            desk.link.refusals = [port_question(CONFLICT)]

            await desk.types(["r", "enter", "enter"])
            while not isinstance(desk.app.screen, ConflictDialogue):
                await desk.pilot.pause()
            await desk.pilot.pause()

            assert isinstance(desk.app.screen, ConflictDialogue)
            assert len(desk.link.orders) == 1
            await desk.press("enter")
            await desk.settled()
            assert [each["kind"] for each in desk.link.orders[-1][1]["resolutions"]] == ["move"]

    @pytest.mark.parametrize("key", ["r", "m", "s", "enter", "y"])
    async def test_change_nothing_of_a_port_while_its_holder_is_looked_for(
        self, open_desk: Open, key: str
    ) -> None:
        async with open_desk() as desk:
            await desk.press("p")
            await desk.settled()

            await desk.types(["k", key])
            await desk.pilot.pause()

            assert isinstance(desk.app.screen, Confirm)
            assert {method for method, _ in desk.link.asked} == {"ports", "who"}
            await desk.press("y")
            await desk.settled()
            assert ("free_port", {"port": 8000, "holders": [HOLDER["identity"]]}) in desk.link.asked

    async def test_are_not_held_back_by_a_widget_that_hangs(
        self, open_desk: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("devinit.dashboard.turns.LONGEST_SECONDS", 0.1)
        async with open_desk() as desk:
            hangs_until, left = asyncio.Event(), asyncio.Event()
            monkeypatch.setattr(desk.app, "exit", lambda _: left.set())
            desk.main.table.call_later(hangs_until.wait)

            desk.app.simulate_key("x")
            desk.app.simulate_key("ctrl+q")
            await left.wait()
            hangs_until.set()

    async def test_behind_the_one_that_shows_the_plain_stream_act_on_nothing_when_it_is_left(
        self, open_desk: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_desk() as desk:
            monkeypatch.setattr(desk.app, "suspend", contextlib.nullcontext)
            monkeypatch.setattr("devinit.dashboard.stream.stream", lambda *_: None)

            await desk.types(["l", *"RS/ab"])
            await desk.settled()

            assert (desk.link.orders, desk.main.query_one("#prompt", Input).value) == ([], "")

            await desk.types(["R"])
            await desk.settled()

            assert [method for method, _ in desk.link.orders] == ["restart"]

    async def test_choose_in_the_palette(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.types(["ctrl+p", *"RSx"])
            await desk.pilot.pause()

            assert desk.app.screen.query_one(Input).value == "RSx"
            assert desk.link.orders == []


class TestTheMouse:
    async def test_chooses_a_service_and_opens_its_url(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.pilot.click("#services", offset=(5, 3))
            assert desk.main.table.selected == "frontend"

            column = desk.text().splitlines()[4].index("http://localhost:3000")
            await desk.pilot.click("#services", offset=(column + 2, 3))
            assert desk.opened == ["http://localhost:3000"]

    async def test_opens_a_url_also_of_a_service_that_is_older_than_its_configuration(
        self, open_desk: Open
    ) -> None:
        async with open_desk() as desk:
            changed = [status("frontend", url="http://localhost:3000", changed=["command"])]
            desk.link.services = changed
            desk.link.comes_back()
            await desk.shows("configuration is newer")
            column = desk.text().splitlines()[2].index("http://localhost:3000")

            await desk.pilot.click("#services", offset=(column + 25, 1))
            assert desk.opened == []
            await desk.pilot.click("#services", offset=(column + 2, 1))
            assert desk.opened == ["http://localhost:3000"]

    async def test_opens_no_url_that_is_not_of_a_page(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            column = desk.text().splitlines()[2].index("postgresql://")
            await desk.pilot.click("#services", offset=(column + 2, 1))
            await desk.shows("postgres has no page")
            assert desk.opened == []

    async def test_opens_what_is_clicked_twice(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.pilot.click("#services", offset=(5, 2), times=2)
            await desk.pilot.pause()

            assert isinstance(desk.app.screen, DetailsPage)

    async def test_copies_what_it_selects_as_it_was_printed(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("a", "t")
            rows = desk.text().splitlines()
            first = next(number for number, row in enumerate(rows) if "Traceback" in row)
            top = desk.main.log_pane.region.y
            await desk.pilot.mouse_down("#log", offset=(0, first - top))
            await desk.pilot.hover("#log", offset=(99, first - top + 1))
            await desk.pilot.mouse_up("#log", offset=(99, first - top + 1))
            await desk.pilot.pause()

            copied = desk.app.clipboard.splitlines()
            assert copied == [
                "Traceback (most recent call last):",
                "ConnectionError: payments.example.com:443",
            ]

    @pytest.mark.parametrize("theme", ["devinit-dark", "devinit-light", "textual-dark"])
    async def test_selects_text_that_can_be_read(self, open_desk: Open, theme: str) -> None:
        async with open_desk(theme=theme) as desk:
            pane = desk.main.log_pane
            before = pane.render_line(0)
            await desk.pilot.mouse_down("#log", offset=(1, 0))
            await desk.pilot.hover("#log", offset=(60, 5))
            await desk.pilot.pause()

            for line in range(6):
                colours = [segment.style for segment in pane.render_line(line) if segment.text.strip()]
                assert all(style is not None and style.color != style.bgcolor for style in colours)
            assert pane.render_line(0).text == before.text
            assert pane.render_line(0) != before


class TestTheOtherKeys:
    @pytest.mark.parametrize(
        ("key", "page"),
        [
            ("d", DetailsPage),
            ("p", PortsPage),
            ("v", EnvironmentPage),
            ("question_mark", HelpPage),
        ],
    )
    async def test_open_a_page_and_come_back(self, open_desk: Open, key: str, page: type) -> None:
        async with open_desk() as desk:
            await desk.press(key)
            await desk.settled()
            assert isinstance(desk.app.screen, page)

            await desk.press("escape")
            assert desk.app.screen is desk.main

    async def test_switch_the_light_on(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("T")
            assert desk.app.theme == "devinit-light"

    async def test_leave_and_let_everything_run(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("q")

        assert desk.link.orders == []
        assert desk.app.return_value is not None
        assert "postgres, backend, frontend keep running; worker is being started" in desk.app.return_value
        assert "`devinit stop`" in desk.app.return_value

    async def test_leave_and_say_of_everything_that_was_ordered_to_stop_that_it_stops(
        self, open_desk: Open
    ) -> None:
        async with open_desk() as desk:
            desk.link.patience = asyncio.Event()
            await desk.press("X", "y")
            desk.link.happens(**STOPPING)

            await desk.press("q")

        assert desk.app.return_value == (
            "postgres, backend, frontend, worker are being stopped; `devinit start` starts everything"
        )

    async def test_ctrl_c_says_what_quits(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("ctrl+c")
            await desk.settled()

            [notice] = desk.app._notifications
            assert notice.message == "q quits; services keep running"

    async def test_leave_only_when_every_order_is_on_its_way(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.is_sent.clear()
            await desk.press("r")
            leaving = asyncio.ensure_future(desk.press("q"))
            await desk.link.is_waited_for.wait()
            assert desk.app.return_value is None

            desk.link.is_sent.set()

            await leaving
        assert [method for method, _ in desk.link.orders] == ["restart"]
        assert desk.app.return_value is not None

    async def test_stop_everything_and_leave(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("Q", "y")
            await desk.settled()

        assert desk.link.orders == [("stop", {"services": [], "force": False, "resolutions": []})]
        assert desk.app.return_value is not None
        assert desk.app.return_value.startswith("stopped postgres, backend")

    async def test_offer_every_action_in_the_palette(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            offered = {command.title for command in desk.app.get_system_commands(desk.main)}

            assert {key.label for key in KEYS} <= offered
            await desk.press("ctrl+p", *"Restart all", "enter")
            await desk.settled()
            assert desk.link.orders[0][0] == "restart"


class TestTheDetails:
    async def test_explain_and_hide_passwords_until_they_are_wanted(self, open_desk: Open) -> None:
        async with open_desk(100, 40) as desk:
            await desk.press("d")
            await desk.settled()
            text = desk.text()
            for expected in (
                "8001, preferred 8000: 8000 is held by next dev (pid 4121)",
                "code 1",
                "GET http://127.0.0.1:8001/health succeeds",
                "BACKEND_PORT  8000 → 8001",
                "postgresql://shop:***@127.0.0.1:5432/shop",
            ):
                assert expected in text

            await desk.press("m")
            await desk.settled()
            assert "postgresql://shop:secret@127.0.0.1:5432/shop" in desk.text()


class TestTheEnvironment:
    async def test_is_copied_with_everything_in_it(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("v")
            await desk.settled()
            assert "postgresql://shop:***@" in desk.text()

            await desk.press("y")
            assert "DATABASE_URL=postgresql://shop:secret@127.0.0.1:5432/shop\n" in desk.app.clipboard


class TestThePorts:
    async def test_say_who_is_in_the_way(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("p")
            await desk.settled()
            assert "8000 is held by next dev (pid 4121)" in desk.text()
            assert "fixed" in desk.text()

            await desk.press("w")
            await desk.settled()
            assert "It is a process of yours that devinit did not start." in desk.text()

    async def test_are_set_by_hand_and_applied_by_a_restart(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("p")
            await desk.settled()
            await desk.press("s", *["backspace"] * 4, *"8002", "enter")
            await desk.press("y")
            await desk.settled()

            assert ("choose_port", {"service": "backend", "port": 8002}) in desk.link.asked
            assert [(method, params["services"]) for method, params in desk.link.orders] == [
                ("restart", ["backend"])
            ]

    async def test_are_not_set_outside_of_the_range(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("p")
            await desk.settled()
            await desk.press("s", *["backspace"] * 4, *"9000", "enter")

            assert "choose_port" not in [method for method, _ in desk.link.asked]

    async def test_move_to_the_next_free_one(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("p")
            await desk.settled()
            await desk.press("m", "n")
            await desk.settled()

            assert ("choose_port", {"service": "backend", "port": None}) in desk.link.asked
            assert desk.link.orders == []

    async def test_are_reset(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("p")
            await desk.settled()
            await desk.press("r", "n")
            await desk.settled()

            assert ("forget_ports", {"services": ["backend"]}) in desk.link.asked

    async def test_may_be_left_while_a_restart_on_another_port_is_under_way(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.patience = asyncio.Event()
            await desk.press("p")
            await desk.settled()
            page = desk.app.screen
            assert isinstance(page, PortsPage)
            await desk.press("m", "y")

            await desk.press("escape")
            desk.link.patience.set()
            page.look()  # as the end of an order does
            await desk.settled()

            assert desk.app.screen is desk.main

    async def test_are_freed_of_exactly_who_was_shown_and_only_after_a_yes(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("p")
            await desk.settled()
            await desk.press("k", "n")
            await desk.settled()
            assert "free_port" not in [method for method, _ in desk.link.asked]

            await desk.press("k", "y")
            await desk.settled()
            assert ("free_port", {"port": 8000, "holders": [HOLDER["identity"]]}) in desk.link.asked

    async def test_are_not_freed_of_who_must_not_be_ended(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            report = {**desk.link.answers["who"], "killable": False, "advice": "stop it with docker stop web"}
            desk.link.answers["who"] = report
            await desk.press("p")
            await desk.settled()
            await desk.press("k")
            await desk.settled()

            assert "Stop it with docker stop web." in desk.text()
            assert "free_port" not in [method for method, _ in desk.link.asked]


class TestAConflict:
    async def test_is_asked_about_and_the_order_repeated_with_the_answer(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.refusals = [port_question(CONFLICT)]
            await desk.press("r")
            assert isinstance(desk.app.screen, ConflictDialogue)
            for fact in ("held by next dev (pid 4121)", "/home/ada/blog", "npm run dev (40)", "move to 8001"):
                assert fact in desk.text()

            await desk.press("enter")
            await desk.settled()

            [_, (_, params)] = desk.link.orders
            assert params["resolutions"] == [
                {"service": "backend", "port": 8000, "kind": "move", "holders": [HOLDER["identity"]]}
            ]

    async def test_is_answered_for_good_once_the_start_is_over(self, open_desk: Open, pins: FakePins) -> None:
        async with open_desk() as desk:
            desk.link.refusals = [port_question({**CONFLICT, "service": "backend.metrics"})]
            await desk.press("r", "end", "up", "enter")
            assert "What is always to be done for backend?" in desk.text()
            await desk.press("down")
            assert not pins.kept
            await desk.press("enter")
            await desk.settled()

            assert [answer["kind"] for answer in desk.link.orders[1][1]["resolutions"]] == ["kill"]
            assert pins.kept == {"backend": "kill"}
            assert "kept for backend" in desk.text()

    @pytest.mark.parametrize("key", ["escape", "end"])
    async def test_may_be_answered_for_this_time_after_all(
        self, open_desk: Open, pins: FakePins, key: str
    ) -> None:
        async with open_desk() as desk:
            desk.link.refusals = [port_question(CONFLICT)]
            await desk.press("r", "end", "up", "enter", key)
            if key == "end":
                await desk.press("enter")
            assert "move to 8001" in desk.text()
            await desk.press("enter")
            await desk.settled()

            assert [answer["kind"] for answer in desk.link.orders[1][1]["resolutions"]] == ["move"]
            assert not pins.kept

    async def test_is_not_answered_for_good_where_there_is_no_place_for_it(
        self, open_desk: Open, pins: FakePins
    ) -> None:
        pins.exists = False
        async with open_desk() as desk:
            desk.link.refusals = [port_question(CONFLICT)]
            await desk.press("r", "end", "up", "enter")

            assert "An answer for good needs a place" in desk.text()
            assert "move to 8001" in desk.text()

    async def test_that_nobody_wants_to_answer_changes_nothing(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.refusals = [port_question(CONFLICT)]
            await desk.press("r", "escape")
            await desk.settled()

            assert len(desk.link.orders) == 1
            assert "nothing was started" in desk.text()
            assert "at a terminal" not in desk.text()

    async def test_of_several_ports_is_asked_one_by_one_if_somebody_wants_that(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            desk.link.refusals = [port_question(CONFLICT, {**CONFLICT, "service": "frontend", "port": 3000})]
            await desk.press("r")
            assert "2 ports are taken" in desk.text()
            await desk.press("down", "enter")
            assert "1 of 2" in desk.text()
            await desk.press("down", "enter")
            assert "2 of 2" in desk.text()
            await desk.press("enter")
            await desk.settled()

            kinds = [answer["kind"] for answer in desk.link.orders[1][1]["resolutions"]]
            assert kinds == ["kill", "move"]

    async def test_of_several_ports_says_how_many_processes_the_suggestions_end(
        self, open_desk: Open
    ) -> None:
        left_over = {"kind": "orphan", "choices": ["kill", "move", "retry", "abort"], "default": "kill"}
        frontend = {**CONFLICT, **left_over, "service": "frontend", "port": 3000, "ends": 2}
        async with open_desk() as desk:
            desk.link.refusals = [port_question(CONFLICT, frontend)]
            await desk.press("r")

            assert "accept all suggestions (ends 2 processes)" in desk.text()
            assert "kill 4121, ends 2 processes" in desk.text()
            await desk.press("down", "enter")
            assert "kill 4121 (next dev), ends 1 process" in desk.text()

    async def test_of_several_ports_is_answered_with_one_key_where_no_answer_harms(
        self, open_desk: Open
    ) -> None:
        strict = {"move_to": None, "choices": ["retry", "abort"], "default": "retry"}
        async with open_desk() as desk:
            desk.link.refusals = [
                port_question(
                    CONFLICT,
                    {**CONFLICT, "service": "frontend", "port": 3000, "move_to": 3001},
                    {**CONFLICT, "service": "mailer", "port": 8025, **strict},
                )
            ]
            await desk.press("r")
            for text in ("move to 8001", "move to 3001", "you decide", "then ask about mailer"):
                assert text in desk.text()
            await desk.press("enter")
            assert "Port 8025, which mailer wants" in desk.text()
            await desk.press("enter")
            await desk.settled()

            answers = desk.link.orders[1][1]["resolutions"]
            assert [(each["service"], each["kind"]) for each in answers] == [
                ("backend", "move"),
                ("frontend", "move"),
                ("mailer", "retry"),
            ]

    @pytest.mark.parametrize("keys", [("escape",), ("enter", "escape"), ("down", "down", "enter")])
    async def test_of_several_ports_may_be_left_unanswered(
        self, open_desk: Open, keys: tuple[str, ...]
    ) -> None:
        undecided = {**CONFLICT, "service": "mailer", "port": 8025, "default": "abort"}
        async with open_desk(80, 24) as desk:
            desk.link.refusals = [port_question(CONFLICT, undecided)]
            await desk.press("r")
            for key in keys:
                await desk.press(key)
            await desk.settled()

            assert len(desk.link.orders) == 1


class TestAnErrorOfTheSupervisor:
    async def test_is_shown_with_what_to_do(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            answer = {
                "message": "devinit.toml cannot be read",
                "data": {"hint": "line 3: a quote is missing"},
            }
            desk.link.refusals = [RemoteError(answer)]
            await desk.press("r")
            await desk.settled()

            assert "devinit.toml cannot be read" in desk.text()
            assert "line 3: a quote is missing" in desk.text()

"""Specifies who gets into the dashboard in a browser."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from devinit.dashboard.web.door import Admission, Door, Visit

HERE = "127.0.0.1:24300"


@pytest.fixture
def door() -> Door:
    return Door(24300)


def token_of(door: Door) -> str:
    return parse_qs(urlsplit(door.link).query)["token"][0]


def session_of(door: Door) -> str:
    return door.cookie.partition(";")[0].partition("=")[2]


def link(door: Door, host: str = HERE, method: str = "GET", path: str = "/", ticket: str = "") -> Visit:
    return Visit(method=method, path=path, host=host, token=token_of(door), ticket=ticket)


def inside(door: Door, path: str = "", *, host: str = HERE) -> Visit:
    return Visit(method="GET", path=door.folder + path, host=host, session=session_of(door))


def terminal(door: Door, origin: str, host: str = HERE) -> Visit:
    return Visit(
        method="GET",
        path=f"{door.folder}ws",
        host=host,
        origin=origin,
        session=session_of(door),
        opens_terminal=True,
    )


class TestTheLink:
    def test_opens_the_door_once(self, door: Door) -> None:
        assert door.judge(link(door)) is Admission.EXCHANGE
        assert door.judge(link(door)) is Admission.USED

    def test_is_no_alarm_in_the_browser_that_used_it(self, door: Door) -> None:
        ticket = door.ticket.partition(";")[0].partition("=")[2]
        assert door.judge(link(door, ticket=ticket)) is Admission.EXCHANGE

        assert door.judge(link(door, ticket=ticket)) is Admission.USED_HERE
        assert door.judge(link(door, ticket="x")) is Admission.USED
        assert ticket not in door.cookie + door.link + door.folder
        # What other servers on this address are sent opens nothing.
        for path in ("/", door.folder):
            visit = Visit(method="GET", path=path, host=HERE, session=ticket, ticket=ticket)
            assert door.judge(visit) is Admission.UNKNOWN

    @pytest.mark.parametrize("token", ["", "x", "ü", "\udcff"])
    def test_is_not_guessed_and_not_used_up_by_guessing(self, door: Door, token: str) -> None:
        assert door.judge(Visit(method="GET", path="/", host=HERE, token=token)) is Admission.UNKNOWN
        assert door.judge(link(door)) is Admission.EXCHANGE

    @pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
    def test_is_not_used_up_by_who_only_looks_at_it(self, door: Door, method: str) -> None:
        assert door.judge(link(door, method=method)) is Admission.UNKNOWN
        assert door.judge(link(door)) is Admission.EXCHANGE

    def test_opens_nothing_else(self, door: Door) -> None:
        assert door.judge(link(door, path=door.folder)) is Admission.UNKNOWN

    def test_is_for_this_address_alone(self, door: Door) -> None:
        assert door.link.startswith(f"http://{HERE}/?")

    def test_of_another_server_is_another_one(self, door: Door) -> None:
        other = Door(24300)

        assert door.judge(link(other)) is Admission.UNKNOWN
        assert door.judge(Visit(method="GET", path=door.folder, host=HERE, session=session_of(other))) is (
            Admission.UNKNOWN
        )


class TestASession:
    @pytest.mark.parametrize("path", ["", "static/js/textual.js", "ws"])
    def test_is_let_in_everywhere(self, door: Door, path: str) -> None:
        assert door.judge(inside(door, path)) is Admission.WELCOME

    @pytest.mark.parametrize("session", ["", "x", "é"])
    @pytest.mark.parametrize("path", ["", "static/js/textual.js", "ws"])
    def test_is_needed_everywhere(self, door: Door, path: str, session: str) -> None:
        visit = Visit(method="GET", path=door.folder + path, host=HERE, session=session)

        assert door.judge(visit) is Admission.UNKNOWN

    @pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/download/1", "", "//", "/../"])
    def test_is_worth_nothing_outside_of_its_folder(self, door: Door, path: str) -> None:
        visit = Visit(method="GET", path=path, host=HERE, session=session_of(door))

        assert door.judge(visit) is Admission.UNKNOWN

    def test_cannot_be_read_by_a_page_nor_sent_by_another_site_or_port(self, door: Door) -> None:
        _, *attributes = door.cookie.split("; ")

        assert attributes == [f"Path={door.folder}", "HttpOnly", "SameSite=Strict"]
        assert len(door.folder) > 30


class TestTheNameOfTheServer:
    @pytest.mark.parametrize("host", ["127.0.0.1:24300", "localhost:24300", "LOCALHOST:24300", "[::1]:24300"])
    def test_may_be_any_of_loopback(self, door: Door, host: str) -> None:
        assert door.judge(inside(door, host=host)) is Admission.WELCOME

    @pytest.mark.parametrize(
        "host",
        [
            "",
            "evil.example:24300",
            "127.0.0.1",
            "127.0.0.1:80",
            "localhost.evil.example:24300",
            "10.0.0.1:24300",
        ],
    )
    def test_is_no_other_with_whatever_else_is_right(self, door: Door, host: str) -> None:
        assert door.judge(inside(door, host=host)) is Admission.WRONG_HOST
        assert door.judge(link(door, host=host)) is Admission.WRONG_HOST
        assert door.judge(link(door)) is Admission.EXCHANGE


class TestATerminal:
    @pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
    def test_is_opened_for_our_own_page(self, door: Door, name: str) -> None:
        assert door.judge(terminal(door, f"http://{name}:24300", f"{name}:24300")) is Admission.WELCOME

    @pytest.mark.parametrize(
        "origin",
        [
            "",
            "null",
            "http://evil.example",
            "http://127.0.0.1:3000",
            f"https://{HERE}",
            "http://localhost:24300",
        ],
    )
    def test_is_not_opened_for_any_other_page_nor_for_none(self, door: Door, origin: str) -> None:
        assert door.judge(terminal(door, origin)) is Admission.WRONG_ORIGIN

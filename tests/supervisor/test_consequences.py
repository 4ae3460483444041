"""Specifies what a person is told that moving a service changes, and a warning where nobody was asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.model.port import GrantedPort, Resolution, ResolutionKind
from devinit.model.service import Service
from devinit.supervisor.reporting.consequences import changed_names, warning_of

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop, Stranger

MOVED = GrantedPort(service="web", port=3001, preferred=3000, moved_from=3000)


def web(*registered: int) -> Service:
    return Service(name="web", directory=Path("/"), oauth_redirect_ports=registered)


class TestTheNamesThatChange:
    def test_are_those_that_hold_an_address(self) -> None:
        before = {"WEB_PORT": "3000", "WEB_URL": "http://localhost:3000", "HOST": "127.0.0.1"}
        after = {"WEB_PORT": "3001", "WEB_URL": "http://localhost:3001", "HOST": "127.0.0.1"}

        assert changed_names(before, after) == ["WEB_URL"]

    def test_are_the_numbers_where_nothing_else_tells(self) -> None:
        assert changed_names({"WEB_PORT": "3000"}, {"WEB_PORT": "3001"}) == ["WEB_PORT"]


class TestTheWarning:
    def test_is_given_for_a_port_that_is_not_registered(self) -> None:
        text = warning_of(web(3000, 3005), MOVED)

        assert text is not None
        assert text.startswith("web has port 3001, and its OAuth redirect is registered for 3000 and 3005:")

    def test_is_not_given_to_whoever_chose_to_move(self) -> None:
        answer = Resolution(service="web", port=3000, kind=ResolutionKind.MOVE)

        assert warning_of(web(3000), MOVED, [answer]) is None

    @pytest.mark.parametrize("registered", [(), (3000, 3001)])
    def test_is_not_given_without_a_reason(self, registered: tuple[int, ...]) -> None:
        assert warning_of(web(*registered), MOVED) is None


class TestAStart:
    def test_asks_with_what_moving_changes(
        self, shop: Shop, free_ports: FreePorts, stranger: Stranger
    ) -> None:
        port, other = free_ports(2)
        stranger(port)
        shop.service("frontend", port=port, oauth_redirect_ports=[port])
        shop.service("backend", port=other)
        shop.up("backend")

        with shop.subscribe() as supervisor:
            error = supervisor.ask("start", services=["frontend"], on_conflict="ask")

        [conflict] = error["data"]["conflicts"]
        names = conflict["changes"][0].removeprefix(".env.runtime: ").split(", ")
        assert {"FRONTEND_URL", "CORS_ORIGINS", "ALLOWED_ORIGINS", "CORS_ORIGINS_JSON"} == set(names)
        assert conflict["changes"][1:] == [f"the OAuth redirect registered for port {port}"]

    def test_warns_where_nobody_is_asked(self, shop: Shop, port: int, stranger: Stranger) -> None:
        stranger(port)
        shop.service("web", port=port, oauth_redirect_ports=[port])

        command = shop.up()

        [note] = [each for each in command.seen if each["type"] == "note"]
        assert note["service"] == "web"
        assert f"has port {port + 1}, and its OAuth redirect is registered for {port}:" in note["message"]

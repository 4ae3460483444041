"""Specifies `devinit.supervisor.service.binding`: what counts as a port that is taken, and as one never asked for."""

from __future__ import annotations

import re

import pytest

from devinit.supervisor.diagnosis.causes import IN_USE, ports_in_use
from tests.supervisor.conftest import Command, Shop, Stranger


class TestTheOutputOfAProgramThatCouldNotBind:
    @pytest.mark.parametrize(
        "line",
        [
            "OSError: [Errno 98] Address already in use",
            "ERROR:    [Errno 98] error while attempting to bind on address: address already in use",
            "Error: listen EADDRINUSE: address already in use 127.0.0.1:3000",
            "Error: Port 5173 is already in use",
            "Error: That port is already in use.",
            "Web server failed to start. Port 8080 was already in use.",
            "Port 5000 is in use by another program.",
            "error: Failed to start server. Is port 3000 in use?",
            "Something is already running on port 3000.",
            "error: Uncaught (in promise) AddrInUse: Address already in use (os error 98)",
            "listen tcp 127.0.0.1:8080: bind: address already in use",
            "Only one usage of each socket address is normally permitted.",
            "** (EXIT) :eaddrinuse",
        ],
    )
    def test_is_recognised(self, line: str) -> None:
        assert re.search(IN_USE, f"starting\n{line}\n")

    @pytest.mark.parametrize(
        "line",
        [
            "listening on port 3000",
            "relation already exists",
            "the portal is in use by two clients",
            "password authentication failed",
            "ModuleNotFoundError: No module named 'app'",
        ],
    )
    def test_is_not_taken_for_it(self, line: str) -> None:
        assert not re.search(IN_USE, line)


class TestThePortThatIsInUse:
    @pytest.mark.parametrize(
        ("line", "ports"),
        [
            ("Error: listen EADDRINUSE: address already in use 127.0.0.1:3000", [3000]),
            ("Error: listen EADDRINUSE: address already in use :::3000", [3000]),
            ("[Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use", [8000]),
            ("2026/11/21 03:21:39 listen tcp :8080: bind: address already in use", [8080]),
            ("Error: Port 5173 is already in use", [5173]),
            ("OSError: [Errno 98] Address already in use", []),
            ("listening on port 3000", None),
        ],
    )  # fmt: skip
    def test_is_read_where_it_is_named(self, line: str, ports: list[int] | None) -> None:
        assert ports_in_use(f"port 1234\n{line}\nat port 4321\n") == ports


def reason(command: Command) -> str:
    assert command.finish() == 3
    [service] = command.seen[-1]["services"]
    return str(service["reason"])


class TestAServiceWithAPortInItsCommand:
    """Whatever it is given, it asks for the port that a stranger has."""

    def test_fails_at_once_with_who_has_that_port(self, shop: Shop, port: int, stranger: Stranger) -> None:
        pid = stranger(port)
        shop.service("web", f"elsewhere={port}", f"say=EADDRINUSE:{port}", port=port)

        said = reason(shop.begin("start"))

        assert re.match(
            rf"it asks for port {port} instead of \d+, and that is held by .* \(pid {pid}\): ", said
        )
        assert "must use ${PORT}" in said
        assert shop.log("web").count("starts on port") == 1

    def test_fails_after_one_more_try_when_it_does_not_name_the_port(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        stranger(port)
        shop.service("web", f"elsewhere={port}", port=port)

        said = reason(shop.begin("start"))

        assert re.match(r"it asks for a port that is in use, and \d+, which it was given, is not: ", said)
        assert "must use ${PORT}" in said
        assert shop.log("web").count("starts on port") == 2

    def test_fails_when_it_shares_that_port_with_the_stranger(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        pid = stranger(port, "::1")
        shop.service("web", f"elsewhere={port}", port=port)

        said = reason(shop.begin("start"))

        assert re.match(
            rf"it asks for port {port} instead of \d+, and that is held by .* \(pid {pid}\): ", said
        )
        assert shop.log("web").count("starts on port") == 1

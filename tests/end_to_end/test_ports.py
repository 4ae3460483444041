"""Ports that somebody else has: moved, or freed when that was asked for; and two checkouts side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from subprocess import Popen
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.end_to_end.conftest import listen
from tests.end_to_end.guestbook import SERVICES, Guestbook, Outcome, Page, Refused

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Checkouts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Stranger = Callable[[int], Popen[str]]


class Moved(NamedTuple):
    """A checkout that was started while strangers had all of its ports."""

    guestbook: Guestbook
    outcome: Outcome
    preferred: dict[str, int]
    strangers: ExitStack


@pytest.fixture(scope="module")
def moved(checkout_of_module: Checkouts) -> Iterator[Moved]:
    guestbook = checkout_of_module("guestbook")
    preferred = guestbook.preferred
    with ExitStack() as strangers:
        for port in preferred.values():
            strangers.enter_context(listen(port))
        yield Moved(guestbook, guestbook.start(), preferred, strangers)


class TestAllFourPortsTakenByStrangers:
    def test_every_service_moves_to_the_next_port(self, moved: Moved) -> None:
        assert moved.guestbook.phases() == dict.fromkeys(SERVICES, "ready")
        assert moved.guestbook.ports() == {service: port + 1 for service, port in moved.preferred.items()}

    def test_the_summary_says_where_each_one_came_from(self, moved: Moved) -> None:
        rows = {line.split()[1]: line for line in moved.outcome.out.splitlines() if line.startswith("✓")}

        assert all(f"moved from {port}" in rows[service] for service, port in moved.preferred.items()), rows

    def test_the_page_talks_to_the_backend_that_moved(self, moved: Moved) -> None:
        page = moved.guestbook.page()

        assert page.api_url == f"http://localhost:{moved.preferred['backend'] + 1}"
        assert page.pin("we moved")["message"] == "we moved"
        assert page.visit() > 0

    def test_the_backend_no_longer_trusts_the_port_that_the_frontend_left(self, moved: Moved) -> None:
        left = Page(moved.guestbook.url("frontend"), f"http://localhost:{moved.preferred['frontend']}")

        with pytest.raises(Refused):
            left.preflight("POST", "/api/notes")

    def test_the_files_say_the_new_ports(self, moved: Moved) -> None:
        guestbook, ports = moved.guestbook, moved.guestbook.ports()
        values = guestbook.runtime_environment

        assert guestbook.remembered == ports
        assert {service: int(values[f"{service.upper()}_PORT"]) for service in SERVICES} == ports
        assert f":{ports['postgres']}/" in values["DATABASE_URL"]
        assert values["CORS_ORIGINS"].split(",") == [
            f"http://{host}:{ports['frontend']}" for host in ("localhost", "127.0.0.1")
        ]
        assert json.loads(guestbook.discovery.read_text())["port"] == ports["backend"]

    def test_the_next_start_stays_there_although_the_strangers_have_gone(self, moved: Moved) -> None:
        before = moved.guestbook.ports()
        moved.strangers.close()

        moved.guestbook.stop()
        outcome = moved.guestbook.start("--json")

        assert moved.guestbook.ports() == before
        assert {
            event["port"]: event["attempts"] for event in outcome.events if event["type"] == "port"
        } == dict.fromkeys(before.values(), 1)
        assert moved.guestbook.page().ask("GET", "/api/notes")


class TestAStrangerOnTheBackendsPort:
    def test_is_ended_in_force_mode_and_its_port_used(self, checkout: Checkouts, stranger: Stranger) -> None:
        guestbook = checkout()
        port = guestbook.preferred["backend"]
        process = stranger(port)

        outcome = guestbook.start("--json", FORCE_MODE="true")

        assert process.wait(10) != 0
        assert guestbook.ports() == guestbook.preferred
        [told] = [
            event for event in outcome.events if event["type"] == "port" and event["service"] == "backend"
        ]
        assert len(told["killed"]) == 1
        assert str(process.pid) in told["killed"][0]
        assert guestbook.page().ask("GET", "/api/visits") == {"visits": 0}

    def test_is_left_alone_without_force_and_the_move_is_told(
        self, checkout: Checkouts, stranger: Stranger
    ) -> None:
        guestbook = checkout()
        port = guestbook.preferred["backend"]
        process = stranger(port)

        outcome = guestbook.start()

        assert process.poll() is None
        assert guestbook.ports() == guestbook.preferred | {"backend": port + 1}
        assert f"moved from {port}" in outcome.out
        assert f"pid {process.pid}" in outcome.talk
        assert guestbook.page().ask("GET", "/api/visits") == {"visits": 0}

    def test_makes_a_start_fail_that_must_not_move(self, checkout: Checkouts, stranger: Stranger) -> None:
        guestbook = checkout()
        process = stranger(guestbook.preferred["backend"])

        outcome = guestbook.start(code=3, SKIP_PORT_DISCOVERY="true")

        assert f"pid {process.pid}" in outcome.talk
        assert process.poll() is None
        assert guestbook.leased() == []


class TestTwoCheckouts:
    def test_run_side_by_side_each_page_on_its_own_backend(self, checkout: Checkouts) -> None:
        one = checkout("Gästebuch zwei 二号")
        other = checkout("guestbook", on=one.machine)
        other.prefer(one.preferred)

        one.start()
        other.start()

        ports, others = one.ports(), other.ports()
        assert ports == one.preferred
        assert not set(ports.values()) & set(others.values())
        page, other_page = one.page(), other.page()
        assert page.api_url == one.url("backend")
        assert other_page.api_url == other.url("backend")
        page.pin("from the first folder")
        other_page.pin("from the second folder")
        assert "from the first folder" in page.messages()
        assert "from the first folder" not in other_page.messages()
        assert [page.visit(), page.visit(), other_page.visit()] == [1, 2, 1]
        with pytest.raises(Refused):
            Page(other.url("frontend"), origin=one.url("frontend")).ask("GET", "/api/notes")

        one.stop()

        assert other.phases() == dict.fromkeys(SERVICES, "ready")
        assert "from the second folder" in other_page.messages()
        assert one.processes() == []

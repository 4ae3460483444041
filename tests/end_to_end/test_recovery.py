"""Processes that die by SIGKILL: the supervisor, PostgreSQL, the backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.guestbook import SERVICES, Guestbook

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Checkouts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class TestAKilledSupervisor:
    @pytest.fixture
    def guestbook(self, checkout: Checkouts) -> Guestbook:
        guestbook = checkout()
        guestbook.start()
        return guestbook

    def test_is_not_missed_and_its_successor_takes_everything_over(self, guestbook: Guestbook) -> None:
        before, page = guestbook.pids(), guestbook.page()
        supervisor = guestbook.status()["supervisor"]["pid"]

        guestbook.kill(supervisor)

        assert page.pin("nobody watches")["message"] == "nobody watches"
        assert guestbook.leased() == sorted(guestbook.remembered.values())

        after = guestbook.status()

        assert after["supervisor"]["pid"] != supervisor
        assert {service["name"]: service["pid"] for service in after["services"]} == before
        assert {service["phase"] for service in after["services"]} == {"ready"}
        assert page.visit() == 1

        guestbook.stop()

        assert guestbook.processes() == []
        assert guestbook.listening() == []
        assert guestbook.leased() == []


class TestAKilledSupervisorWhoseRecordIsLost:
    """Redis writes over its environment, and so over the mark by which a service's processes are found."""

    def test_leaves_nothing_that_a_stop_does_not_find(self, checkout: Checkouts) -> None:
        guestbook = checkout()
        guestbook.start()
        guestbook.kill(guestbook.status()["supervisor"]["pid"])
        (guestbook.state / "state.json").unlink()

        guestbook.stop()

        assert guestbook.leased() == []
        assert guestbook.listening() == []
        assert guestbook.processes() == []


@pytest.fixture(scope="module")
def guestbook(checkout_of_module: Checkouts) -> Guestbook:
    guestbook = checkout_of_module("guestbook")
    guestbook.start()
    return guestbook


class TestAKilledPostmaster:
    def test_is_replaced_and_has_every_row(self, guestbook: Guestbook) -> None:
        before, page = guestbook.services(), guestbook.page()
        page.pin("committed before the crash")

        with guestbook.events() as events:
            guestbook.kill(before["postgres"]["pid"])
            events.until_phase("postgres", "ready")

        after = guestbook.services()
        assert after["postgres"]["port"] == before["postgres"]["port"]
        assert after["postgres"]["restarts"] == before["postgres"]["restarts"] + 1
        assert after["backend"]["pid"] == before["backend"]["pid"]
        assert "committed before the crash" in page.messages()


class TestAKilledBackend:
    def test_is_back_on_its_port_without_what_it_left(self, guestbook: Guestbook) -> None:
        before, page = guestbook.services(), guestbook.page()
        # The reloader; the server itself is its child and outlives it for a moment, with the port.
        reloader = before["backend"]["pid"]
        children = {process.pid for process in guestbook.processes()} - {reloader}

        with guestbook.events() as events:
            guestbook.kill(reloader)
            events.until_phase("backend", "ready")

        after = guestbook.services()
        assert after["backend"]["port"] == before["backend"]["port"]
        assert after["backend"]["restarts"] == before["backend"]["restarts"] + 1
        assert {name: after[name]["pid"] for name in SERVICES if name != "backend"} == {
            name: before[name]["pid"] for name in SERVICES if name != "backend"
        }
        listeners = {
            process.pid
            for process in guestbook.processes()
            if "multiprocessing-fork" in str(process.cmdline())
        }
        assert not listeners & children
        assert page.visit() > 0
        assert guestbook.phases() == dict.fromkeys(SERVICES, "ready")

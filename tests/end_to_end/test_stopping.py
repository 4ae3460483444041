"""What `devinit stop` leaves behind: the data, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.guestbook import SERVICES, Guestbook

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Checkouts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LONGEST_STOP_SECONDS = 6


@pytest.fixture(scope="module")
def guestbook(checkout_of_module: Checkouts) -> Guestbook:
    """A checkout that was used and stopped."""
    guestbook = checkout_of_module("stopped")
    guestbook.start()
    page = guestbook.page()
    page.pin("before the stop")
    page.visit()
    assert guestbook.leased() == sorted(guestbook.remembered.values())
    assert guestbook.stop().seconds < LONGEST_STOP_SECONDS
    return guestbook


class TestAfterAStop:
    def test_no_process_is_left(self, guestbook: Guestbook) -> None:
        assert guestbook.processes() == []

    def test_nobody_listens(self, guestbook: Guestbook) -> None:
        assert guestbook.listening() == []

    def test_no_lease_is_held(self, guestbook: Guestbook) -> None:
        assert guestbook.leased() == []

    def test_no_file_says_that_something_runs(self, guestbook: Guestbook) -> None:
        assert not guestbook.discovery.exists()
        assert list((guestbook.state / "pids").iterdir()) == []
        assert list(guestbook.machine.runtime.glob("devinit/*.sock")) == []

    def test_status_says_that_nothing_runs(self, guestbook: Guestbook) -> None:
        assert guestbook.phases() == dict.fromkeys(SERVICES, "stopped")
        assert guestbook.status()["supervisor"] is None

    def test_another_stop_is_no_error(self, guestbook: Guestbook) -> None:
        assert guestbook.devinit("stop").talk == "nothing runs\n"

    def test_rows_and_counter_are_there_after_the_next_start(self, guestbook: Guestbook) -> None:
        guestbook.start()

        page = guestbook.page()
        assert "before the stop" in page.messages()
        assert page.visits() == 1


class TestOneService:
    def test_is_stopped_and_started_beside_the_others(self, checkout: Checkouts) -> None:
        guestbook = checkout()
        guestbook.start()
        before = guestbook.pids()

        guestbook.devinit("stop", "frontend")

        assert guestbook.phases() == dict.fromkeys(SERVICES, "ready") | {"frontend": "stopped"}
        assert guestbook.listening() == [
            port for name, port in guestbook.remembered.items() if name != "frontend"
        ]

        guestbook.devinit("restart", "backend")
        guestbook.devinit("start", "frontend")

        after = guestbook.pids()
        assert {name for name in SERVICES if after[name] != before[name]} == {"backend", "frontend"}
        assert guestbook.page().visit() == 1

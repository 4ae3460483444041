"""Specifies `devinit.supervisor.readiness.rest`: when a service without a port counts as ready."""

from __future__ import annotations

import json

import pytest

from devinit.supervisor.readiness.rest import BUSY_SECONDS, LOADING_SHARE, wants_little
from devinit.system.procfs import LINUX
from tests.supervisor.conftest import Shop
from tests.supervisor.test_awaiting import WORKER, command

pytestmark = pytest.mark.skipif(not LINUX, reason="measures CPU time in /proc")

BUSY = "while True: pass"


def seconds_until_ready(shop: Shop) -> float:
    """Start, and return how long the worker took."""
    done = shop("start", "--json=summary")
    assert done.returncode == 0, done.stderr
    took: float = next(
        each["ready_seconds"] for each in json.loads(done.stdout)["services"] if each["service"] == "worker"
    )
    return took


class TestAWorker:
    def test_that_ends_while_it_loads_fails_the_start_with_the_cause(self, shop: Shop) -> None:
        shop.service("worker", command=command(shop.root / "worker.py", WORKER))

        done = shop("start")

        assert done.returncode == 1
        assert "No module named 'celery'" in done.stderr

    def test_keeps_what_depends_on_it_waiting_until_it_has_loaded(self, shop: Shop) -> None:
        shop.service("worker", command=f"{command(shop.root / 'worker.py', WORKER)} restful")
        shop.service("page", command="touch begun", depends_on=["worker"])

        assert seconds_until_ready(shop) >= 1.6

    def test_at_rest_is_ready_after_a_second(self, shop: Shop) -> None:
        shop.service("worker", command="sleep 1000")

        assert 1.0 <= seconds_until_ready(shop) < BUSY_SECONDS

    def test_that_is_busy_all_the_time_is_ready_all_the_same(self, shop: Shop) -> None:
        shop.service("worker", command=command(shop.root / "worker.py", BUSY))

        assert seconds_until_ready(shop) >= BUSY_SECONDS


class TestTheShareOfACpu:
    @pytest.mark.parametrize(
        ("wanted", "is_little"), [(0.0, True), (LOADING_SHARE / 2 - 0.01, True), (0.2, False), (-0.1, False)]
    )
    def test_is_little_for_one_that_waits(self, wanted: float, is_little: bool) -> None:
        assert wants_little(wanted, 0.5) is is_little

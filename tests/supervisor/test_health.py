"""Specifies health checks with real processes: what is told, who is restarted, and that nobody is asked unasked."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.logs.keeper import REPORT_SECONDS
from devinit.supervisor.readiness.crashes import QUIET_SECONDS

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop

OFTEN = {"every": 0.05, "failures": 2}


class TestAServiceThatStopsAnswering:
    def test_is_unhealthy_with_what_was_seen_and_ready_again_when_it_answers(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", f"sick-while={shop.root}/sick", port=port, health={"http": "/", **OFTEN})
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "sick").touch()
            told = events.until(type="phase", service="web", phase="unhealthy")
            status = shop.status()["web"]
            (shop.root / "sick").unlink()
            again = events.until(type="phase", service="web", phase="ready")

        assert told["reason"] == "GET / answered 503"
        assert (status["phase"], status["reason"]) == ("unhealthy", "GET / answered 503")
        assert again["pid"] == status["pid"]
        assert "Unhealthy" not in shop("status").stdout

    def test_does_not_stop_its_dependants_and_holds_later_ones_back_until_it_is_well(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(3)
        shop.service("web", port=ports[0], health={"exec": "test ! -e sick", **OFTEN})
        shop.service("early", port=ports[1], depends_on=["web"])
        shop.service("late", port=ports[2], depends_on=["web"])
        shop.up("early")
        early = shop.status()["early"]["pid"]
        with shop.subscribe() as events:
            (shop.root / "sick").touch()
            events.until(type="phase", service="web", phase="unhealthy")
            start = shop.begin("start", "late")
            blocked = start.until(type="phase", service="late", reason="waits for web, which is unhealthy")
            assert start.finish() == 1
            (shop.root / "sick").unlink()
            events.until(type="phase", service="late", phase="ready")

        assert blocked["phase"] == "waiting"
        assert shop.status()["early"]["pid"] == early

    def test_is_started_again_when_that_is_wanted(self, shop: Shop, port: int) -> None:
        # The service itself takes the mark away when it is started again.
        shop.service(
            "web",
            port=port,
            before_start="rm -f sick",
            health={"exec": "test ! -e sick", **OFTEN, "restart_after": 3},
        )
        shop.up()
        before = shop.status()["web"]["pid"]
        with shop.subscribe() as events:
            (shop.root / "sick").touch()
            told = events.until(type="phase", service="web", phase="backoff")
            (shop.root / "sick").unlink()
            events.until(type="phase", service="web", phase="ready")

        after = shop.status()["web"]
        assert told["reason"].startswith("unhealthy, 3 checks failed: `test ! -e sick` exited with code 1")
        assert after["pid"] != before
        assert after["restarts"] == 1
        assert not Path(f"/proc/{before}").exists()

    def test_is_not_well_because_the_kernel_still_connects(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, health={"tcp": True, "every": 0.05, "failures": 2, "timeout": 0.3})
        shop.up()
        pid = shop.status()["web"]["pid"]
        with shop.subscribe() as events:
            os.kill(pid, signal.SIGSTOP)
            told = events.until(type="phase", service="web", phase="unhealthy")
            os.kill(pid, signal.SIGCONT)
            events.until(type="phase", service="web", phase="ready")

        assert told["reason"] == "it listens, but no process accepted a connection within 0.3 s"

    def test_is_looked_after_by_the_next_supervisor_too(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, health={"exec": "test ! -e sick", **OFTEN})
        shop.up()
        shop.kill_supervisor()
        shop.status()
        with shop.subscribe() as events:
            (shop.root / "sick").touch()

            assert events.until(type="phase", service="web", phase="unhealthy")["reason"]


class TestAServiceThatIsWell:
    def test_is_asked_for_nothing_unless_that_is_configured(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        supervisor = shop.supervisor()

        with shop.subscribe() as events:
            # After its last words it is looked at for a while: a worker may end a moment after them.
            for seconds in (REPORT_SECONDS + QUIET_SECONDS + 1, 1.5):
                before = switches(supervisor)
                events.socket.settimeout(seconds)
                with pytest.raises(TimeoutError):
                    events.socket.recv(1)

        # Ten a second would be a poll: what is left is the subscription itself.
        assert switches(supervisor) - before < 10


def switches(pid: int) -> int:
    """Return how often a process has waited: it did so each time before it was woken."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^voluntary_ctxt_switches:\s*(\d+)", text, re.MULTILINE)
    assert found
    return int(found[1])

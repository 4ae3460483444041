"""Specifies that lines are told with the time at which they were printed, whatever happened to who looked."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.places import state_of

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop, Until

PRINTING = """
import signal, sys, time

def say(*_):
    print(sys.argv[1], time.time(), flush=True)

def bye(*_):
    for _ in range(3):
        say()
        time.sleep(0.1)
    sys.exit(0)

signal.signal(signal.SIGTERM, bye)
say()
while len(sys.argv) == 2:
    # Mostly it is silent, as a server is that is not asked.
    time.sleep(1.5)
    for _ in range(3):
        say()
        time.sleep(0.1)
"""
SILENCE = 1.5
"""Of a service that is not asked."""
TOLERANCE = 1.0
"""A hundred milliseconds are meant; a machine that is busy lets everyone be late."""


class TestEveryLine:
    @pytest.fixture
    def printing(self, shop: Shop) -> Shop:
        """Two services that print the time, as do the commands before them."""
        (shop.root / "say.py").write_text(PRINTING)
        say = f"{sys.executable} -S -E say.py"
        for name in ("web", "worker"):
            shop.service(
                name,
                command=f"{say} {name}",
                setup=f"{say} {name}-setup once",
                before_start=[f"{say} {name}-migrate once", f"{say} {name}-seed once"],
                ready={"after": 0.5},
            )
        return shop

    def test_has_the_time_at_which_it_was_printed_over_runs_stops_and_a_dead_supervisor(
        self, printing: Shop, until: Until
    ) -> None:
        def more() -> None:
            there = printing.log("web").count("\n")
            log = state_of(printing.root) / "logs" / "web.log"
            until(lambda: printing.log("web").count("\n") > there + 3, log)

        printing.up()
        more()
        printing("restart")
        more()
        printing("stop")
        printing.up()
        more()
        killed = time.time()
        printing.kill_supervisor()
        more()
        printing.up()
        back = time.time()
        more()
        printing("stop")

        told = [json.loads(line) for line in printing("logs", "--json", "-n", "1000").stdout.splitlines()]
        lines = [
            (
                line["line"].split()[0],
                float(line["line"].split()[1]),
                datetime.fromisoformat(line["time"]).timestamp(),
            )
            for line in told
            if "---" not in line["line"]
        ]
        assert {name for name, _, _ in lines} >= {"web", "web-setup", "web-migrate", "worker-seed"}
        wrong = [line for line in lines if abs(line[1] - line[2]) > TOLERANCE]
        # What was printed while no supervisor lived is told with a time of that gap, which begins with the last line before.
        assert [line for line in wrong if not killed < line[1] < back] == []
        begins = killed - SILENCE - TOLERANCE
        assert [line for line in wrong if not begins < line[2] < back + TOLERANCE] == []

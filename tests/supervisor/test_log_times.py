"""Specifies that lines are told with the time at which they were printed, whatever happened to who looked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.kinds.conftest import any_postgres
from tests.places import state_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import Shop, Until

__all__ = ["any_postgres"]

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

EXACT = 0.1
"""Seconds: where the time stands in the line."""


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


class TestALineThatSaysItsTime:
    def test_has_that_time_although_no_supervisor_lived_when_it_was_printed(
        self, shop: Shop, port: int, any_postgres: Path
    ) -> None:
        shop.server("postgres", provider="postgres", port=port, binaries=str(any_postgres))
        shop.up()
        url = shop.environment()["DATABASE_URL"]

        def say() -> None:
            sql = "DO $$ BEGIN RAISE LOG 'said at %', extract(epoch FROM clock_timestamp()); END $$"
            subprocess.run([any_postgres / "psql", "-X", "-q", "-d", url, "-c", sql], check=True)

        say()
        shop.kill_supervisor()
        # Not at even distances, so that times in proportion are wrong.
        for seconds in (0.0, 1.5, 0.2, 0.2):
            time.sleep(seconds)
            say()
        shop.up()

        lines = [json.loads(line) for line in shop("logs", "--json", "-n", "1000").stdout.splitlines()]
        said = [
            (float(found[1]), datetime.fromisoformat(line["time"]).timestamp())
            for line in lines
            if (found := re.search(r"LOG:  said at ([\d.]+)", line["line"]))
        ]
        assert len(said) == 5
        assert [each for each in said if abs(each[0] - each[1]) > EXACT] == []

"""Response time of the dashboard to keys, and its costs, while a service prints 100,000 lines a second."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measuring import Row, median, number, with_spread

from devinit.config.pinning import Pins
from devinit.dashboard.app import Dashboard
from devinit.dashboard.link import Found, Tell
from devinit.logs import log_path

LINES_A_SECOND = 100_000
BUDGET_MILLISECONDS = 100
KEYS_A_RUN = 10
FLOOD = f"""
import sys, time
line = b"a line of a flood, about as long as the lines of logs are, and then some more of it, to the end\\n"
with open(sys.argv[1], "ab", buffering=0) as log:
    begin, written = time.monotonic(), 0
    while True:
        log.write(line * 1000)
        written += 1000
        time.sleep(max(0, begin + written / {LINES_A_SECOND} - time.monotonic()))
"""
SERVICE: dict[str, Any] = {  # as `status` reports it
    "name": "web", "provider": "process", "phase": "ready", "port": 8000, "preferred_port": 8000,
    "mode": "preferred", "url": None, "pid": 1, "uptime_seconds": 1.0, "restarts": 0, "cpu_percent": None,
    "memory_bytes": None, "reason": None, "changed": [],
}  # fmt: skip


class StillLink:
    """A stub of a supervisor that looks after one service."""

    async def follow(self, tell: Tell) -> None:
        """Report that service once."""
        tell(Found({"project": "bench", "root": "/", "supervisor": None, "services": [SERVICE]}, {}))
        await asyncio.Event().wait()

    async def ask(self, _method: str, _params: object = None) -> Any:
        """Answer `status` requests: nothing new."""
        return {"services": []}

    async def order(self, _method: str, _params: object) -> Any:
        """Ignore orders."""

    async def until_sent(self) -> None:
        """Return at once: no order is on its way."""

    def revive(self) -> None:
        """Do nothing: the supervisor is up."""


def flooding(runs: int) -> list[Row]:
    """Press a key repeatedly that toggles the wrapping of long lines, which lays out every line anew."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder  # the logs are there, not in the user's own directory
        latencies, share = asyncio.run(press_keys(Path(folder), runs * KEYS_A_RUN))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    worst = max(latencies)
    return [
        Row(
            f"dashboard, {LINES_A_SECOND:,} lines a second: a key until it is done",
            with_spread(latencies),
            f"slowest of {len(latencies)}: {number(worst)} ms",
            f"{BUDGET_MILLISECONDS} ms",
            median(latencies) <= BUDGET_MILLISECONDS,
        ),
        Row("· CPU and memory meanwhile", f"{share:.0%} of a CPU, {memory:.0f} MB", "", "", None),
    ]


def prepared_log(root: Path) -> Path:
    """Create the empty log of a service."""
    log = Path(log_path(root, "web"))
    log.parent.mkdir(parents=True)
    log.touch()
    return log


async def press_keys(root: Path, count: int) -> tuple[list[float], float]:
    """Return how long each key took, in milliseconds, and the share of a CPU that was used."""
    log = prepared_log(root)
    app = Dashboard(StillLink(), root, Pins(root, None))
    flood = await asyncio.create_subprocess_exec(sys.executable, "-c", FLOOD, str(log))
    latencies = []
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            await asyncio.sleep(2)
            began, used = time.monotonic(), time.process_time()
            for press in range(count):
                begin = time.perf_counter()
                app.simulate_key("w")
                while app.main.log_pane.wrap is not (press % 2 == 0):  # noqa: ASYNC110  it sets no event
                    await asyncio.sleep(0)
                latencies.append((time.perf_counter() - begin) * 1000)
                await pilot.pause(0.05)
            share = (time.process_time() - used) / (time.monotonic() - began)
    finally:
        flood.kill()
        await flood.wait()
    return latencies, share

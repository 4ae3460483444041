"""Costs of keeping a service's output, for the service, and of limiting it, for the supervisor."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from lightly import cpu_seconds
from measuring import Checkout, Row, checkout, median, number, side_by_side, with_spread

LINES = 1_000_000
LINE = b"%07d a line of a service that prints as fast as it can, and never stops\\n"
FLOOD = f"""
import os, sys, time
while not os.path.exists("go"):
    time.sleep(0.01)
began = time.perf_counter()
for number in range({LINES}):
    os.write(1, b"{LINE.decode()}" % number)
open(sys.argv[1], "w").write(str((time.perf_counter() - began) * 1000))
"""
LIMIT_BYTES = 30_000_000
LOOK_SECONDS = 1.0


def printing(runs: int) -> list[Row]:
    """Let a service print a million lines, and the same program print them to a plain file."""
    with checkout() as project:
        took, plain = project.root / "took", project.root / "plain"
        (project.root / "flood.py").write_text(FLOOD)
        (project.root / "devinit.toml").write_text(
            f'[services.flood]\ncommand = "{sys.executable} -S flood.py took"\n'
            '[services.quiet]\ncommand = "sleep 1000000"\nready = { after = 0.01 }\n'
        )
        project.run("start", "quiet")
        supervisor = json.loads(project.run("status", "--json"))["supervisor"]["pid"]
        cpu: list[float] = []
        peaks: list[int] = []

        def by_hand() -> float:
            with plain.open("ab") as output:
                command = [sys.executable, "-S", "flood.py", "took"]
                with subprocess.Popen(command, cwd=project.root, stdout=output):
                    peak_of_a_flood(project)
            plain.unlink()
            return float(took.read_text())

        def as_a_service() -> float:
            project.run("start", "flood")
            before = cpu_seconds(supervisor)
            peaks.append(peak_of_a_flood(project))
            cpu.append(cpu_seconds(supervisor) - before)
            project.run("stop", "flood")
            return float(took.read_text())

        reference, service = side_by_side(runs, by_hand, as_a_service)
        project.run("stop")
    a_second = LINES * len(LINE % 0) / (min(service) / 1000) * LOOK_SECONDS
    return [
        Row(
            f"a service prints {LINES:,} lines, one write each",
            with_spread(service),
            f"to a plain file {with_spread(reference)}",
            "as fast",
            median(service) <= median(reference) * 1.05,
        ),
        Row("· the supervisor's CPU time meanwhile", f"{number(median(cpu) * 1000)} ms", "", "", None),
        Row(
            "· the most on disk (limit 30 MB)",
            f"{max(peaks) / 1e6:.1f} MB",
            "",
            f"limit and what is printed in a second: {(LIMIT_BYTES + a_second) / 1e6:.0f} MB",
            max(peaks) <= LIMIT_BYTES + a_second,
        ),
    ]


def peak_of_a_flood(project: Checkout) -> int:
    """Start a flood; return the maximum size of its logs on disk until the supervisor had looked at them."""
    took, go = project.root / "took", project.root / "go"
    took.unlink(missing_ok=True)
    go.touch()
    peak, end = 0, None
    while end is None or time.monotonic() < end:
        if end is None and took.exists() and took.stat().st_size:
            end = time.monotonic() + 2 * LOOK_SECONDS
        blocks = [path.stat().st_blocks for path in (project.state / "logs").glob("flood.log*")]
        peak = max(peak, sum(blocks) * 512)
        time.sleep(0.05)
    go.unlink()
    return peak

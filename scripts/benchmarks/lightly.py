"""Time that devinit itself takes, measured with services that take almost none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from light import FIRST_PORT, Light, until_answering
from measuring import (
    DEVINIT,
    Checkout,
    Row,
    Start,
    checkout,
    median,
    number,
    side_by_side,
    timed,
    with_spread,
)

CHAIN = (("first", ()), ("second", ()), ("third", ("first", "second")), ("fourth", ("third",)))
"""Four services with the same dependencies as the example's."""
COLD_MILLISECONDS, WARM_MILLISECONDS = 100, 25
CRASH_MILLISECONDS = 10
START_MANY, START_MANY_MILLISECONDS = 200, 400
STOP_MANY, STOP_MANY_MILLISECONDS = 50, 100
SETTLED_SECONDS = 5.0
"""Seconds for which a service is watched after its last output: its worker may end a moment later."""
IDLE_SECONDS = 30.0
IDLE_CPU_SECONDS_A_MINUTE, IDLE_MEGABYTES = 0.02, 30
STATUS_TIMES = 5
STABLE_SECONDS = 10.5
POLL_SECONDS = 0.0002


def chain(runs: int) -> list[Row]:
    """Measure the start of four light services in order."""
    with checkout() as project:
        light = Light(project.root)
        ports = {name: FIRST_PORT + number for number, (name, _) in enumerate(CHAIN)}
        light.configure(project, [(name, ports[name], needs) for name, needs in CHAIN])

        def by_hand() -> float:
            began = time.perf_counter()
            with light.by_hand(ports["first"]), light.by_hand(ports["second"]):
                until_answering(ports["first"])
                until_answering(ports["second"])
                with light.by_hand(ports["third"]):
                    until_answering(ports["third"])
                    with light.by_hand(ports["fourth"]):
                        until_answering(ports["fourth"])
                        return (time.perf_counter() - began) * 1000

        def started() -> Start:
            start = project.start()
            project.stop()
            return start

        for _ in range(2):  # to fill the caches
            started()
        reference: list[float] = []
        colds: list[Start] = []
        warms: list[Start] = []
        for _ in range(runs):
            reference.append(by_hand())
            colds.append(started())
        with project.supervised():
            for _ in range(runs):
                reference.append(by_hand())
                warms.append(started())
    when = f"4 {light.title}"
    return [
        *start_rows(f"{when}, no supervisor yet", colds, reference, COLD_MILLISECONDS),
        *start_rows(f"{when}, supervisor up", warms, reference, WARM_MILLISECONDS),
    ]


def start_rows(when: str, starts: list[Start], reference: list[float], budget: float) -> list[Row]:
    """Return the row of a start, and rows for its stages."""
    ready = [start.ready for start in starts]
    ordered = [start.moment("plan") for start in starts]
    inside = [start.ready - start.moment("plan") for start in starts]
    beyond = median(ready) - median(reference)
    said = f"{with_spread(ready)}: {beyond:+.1f} ms"
    return [
        Row(
            f"{when}: command → all ready", said, with_spread(reference), f"+{budget:g} ms", beyond <= budget
        ),
        Row("· until the supervisor has the order", with_spread(ordered), "", "", None),
        Row("· from there until all are ready", with_spread(inside), with_spread(reference), "", None),
        Row(
            "· until the command has returned", with_spread([start.exited for start in starts]), "", "", None
        ),
    ]


def crash(runs: int) -> list[Row]:
    """Measure how fast killed services are back; kill each stable service once."""
    with checkout() as project:
        light = Light(project.root)
        ports = [FIRST_PORT + number for number in range(runs)]
        light.configure(project, [(f"s{port}", port, ()) for port in ports])
        project.start()
        time.sleep(STABLE_SECONDS)  # devinit calls the services stable then
        crashes = [killed_until_back(port) for port in ports]
        project.stop()

        def boot() -> float:
            began = time.perf_counter()
            with light.by_hand(FIRST_PORT):
                until_answering(FIRST_PORT, POLL_SECONDS)
                return (time.perf_counter() - began) * 1000

        reference = [boot() for _ in range(runs)]
    beyond = median(crashes) - median(reference)
    said = f"{with_spread(crashes)}: {beyond:+.1f} ms"
    title = "SIGKILL of a stable service → it answers again"
    return [
        Row(
            title,
            said,
            f"its boot {with_spread(reference)}",
            f"+{CRASH_MILLISECONDS} ms",
            beyond <= CRASH_MILLISECONDS,
        )
    ]


def killed_until_back(port: int) -> float:
    """Kill the process that answers on a port; return the milliseconds until another one answers."""
    victim = until_answering(port)
    began = time.perf_counter()
    os.kill(victim, signal.SIGKILL)
    while until_answering(port, POLL_SECONDS) == victim:
        pass
    return (time.perf_counter() - began) * 1000


def many(runs: int) -> list[Row]:
    """Measure starts and stops of many services, and an idle supervisor."""
    with checkout() as project:
        light = Light(project.root)
        ports = [FIRST_PORT + number for number in range(START_MANY)]
        light.configure(project, [(f"s{port}", port, ()) for port in ports])
        project.start()
        idle = idle_rows(project)
        project.stop()

        def cold() -> float:
            began = time.perf_counter()
            project.start()
            took = (time.perf_counter() - began) * 1000
            project.stop()
            return took

        def warm() -> Start:
            start = project.start()
            project.stop()
            return start

        def by_hand() -> float:
            began = time.perf_counter()
            servers = [light.by_hand(port) for port in ports]
            for server in servers:
                server.__enter__()
            for port in ports:
                until_answering(port)
            took = (time.perf_counter() - began) * 1000
            for server in servers:
                server.__exit__(None, None, None)
            return took

        few = max(3, runs // 3)
        reference, colds = side_by_side(few, by_hand, cold)
        with project.supervised():
            warms = [warm() for _ in range(few)]
        light.configure(project, [(f"s{port}", port, ()) for port in ports[:STOP_MANY]])
        stops = []
        for _ in range(few):
            project.start()
            stops.append(project.stop())
    return [
        Row(
            f"start {START_MANY}, no supervisor yet: whole command",
            with_spread(colds),
            with_spread(reference),
            "",
            None,
        ),
        Row(
            f"start {START_MANY}, supervisor up: whole command",
            with_spread([start.exited for start in warms]),
            with_spread(reference),
            f"{START_MANY_MILLISECONDS} ms",
            median([start.exited for start in warms]) <= START_MANY_MILLISECONDS,
        ),
        Row(
            "· from the order until all are ready",
            with_spread([start.ready - start.moment("plan") for start in warms]),
            with_spread(reference),
            "",
            None,
        ),
        Row(
            f"stop {STOP_MANY}: whole command",
            with_spread(stops),
            "",
            f"{STOP_MANY_MILLISECONDS} ms",
            median(stops) <= STOP_MANY_MILLISECONDS,
        ),
        *idle,
    ]


def idle_rows(project: Checkout) -> list[Row]:
    """Measure the supervisor of many services while it is idle."""
    pid = json.loads(project.run("status", "--json"))["supervisor"]["pid"]
    time.sleep(SETTLED_SECONDS)
    before = cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    used = (cpu_seconds(pid) - before) * 60 / IDLE_SECONDS
    megabytes = pss(pid) / 1e6
    who = f"idle supervisor of {START_MANY}"
    return [
        Row(
            f"{who}: CPU seconds a minute",
            f"{used:.4f}",
            "",
            f"{IDLE_CPU_SECONDS_A_MINUTE}",
            used <= IDLE_CPU_SECONDS_A_MINUTE,
        ),
        Row(
            f"{who}: memory (PSS)",
            f"{megabytes:.1f} MB",
            "",
            f"{IDLE_MEGABYTES} MB",
            megabytes <= IDLE_MEGABYTES,
        ),
    ]


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of all threads of a process, to the nanosecond."""
    return (
        sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
    )


def pss(pid: int) -> int:
    """Return the proportional share of a process's memory, in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    [line] = [line for line in lines if line.startswith("Pss:")]
    return int(line.split()[1]) * 1024


def status(runs: int) -> list[Row]:
    """Measure `status`, compared with a Python that does nothing."""
    with checkout() as project:
        light = Light(project.root)
        light.configure(
            project, [(name, FIRST_PORT + number, needs) for number, (name, needs) in enumerate(CHAIN)]
        )
        project.start()

        def ours() -> float:
            return timed(lambda: project.run("status"))

        def nothing() -> float:
            return timed(
                lambda: subprocess.run(
                    [sys.executable, "-c", "pass"], env=project.environment, capture_output=True, check=True
                )
            )

        side_by_side(3, ours, nothing)
        figures, reference = side_by_side(runs * 3, ours, nothing)
    times = median(figures) / median(reference)
    said = f"{with_spread(figures)}: {number(times)}-fold"
    return [
        Row(
            f"`{DEVINIT.name} status` of 4 services",
            said,
            f"`python -c pass` {with_spread(reference)}",
            f"{STATUS_TIMES}-fold",
            times <= STATUS_TIMES,
        )
    ]

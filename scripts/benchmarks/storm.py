"""Time to start many projects at the same instant that all want the same ports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from light import Light
from measuring import DEVINIT, PATIENCE_SECONDS, Checkout, Row, checkout, timed, with_spread

PROJECTS, SERVICES, COMMANDS = 50, 2, 50
FIRST_PORT = 22300
RANGE = 100
MOST_RUNS = 5
"""A run takes seconds, and starts a hundred supervisors."""


def storm(runs: int) -> list[Row]:
    """Start many projects at once, query them, stop them at once; start one project many times at once."""
    runs = min(runs, MOST_RUNS)
    started, looked, ports, stopped, commands = [], [], [], [], []
    with checkout("first") as first:
        light = Light(first.root)
        projects = [
            first,
            *(
                Checkout(first.root.with_name(f"p{number:02}"), first.root.parent)
                for number in range(1, PROJECTS)
            ),
        ]
        for project in projects:
            project.root.mkdir(exist_ok=True)
            light.configure(project, [(f"s{n}", FIRST_PORT + RANGE * n, ()) for n in range(SERVICES)])
        with stopping(projects):
            for _ in range(runs):
                started.append(at_once(projects, "start", "--json"))
                distinct = {port for project in projects for port in remembered(project)}
                if len(distinct) != PROJECTS * SERVICES:
                    raise SystemExit(f"{len(distinct)} distinct ports for {PROJECTS * SERVICES} services")
                looked.append(timed(lambda: first.run("status", "--all", "--json")))
                ports.append(timed(lambda: first.run("ports", "--all", "--json")))
                stopped.append(at_once(projects, "stop"))
                commands.append(at_once([first] * COMMANDS, "start", "--json"))
                first.stop()
    services = f"{SERVICES} {light.title} each"
    return [
        Row(
            f"{PROJECTS} projects started at once, {services}: the last one is up",
            with_spread(started),
            "",
            "",
            None,
        ),
        Row(f"`devinit status --all` of {PROJECTS} that run", with_spread(looked), "", "", None),
        Row("`devinit ports --all` of them", with_spread(ports), "", "", None),
        Row(
            f"{PROJECTS} projects stopped at once: the last one has ended", with_spread(stopped), "", "", None
        ),
        Row(f"{COMMANDS} times `devinit start` in one project at once", with_spread(commands), "", "", None),
    ]


def at_once(projects: Sequence[Checkout], *words: str) -> float:
    """Run a command in every project at the same instant; return the milliseconds until the last one has ended."""
    waiting, holding = os.pipe()
    processes = [
        subprocess.Popen(
            ["sh", "-c", 'read _; exec "$@" < /dev/null', "sh", DEVINIT, *words],
            cwd=project.root,
            env=project.environment,
            stdin=waiting,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for project in projects
    ]
    os.close(waiting)
    time.sleep(1)  # until every shell waits, which is not measured
    began = time.perf_counter()
    os.close(holding)
    codes = [process.wait(PATIENCE_SECONDS) for process in processes]
    milliseconds = (time.perf_counter() - began) * 1000
    if any(codes):
        raise SystemExit(f"devinit {' '.join(words)}: exit codes {codes}")
    return milliseconds


def remembered(project: Checkout) -> list[int]:
    """Return the remembered ports of a project."""
    found: dict[str, int] = json.loads((project.root / ".ports.json").read_text())
    return list(found.values())


@contextmanager
def stopping(projects: Sequence[Checkout]) -> Iterator[None]:
    """Stop all projects when a measurement fails."""
    try:
        yield
    finally:
        if sys.exc_info()[0] is not None:
            for project in projects:
                project.run("stop")

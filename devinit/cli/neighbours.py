"""`status --all` and `ports --all`: every project on this machine, in any folder."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable

from devinit.cli.output import Paint, print_json, symbol, table, talk
from devinit.control.neighbours import neighbours, port_rows
from devinit.model.neighbour import NeighbourService, NeighbourState, NeighbourStatus
from devinit.system import terminal
from devinit.text import duration, plain

HEADER = ("PORT", "SERVICE", "PROJECT", "STATE", "BRANCH", "CHECKOUT")
DAY = 86400.0
CALM = ("ready", "stopped")
"""Phases that are not shown next to the port."""


def show_projects(*, as_json: bool) -> int:
    """Print every project with its services."""
    found = neighbours()
    if as_json:
        print_json({"projects": found})
        return 0
    paint = Paint(sys.stdout)
    for project in found:
        terminal.write(sys.stdout, lines_of(project, paint, time.time()))
    if not found:
        talk("devinit was started nowhere yet")
    return 0


def show_ports(*, as_json: bool) -> int:
    """Print the ports of all projects."""
    rows = port_rows()
    if as_json:
        print_json({"ports": rows})
        return 0
    cells = [
        (
            str(row["port"]),
            plain(row["service"]),
            plain(row["project"]),
            row["state"],
            plain(row["branch"] or "-"),
            at_home(row["root"]),
        )
        for row in rows
    ]
    if not cells:
        talk("no project has a port")
        return 0
    head, *lines = table(cells, header=HEADER)
    terminal.write(sys.stdout, [Paint(sys.stdout).dim(head), *lines])
    return 0


def lines_of(project: NeighbourStatus, paint: Paint, now: float) -> list[str]:
    """Return the lines for one project: its state and place, its services with their ports, and advice."""
    first = f"{mark_of(project['state'], paint)} {paint.bold(plain(project['project']))}  {project['state']}"
    place = [at_home(project["root"]), *([plain(project["branch"])] if project["branch"] else [])]
    if project["slot"]:
        place.append(f"worktree {project['slot']}")
    if project["supervisor"]:
        place.append(f"supervisor {project['supervisor']['pid']}")
    elif project["state"] == NeighbourState.STOPPED and project["started_at"] is not None:
        place.append(f"started {age(now - project['started_at'])} ago")
    lines = [f"{first}  {paint.dim('  '.join(place))}"]
    if project["services"]:
        lines.append(f"    {services_of(project, paint)}")
    if project["advice"]:
        lines.append(f"    {paint.attention(plain(project['advice']))}")
    return lines


def services_of(project: NeighbourStatus, paint: Paint) -> str:
    """Return the running services; for a stopped project, the ports that it keeps and those that it only used."""

    def listed(services: Iterable[NeighbourService]) -> str:
        return "  ".join(service_of(each, paint) for each in services)

    if project["state"] != NeighbourState.STOPPED:
        return listed(project["services"])
    at_rest = [each for each in project["services"] if not each["program"]]
    kinds = {
        "keeps": listed(each for each in at_rest if each["reserved"]),
        "used": listed(each for each in at_rest if not each["reserved"]),
        "programs of yours have": listed(each for each in project["services"] if each["program"]),
    }
    return "  ".join(f"{verb} {names}" for verb, names in kinds.items() if names)


def mark_of(state: str, paint: Paint) -> str:
    """Return the symbol for a state."""
    match state:
        case NeighbourState.RUNNING:
            return paint.good(symbol("✓", "+", sys.stdout))
        case NeighbourState.STOPPED:
            return paint.dim(symbol("✗", "x", sys.stdout))
    return paint.attention(symbol("⚠", "!", sys.stdout))


def service_of(service: NeighbourService, paint: Paint) -> str:
    """Return a service as `backend 8000`, with its phase if that is not the expected one."""
    port = f" {service['port']}" if service["port"] is not None else ""
    phase = service["phase"] or ""
    said = "" if phase in CALM or not phase else f" {paint.attention(phase)}"
    if phase == "exited":
        said = f" {paint.dim('finished')}"
    return f"{plain(service['name'])}{port}{said}"


def at_home(path: str) -> str:
    """Return a path with `~` for the home folder."""
    home = os.path.expanduser("~")  # noqa: PTH111  paths are text here
    inside = path.startswith(home + os.sep) and home != os.sep
    return plain(f"~{path.removeprefix(home)}" if inside else path)


def age(seconds: float) -> str:
    """Return an age in words: minutes, hours, then days."""
    if seconds < 2 * DAY:
        return duration(max(seconds, 1.0))
    return f"{seconds / DAY:.0f} days"

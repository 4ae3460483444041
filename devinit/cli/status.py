"""Show what runs, and where."""

from __future__ import annotations

import os
import sys

from devinit.cli.output import Paint, print_json, symbol
from devinit.cli.project import root_of
from devinit.control.launch import connect_to_running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

    from devinit.model.status import ProjectStatus, ServiceStatus


EXAMPLE = "devinit status --json"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Namespace) -> int:
    """Print the status of the project."""
    root = root_of(arguments)
    client = connect_to_running(root)
    status: ProjectStatus = client.call("status") if client else status_at_rest(root)
    if client and not status["services"]:
        # A supervisor that was only asked something (`devinit env`) has not been given services.
        status = {**status_at_rest(root), "supervisor": status["supervisor"]}
    if arguments.json:
        print_json(status)
        return 0
    paint = Paint(sys.stdout)
    for service in status["services"]:
        sys.stdout.write(line_of(service, paint) + "\n")
    return 0


def line_of(service: ServiceStatus, paint: Paint) -> str:
    """Return one service as one line: `Backend (port 8001): ✓ Running (pid 12345)`."""
    name = service["name"].replace("_", " ").capitalize()
    port = f" (port {service['port']})" if service["port"] is not None else ""
    return f"{name}{port}: {condition(service, paint)}"


def condition(service: ServiceStatus, paint: Paint) -> str:
    """Return what a service is doing, with a symbol before the colour."""
    phase, reason = service["phase"], (service["reason"] or "").partition("\n")[0]
    yes, no = symbol("✓", "+", sys.stdout), symbol("✗", "x", sys.stdout)
    attention = symbol("⚠", "!", sys.stdout)
    if phase == "ready":
        pid = f" (pid {service['pid']})" if service["pid"] is not None else " (external)"
        address = (
            f"  {paint.dim(service['url'])}" if service["url"] and service["provider"] == "process" else ""
        )
        return f"{paint.good(yes)} Running{pid}{moved(service, paint)}{address}"
    if phase == "stopped":
        return f"{paint.dim(no)} Not running"
    if phase == "exited":
        return f"{paint.dim(no)} Exited" + (f": {reason}" if reason else "")
    colour = paint.bad if phase == "failed" else paint.attention
    return f"{colour(attention)} {phase.capitalize()}" + (f": {reason}" if reason else "")


def moved(service: ServiceStatus, paint: Paint) -> str:
    """Return where a service was meant to be, when it is elsewhere."""
    if service["port"] is None or service["port"] == service["preferred_port"]:
        return ""
    return "  " + paint.attention(f"preferred {service['preferred_port']}")


def status_at_rest(root: Path) -> ProjectStatus:
    """Return the status of a project of which nothing runs: what it would start, and where."""
    # Only this case reads the configuration, and pays for it.
    from devinit.config.load import load
    from devinit.ports import ports_file

    project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None)
    remembered = ports_file.read(root)
    services: list[ServiceStatus] = [
        {
            "name": name,
            "provider": service.provider,
            "phase": "stopped",
            "port": remembered.get(name, service.port.preferred) if service.port else None,
            "preferred_port": service.port.preferred if service.port else None,
            "url": None,
            "pid": None,
            "uptime_seconds": None,
            "restarts": 0,
            "cpu_percent": None,
            "memory_bytes": None,
            "reason": None,
        }
        for name, service in project.services.items()
    ]
    return {"project": project.name, "root": str(root), "supervisor": None, "services": services}

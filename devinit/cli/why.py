"""Explain why a service is in the state that it is in."""

from __future__ import annotations

import sys

from devinit.cli.output import Paint, print_json
from devinit.cli.project import require_project, root_as_text
from devinit.control.launch import connect_or_start
from devinit.system import terminal
from devinit.text import duration, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments
    from devinit.model.status import DependencyStatus, ExtraPortStatus, WhyReport

EXAMPLE = "devinit why backend"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("service", metavar="SERVICE", help="what to explain")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Arguments) -> int:
    """Print what is known about a service."""
    root = root_as_text(arguments)
    require_project(root)
    client = connect_or_start(root)
    report: WhyReport = client.call("why", {"service": arguments.service})
    if arguments.json:
        print_json(report)
        return 0
    paint = Paint(sys.stdout)
    for key, value in facts_of(report):
        first, *rest = plain(value).splitlines() or [""]
        terminal.write(
            sys.stdout, [f"{paint.dim(f'{key:<12}')}{first}", *(f"{'':<12}{each}" for each in rest)]
        )
    return 0


def facts_of(report: WhyReport) -> list[tuple[str, str]]:
    """Return what is worth saying, in the order in which one would ask."""
    since = f" for {duration(report['since_seconds'])}" if report["since_seconds"] is not None else ""
    facts = [
        ("service", report["name"]),
        ("phase", report["phase"] + since),
        ("because", report["reason"] or ""),
        ("port", port_of(report)),
        ("other ports", "\n".join(extra_port_of(each) for each in report.get("extra_ports", []))),
        ("ready when", report["probe"]),
        ("last probe", report["last_probe"] or ""),
        ("last exit", "" if report["last_exit"] is None else f"code {report['last_exit']}"),
        ("restarts", str(report["restarts"] or "")),
        ("restarted", report.get("restarted_for") or ""),
        ("watch", report.get("watch") or ""),
        ("command", report["command"] or ""),
        ("directory", report["directory"]),
        ("depends on", names_of(report["depends_on"])),
        ("needed by", names_of(report["needed_by"])),
        ("log", report["log"]),
        ("last lines", "\n".join(report["log_tail"])),
    ]
    return [(key, value) for key, value in facts if value]


def port_of(report: WhyReport) -> str:
    """Return the port, and why it is not the preferred one, or not the service's own."""
    if report["port"] is None:
        return ""
    why = f" ({report['port_reason']})" if report["port_reason"] else ""
    if report["port"] == report["preferred_port"]:
        return f"{report['port']}{why}"
    return f"{report['port']}, preferred {report['preferred_port']}{why}"


def extra_port_of(extra: ExtraPortStatus) -> str:
    """Return a further port as one line."""
    moved = f", preferred {extra['preferred_port']}" if extra["port"] != extra["preferred_port"] else ""
    return f"{extra['name']} {extra['port']}{moved}  {extra['url'] or ''}".rstrip()


def names_of(services: list[DependencyStatus]) -> str:
    """Return services with their phases, and with what is waited for where that is not that they are ready."""
    return ", ".join(f"{each['name']} ({each['phase']}{condition_of(each)})" for each in services)


def condition_of(service: DependencyStatus) -> str:
    """Return what is waited for, to stand behind the phase."""
    from devinit.model.status import CONDITION_WORDS  # only who asks why pays for it

    words = CONDITION_WORDS.get(service.get("condition", ""), "")
    return f"; {words}" if words else ""

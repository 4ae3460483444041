"""Explain why a service is in the state that it is in."""

from __future__ import annotations

import sys

from devinit.cli.bounds import WHY_BYTES, add_bound, bound_of, last_within
from devinit.cli.output import Paint, print_json
from devinit.cli.project import require_project, root_as_text
from devinit.cli.reach import answered, mention_configuration, mention_reach
from devinit.control import api
from devinit.control.launch import connect_or_start
from devinit.system import terminal
from devinit.text import duration, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments
    from devinit.model.status import DependencyStatus, ExtraPortStatus, WhyReport

EXAMPLE = "devinit why backend"
SWITCHES = {"--json": "json"}
NAME = "service"
DEFAULTS = {"max_bytes": None}


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("service", metavar="SERVICE", help="what to explain")
    add_bound(parser, WHY_BYTES)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Arguments) -> int:
    """Print the facts about a service."""
    root = root_as_text(arguments)
    require_project(root)
    client = connect_or_start(root)
    client, report = answered(client, root, lambda each: api.why(each, arguments.service))
    report["out_of_reach"] = mention_reach(client, root if report["phase"] == "stopped" else "")
    mention_configuration(report)
    if most := bound_of(arguments.max_bytes, WHY_BYTES):
        report = bounded(report, most)
    if arguments.json:
        print_json(report)
        return 0
    paint = Paint(sys.stdout)
    for key, value in facts_of(report):
        first, *rest = plain(value).splitlines() or [""]
        if key == "connected":
            first = paint.bad(first)
        terminal.write(
            sys.stdout, [f"{paint.dim(f'{key:<12}')}{first}", *(f"{'':<12}{each}" for each in rest)]
        )
    return 0


def bounded(report: WhyReport, most: int) -> WhyReport:
    """Return a report without its oldest lines, so that its JSON fits into `most` bytes."""
    from devinit.control import wire  # as `print_json`

    rest = len(wire.encode({**report, "log_tail": []}).encode(errors="replace"))
    lines, left_out = last_within(
        report["log_tail"], most - rest, lambda line: len(wire.encode(line).encode(errors="replace")) + 2
    )
    return {**report, "log_tail": lines, "truncated": True} if left_out else report


def facts_of(report: WhyReport) -> list[tuple[str, str]]:
    """Return the facts of a report, in the order in which a reader would ask for them."""
    since = f" for {duration(report['since_seconds'])}" if report["since_seconds"] is not None else ""
    facts = [
        ("service", report["name"]),
        ("phase", report["phase"] + since),
        ("because", report["reason"] or ""),
        ("waits for", asking_of(report)),
        ("connected", wrong_of(report)),
        ("talks to", ", ".join(report.get("talks_to", []))),
        ("last build", build_of(report)),
        ("outdated", outdated_of(report)),
        ("port", port_of(report)),
        ("other ports", "\n".join(extra_port_of(each) for each in report.get("extra_ports", []))),
        (
            "next port",
            "" if report.get("next_port") is None else f"{report['next_port']}, from its next start on",
        ),
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


def asking_of(report: WhyReport) -> str:
    """Return the prompt that a service waits at, and how to answer it; an older supervisor does not report it."""
    wait = report.get("waits_for_input")
    if wait is None:
        return ""
    return f"input at {wait['prompt']} (pid {wait['pid']}): `devinit attach {report['name']}` answers it"


def wrong_of(report: WhyReport) -> str:
    """Return the servers used instead of the project's own, with the reason and advice, one line each."""
    found = report.get("wrong_servers", [])
    lines = (line for each in found for line in (each["text"].removeprefix("connected "), *each["advice"]))
    return "\n".join(lines)


def build_of(report: WhyReport) -> str:
    """Return the error of the last build of a service that keeps running."""
    error = report.get("last_error")
    if error is None:
        return ""
    from devinit.model.build_words import in_words  # most builds are clean

    return f"failed: {in_words(error)}"


def outdated_of(report: WhyReport) -> str:
    """Return the changes since the service was started; an older supervisor does not report them."""
    changed = report.get("changed")
    if not changed:
        return ""
    from devinit.model.status import WHOLLY_CHANGED  # most services are up to date with their files

    return WHOLLY_CHANGED.get(changed[0]) or ", ".join(changed)


def port_of(report: WhyReport) -> str:
    """Return the port, and why it is not the preferred one or not the service's own."""
    if report["port"] is None:
        return ""
    why = f" ({report['port_reason']})" if report["port_reason"] else ""
    if report["port"] == report["preferred_port"]:
        return f"{report['port']}{why}"
    return f"{report['port']}, preferred {report['preferred_port']}{why}"


def extra_port_of(extra: ExtraPortStatus) -> str:
    """Return the line for a further port."""
    moved = f", preferred {extra['preferred_port']}" if extra["port"] != extra["preferred_port"] else ""
    return f"{extra['name']} {extra['port']}{moved}  {extra['url'] or ''}".rstrip()


def names_of(services: list[DependencyStatus]) -> str:
    """Return dependencies with their phases, and with the awaited condition if it is not readiness."""
    return ", ".join(f"{each['name']} ({each['phase']}{condition_of(each)})" for each in services)


def condition_of(service: DependencyStatus) -> str:
    """Return the awaited condition, to follow the phase."""
    from devinit.model.status import CONDITION_WORDS  # only `devinit why` needs it

    words = CONDITION_WORDS.get(service.get("condition", ""), "")
    return f"; {words}" if words else ""

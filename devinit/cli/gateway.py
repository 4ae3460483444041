"""Show what the gateway serves by name: for all projects of this user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devinit.cli.output import print_json, table, talk
from devinit.errors import UsageError
from devinit.system import terminal

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit gateway status"
ACTIONS = ("status",)
HEADER = ("PROJECT", "SERVICE", "STATE", "URL")


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="status", help="what to do (status)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Arguments) -> int:
    """Print the services that are served by name; return 1 when no gateway runs."""
    from devinit.control.gateway import known, running  # not needed for the help

    if arguments.action not in ACTIONS:
        raise UsageError(f"there is no action {arguments.action!r}", hint="example: devinit gateway status")
    client = running()
    if client is None:
        remembered = known()
        if arguments.json:
            print_json({"running": False, "port": remembered.port if remembered else None, "projects": []})
        else:
            talk("no gateway runs: no project with names does; `devinit start --names` starts both")
        return 1
    status = client.call("status")
    client.close()
    if arguments.json:
        print_json({"running": True, **status})
        return 0
    caddy = f"Caddy pid {status['caddy']}" if status["caddy"] else "Caddy is being started"
    talk(f"gateway (pid {status['pid']}, {caddy}) on port {status['port']}")
    rows = [row for each in status["projects"] for row in rows_of(each)]
    terminal.data("".join(f"{line}\n" for line in table(rows, header=HEADER)))
    return 0


def rows_of(project: dict[str, Any]) -> list[list[str]]:  # Any: data from the wire
    """Return the services of a project as rows of the table."""
    return [
        [
            project["label"],
            name,
            each["phase"],
            next((url for url in each["urls"] if ".localhost" in url), each["url"]),
        ]
        for name, each in project["services"].items()
    ]

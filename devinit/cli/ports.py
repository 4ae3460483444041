"""Show the services' ports, choose them, or go back to the preferred ones."""

from __future__ import annotations

import os
import sys
from argparse import SUPPRESS, ArgumentTypeError
from typing import TYPE_CHECKING

from devinit.cli.output import Paint, print_json, table, talk
from devinit.cli.project import root_of
from devinit.config.load import load
from devinit.control.launch import connect_to_running
from devinit.errors import UsageError
from devinit.model.port import HIGHEST_PORT
from devinit.ports import ports_file
from devinit.ports.leases import LeaseStore, root_name
from devinit.system.paths import state_directory

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Json
    from devinit.model.port import PortRequest

EXAMPLE = "devinit ports set backend 8010"
HEADER = ("SERVICE", "PORT", "PREFERRED", "RANGE", "STATE")


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions (none: show the ports)")
    setting = actions.add_parser("set", help="choose the port of a service for the next start")
    setting.add_argument("service", metavar="SERVICE", help="whose port; `service.name` for an extra port")
    setting.add_argument("port", metavar="PORT", type=port_number, help="1 to 65535")
    resetting = actions.add_parser(
        "reset", help="forget chosen ports, so that the preferred ones count again"
    )
    resetting.add_argument("services", nargs="*", metavar="SERVICE", help="whose ports; none: everybody's")
    for action in (setting, resetting):
        # It may stand before the action as well, and must not be taken back there.
        action.add_argument("--json", action="store_true", default=SUPPRESS, help="print one JSON object")


def port_number(text: str) -> int:
    """Read a port."""
    if not text.isdecimal() or not 1 <= int(text) <= HIGHEST_PORT:
        raise ArgumentTypeError(f"{text!r} is not a port: ports are 1 to {HIGHEST_PORT}")
    return int(text)


def run(arguments: Arguments) -> int:
    """Show or change the ports."""
    root = root_of(arguments)
    requests = requests_of(root)
    match arguments.action:
        case "set":
            choose(root, requests, arguments.service, arguments.port, as_json=arguments.json)
        case "reset":
            forget(root, requests, arguments.services, as_json=arguments.json)
        case _:
            rows = rows_of(root, requests)
            if arguments.json:
                print_json({"ports": rows})
            else:
                show(rows)
    return 0


def requests_of(root: Path) -> dict[str, PortRequest]:
    """Return every port that the project asks for, by the name that `.ports.json` gives it."""
    project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None)
    requests: dict[str, PortRequest] = {}
    for service in project.services.values():
        for request in (service.port, *service.extra_ports):
            if request is not None:
                requests[request.service] = request
    return requests


def rows_of(root: Path, requests: dict[str, PortRequest]) -> list[Json]:
    """Return one row for each port: what is preferred, what is used, and by what."""
    remembered = ports_file.read(root)
    client = connect_to_running(root)
    running = {each["name"]: each for each in client.call("status")["services"]} if client else {}
    rows: list[Json] = []
    for name, request in requests.items():
        service = running.get(name.partition(".")[0])
        extra = "." in name
        port = service["port"] if service and not extra else remembered.get(name, request.preferred)
        rows.append(
            {
                "service": name,
                "port": port,
                "preferred_port": request.preferred,
                "range": [request.first, request.last],
                "strict": request.strict,
                "phase": service["phase"] if service else "stopped",
            }
        )
    return rows


def show(rows: list[Json]) -> None:
    """Print the ports as a table."""
    paint = Paint(sys.stdout)
    cells = [
        (
            row["service"],
            str(row["port"]),
            str(row["preferred_port"]),
            "fixed" if row["strict"] else f"{row['range'][0]}-{row['range'][1]}",
            row["phase"],
        )
        for row in rows
    ]
    head, *lines = table(cells, header=HEADER)
    sys.stdout.write("\n".join([paint.dim(head), *lines]) + "\n")


def choose(root: Path, requests: dict[str, PortRequest], name: str, port: int, *, as_json: bool) -> None:
    """Write a port into `.ports.json`."""
    request = requests[known(name, requests)]
    if request.strict and port != request.preferred:
        raise UsageError(
            f"the port of {name} is fixed to {request.preferred} (strict_port)",
            hint="change `port` in devinit.toml",
        )
    if not request.first <= port <= request.last:
        raise UsageError(
            f"{port} is outside of the range of {name}, {request.first}-{request.last}",
            hint="choose one within it, or change `range` in devinit.toml",
        )
    changed = ports_file.write(root, {name: port})
    if as_json:
        print_json({"service": name, "port": port, "changed": changed})
    elif changed:
        talk(f"{name} will use {port}; `devinit restart {name.partition('.')[0]}` applies it now")
    else:
        talk(f"{name} was set to {port} already")


def forget(root: Path, requests: dict[str, PortRequest], names: list[str], *, as_json: bool) -> None:
    """Take ports out of `.ports.json`, and give up what is reserved for services that do not run."""
    for name in names:
        known(name, requests)
    before = ports_file.reset(root, names or None)
    store = LeaseStore(state_directory() / "leases")
    store.forget(root_name(root), dict.fromkeys(names or requests))
    if as_json:
        print_json({"forgotten": before})
        return
    moved = {
        name: port for name, port in before.items() if name in requests and port != requests[name].preferred
    }
    for name, port in moved.items():
        talk(f"{name} will ask for {requests[name].preferred} again, not for {port}")
    if not moved:
        talk("the preferred ports count again")


def known(name: str, requests: dict[str, PortRequest]) -> str:
    """Return the name if a service has such a port, else raise UsageError."""
    if name not in requests:
        raise UsageError(
            f"no service has a port named {name!r}", hint=f"ports: {', '.join(requests) or 'none'}"
        )
    return name

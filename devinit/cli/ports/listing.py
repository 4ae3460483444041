"""`devinit ports`: the preferred and the current port of each service, and its state."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from devinit.cli.output import Paint, print_json, table, talk
from devinit.cli.project import root_of
from devinit.cli.reach import mention_reach
from devinit.control import api
from devinit.control.launch import connect_to_running
from devinit.model.names import is_extra, service_of
from devinit.ports.remembered import ports_file
from devinit.resolving.at_rest import at_rest
from devinit.system import terminal
from devinit.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client
    from devinit.control.wire import Json

HEADER = ("SERVICE", "PORT", "PREFERRED", "RANGE", "STATE")


def run(arguments: Arguments) -> int:
    """Print the project's ports."""
    root = root_of(arguments)
    client = connect_to_running(root)
    rows = rows_of(root, client)
    out_of_reach = mention_reach(client)
    if arguments.json:
        print_json({"ports": rows, "out_of_reach": out_of_reach})
    else:
        show(rows)
    return 0


def rows_of(root: Path, client: Client | None) -> list[Json]:
    """Return a row for each port: the preferred and the current port, and the phase of its service."""
    rest = at_rest(root)
    services = api.status(client, measure=True)["services"] if client else []
    running = {each["name"]: each for each in services}
    further = {extra["name"]: extra["port"] for each in services for extra in each.get("extra_ports", [])}
    rows: list[Json] = []
    for name, request in rest.project.port_requests.items():
        service = running.get(service_of(name))
        port: int | None
        if service is None:
            port, coming = rest.port_of(request), None
        elif is_extra(name):
            # An older supervisor does not report further ports, and also takes them from the file.
            port = further.get(name) or rest.port_of(request)
            coming = request.recall(rest.remembered.get(name))
        else:
            port, coming = service["port"], service.get("next_port")
        rows.append(
            {
                "service": name,
                "port": port,
                "preferred_port": request.preferred,
                "next_port": port if coming is None else coming,
                "range": [request.first, request.last],
                "strict": request.strict,
                "problem": ports_file.problem_of(request, rest.remembered.get(name)),
                "phase": service["phase"] if service else "stopped",
            }
        )
    return rows


def show(rows: list[Json]) -> None:
    """Print the ports as a table."""
    paint = Paint(sys.stdout)
    cells = [
        (
            one_line(row["service"]),
            str(row["port"]),
            str(row["preferred_port"]),
            "fixed" if row["strict"] else f"{row['range'][0]}-{row['range'][1]}",
            row["phase"],
        )
        for row in rows
    ]
    head, *lines = table(cells, header=HEADER)
    terminal.write(sys.stdout, [paint.dim(head), *lines])
    for row in rows:
        if row["problem"]:
            talk(row["problem"])
        if row["next_port"] != row["port"]:
            name = one_line(row["service"])
            restart = f"`devinit restart {service_of(name)}` moves it now"
            talk(f"{name}: {row['next_port']} from its next start on; {restart}")

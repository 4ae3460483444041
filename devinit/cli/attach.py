"""Type into a service: follow its output, and send each line to its standard input.

For a debugger (`breakpoint()`, `byebug`, `node inspect`) or a question that a program asks. What leaves is this
command alone: no key ends the service. From a pipe, the lines are sent and the answer is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.cli.parser import count, seconds
from devinit.cli.project import require_project, root_of
from devinit.cli.reach import nothing_runs
from devinit.cli.setting import needs_newer
from devinit.control import api
from devinit.control.launch import connect_to_running
from devinit.errors import ServiceError, UsageError
from devinit.model.at_rest import how_to_start

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client
    from devinit.model.status import ServiceStatus

EXAMPLE = "devinit attach backend"
FIRST_WIRE_WITH_INPUT = 6
"""An older supervisor writes to no service."""
AT_REST = ("stopped", "exited", "failed")


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "service",
        nargs="?",
        metavar="SERVICE",
        help="the service to type into; without it: the one that waits",
    )
    parser.add_argument(
        "-n",
        "--lines",
        type=count,
        metavar="N",
        help="begin with the last N lines (10; none when the input is no terminal)",
    )
    parser.add_argument(
        "--for",
        dest="seconds",
        type=seconds,
        metavar="SECONDS",
        help="from a pipe: how long output is shown after the end of the input (until it is quiet for 1 s)",
    )


def run(arguments: Arguments) -> int:
    """Stay attached until a key detaches, the input ends, or the service does."""
    root, named = root_of(arguments), arguments.service
    require_project(str(root))
    client = connect_to_running(root)
    if client is None:
        raise nothing_runs(str(root), [named] if named else [])
    try:
        service = require_input(client, named)
    finally:
        client.close()
    from devinit.cli.attached.attachment import attach  # asyncio, which no refusal waits for

    return attach(root, service, arguments.lines, arguments.seconds)


def require_input(client: Client, named: str | None) -> str:
    """Return the service that is meant. Raise DevinitError for one that cannot be typed into."""
    if client.greeting.wire < FIRST_WIRE_WITH_INPUT:
        raise needs_newer("`devinit attach`", client)
    rows = {row["name"]: row for row in api.status(client)["services"]}
    service = named or the_one_that_asks(rows)
    row = rows.get(service)
    if row is not None and row["phase"] in AT_REST and row["mode"] != "external":
        hint = how_to_start(service) if row["phase"] == "stopped" else f"`devinit why {service}` says why"
        raise ServiceError(f"{service} does not run: it is {row['phase']}", hint=hint)
    if row is None or row["pid"] is not None or row["mode"] == "external":
        # It may read from something else by now. One that is on its way has no input yet, and will have.
        api.write_input(client, service, "")
    return service


def the_one_that_asks(rows: Mapping[str, ServiceStatus]) -> str:
    """Return the only service that waits for input. Raise UsageError when none does, or several do."""
    asking = {name: wait for name, row in rows.items() if (wait := row.get("waits_for_input"))}
    if len(asking) == 1:
        return next(iter(asking))
    said = "; ".join(f"{name} at {wait['prompt']}" for name, wait in asking.items())
    raise UsageError(
        f"several services wait for input: {said}" if asking else "no service waits for input",
        hint=f"name one: devinit attach SERVICE; services: {', '.join(rows) or 'none'}",
    )

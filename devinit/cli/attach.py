"""Type into a service: follow its output, and send each line to its standard input.

For a debugger (`breakpoint()`, `byebug`, `node inspect`) or a question that a program asks. What leaves is this
command alone: no key ends the service. From a pipe, the lines are sent and the answer is printed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from devinit.cli.parser import count, seconds
from devinit.cli.project import require_project, root_of
from devinit.cli.reach import nothing_runs
from devinit.cli.setting import needs_newer
from devinit.control import api
from devinit.control.launch import connect_to_running
from devinit.errors import ServiceError, UsageError
from devinit.model.at_rest import how_to_start
from devinit.model.phases import AT_REST
from devinit.system.paths import marked_service
from devinit.system.tree import RUN_VARIABLE

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping
    from pathlib import Path

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client
    from devinit.model.status import ServiceStatus, TerminalStatus

EXAMPLE = "devinit attach backend"
FIRST_WIRE_WITH_INPUT = 6
"""A supervisor with an older wire cannot write to a service."""


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
    add_keys(parser)
    parser.add_argument(
        "--for",
        dest="seconds",
        type=seconds,
        metavar="SECONDS",
        help="from a pipe: how long output is shown after the end of the input (until it is quiet for 1 s)",
    )


def add_keys(parser: ArgumentParser) -> None:
    """Add the option for the keys that detach."""
    parser.add_argument(
        "--detach-keys",
        metavar="KEYS",
        help="what detaches, as ctrl-p,ctrl-q (ctrl-]; else $DEVINIT_DETACH_KEYS)",
    )


def run(arguments: Arguments) -> int:
    """Stay attached until a key detaches, the input ends, or the service ends."""
    return stay(arguments)


def stay(arguments: Arguments, *, also: str = "") -> int:
    """Attach as `run` does. `also`: text for the message that a service with a terminal keeps running."""
    root, named = root_of(arguments), arguments.service
    require_project(str(root))
    client = connect_to_running(root)
    if client is None:
        raise nothing_runs(str(root), [named] if named else [])
    try:
        service, terminal = require_input(client, named)
    finally:
        client.close()
    # Imported late like the modules below: only the way that is taken needs it.
    from devinit.cli.attached.detach_keys import USUAL, DetachKeys

    keys = DetachKeys(arguments.detach_keys or os.environ.get("DEVINIT_DETACH_KEYS") or USUAL)
    if terminal is not None and is_terminal():
        refuse_own(root, service)
        from devinit.cli.attached.lending import lend  # only for a service with a terminal

        return lend(root, service, keys, arguments.lines, terminal["socket"], also=also)
    from devinit.cli.attached.attachment import attach  # loads asyncio, which no refusal should wait for

    return attach(root, service, arguments.lines, arguments.seconds, keys)


def runs_in_terminal(arguments: Arguments) -> bool:
    """Whether the service runs in a terminal."""
    client = connect_to_running(root_of(arguments))
    if client is None:
        return False
    try:
        rows = {row["name"]: row for row in api.status(client)["services"]}
    finally:
        client.close()
    row = rows.get(arguments.service)
    terminal = row.get("terminal") if row is not None else None
    return terminal is not None and terminal["socket"] is not None


def is_terminal() -> bool:
    """Whether standard input and output are both a terminal."""
    return os.isatty(0) and os.isatty(1)


def refuse_own(root: Path, service: str) -> None:
    """Raise UsageError in the service's own terminal, which would show the service its own output again."""
    if marked_service(os.environ.get(RUN_VARIABLE, ""), root) == service:
        raise UsageError(
            f"this is the terminal of {service} itself",
            hint="attach to it from a terminal outside of devinit",
        )


def require_input(client: Client, named: str | None) -> tuple[str, TerminalStatus | None]:
    """Return the service to attach to, and its terminal. Raise DevinitError if it does not accept input."""
    if client.greeting.wire < FIRST_WIRE_WITH_INPUT:
        raise needs_newer("`devinit attach`", client)
    rows = {row["name"]: row for row in api.status(client)["services"]}
    service = named or the_one_that_asks(rows)
    row = rows.get(service)
    if row is not None and row["phase"] in AT_REST and row["mode"] != "external":
        hint = how_to_start(service) if row["phase"] == "stopped" else f"`devinit why {service}` says why"
        raise ServiceError(f"{service} does not run: it is {row['phase']}", hint=hint)
    terminal = row.get("terminal") if row is not None else None
    if terminal is not None and terminal["lost"]:
        raise ServiceError(
            f"{service} has lost its terminal: the process that held it was killed",
            hint=f"`devinit restart {service}` gives it another one",
        )
    if row is None or row["pid"] is not None or row["mode"] == "external":
        # Its input may be redirected by now. A service that is still starting has no input yet, but will get one.
        api.write_input(client, service, "")
    return service, terminal


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

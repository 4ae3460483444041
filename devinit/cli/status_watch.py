"""`status --watch`: the status again whenever it has changed; at a terminal, it is redrawn in place."""

from __future__ import annotations

import select
import sys
import time

from devinit.cli.output import Paint, print_json, size_of
from devinit.cli.progress import columns_taken
from devinit.cli.shown_status import chosen, connected, lines_of, status_at_rest
from devinit.cli.terminated import Terminable
from devinit.control import api
from devinit.errors import SupervisorError
from devinit.system import terminal
from devinit.text import cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client
    from devinit.model.status import ProjectStatus

TOGETHER_SECONDS = 0.1
"""Changes within this time are shown together."""
LOOK_SECONDS = 1.0
"""The interval of the search for a supervisor while none runs."""
AGAIN_SECONDS = 5.0
"""The interval of requests without an event, because a configuration file may have changed."""
MOVING = ("uptime_seconds", "cpu_percent", "memory_bytes")
"""Fields of a service that differ each time, and do not count as a change."""


def watch(root: str, arguments: Arguments) -> NoReturn:
    """Show the status again and again, until Ctrl-C or SIGTERM."""
    shown = InPlace() if sys.stdout.isatty() and not arguments.json else Blocks(as_json=arguments.json)
    with Terminable():
        while True:
            client = connected(root)
            if client is None:
                shown.show(of_interest(status_at_rest(root), arguments))
                time.sleep(LOOK_SECONDS)
                continue
            try:
                follow(client, shown, root, arguments)
            except SupervisorError:
                client.close()  # the next round looks for it again


def follow(client: Client, shown: InPlace | Blocks, root: str, arguments: Arguments) -> NoReturn:
    """Show the status of a supervisor, again after each event. Raise SupervisorError when it goes away."""
    client.call("subscribe")
    while True:
        status = api.status(client, measure=True)
        if not status["services"]:
            # This supervisor only answered a request, and has not been given services.
            status = {**status_at_rest(root), "supervisor": status["supervisor"]}
        shown.show(of_interest(status, arguments))
        if select.select([client.fileno()], [], [], AGAIN_SECONDS)[0]:
            time.sleep(TOGETHER_SECONDS)
            client.pending()


def of_interest(status: ProjectStatus, arguments: Arguments) -> ProjectStatus:
    """Return a status with only the requested services."""
    return {**status, "services": chosen(arguments.services, status)}


class Blocks:
    """A printer that prints the whole status after each change: for a pipe, a file, a program."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._before: object = None

    def show(self, status: ProjectStatus) -> None:
        """Print a status unless it equals the previous one."""
        if self._as_json:
            services = [{key: each[key] for key in each if key not in MOVING} for each in status["services"]]  # type: ignore[literal-required]  # its own keys
            now: object = {**status, "services": services}
            if now != self._before:
                print_json(status)
                sys.stdout.flush()
        else:
            lines = now = lines_of(status["services"], Paint(sys.stdout))
            if now != self._before:
                terminal.write(sys.stdout, [*([""] if self._before is not None else []), *lines])
        self._before = now


class InPlace:
    """A printer that redraws the status in place."""

    def __init__(self) -> None:
        self._drawn: list[int] = []
        """The widths of the lines that are on the screen."""

    def show(self, status: ProjectStatus) -> None:
        """Draw a status over the previous one."""
        columns, rows = size_of(sys.stdout)
        before = sum(max(1, -(-taken // columns)) for taken in self._drawn)
        lines = fitting(lines_of(status["services"], Paint(sys.stdout), aligned=True), columns, rows - 1)
        terminal.draw(sys.stdout, before, [], lines)
        self._drawn = [columns_taken(line) for line in lines]


def fitting(lines: list[str], columns: int, rows: int) -> list[str]:
    """Return as many lines as can be redrawn; lines that scroll off the screen could not be."""
    found: list[str] = []
    taken = 0
    for number, line in enumerate(lines):
        needs = max(1, -(-columns_taken(line) // columns))
        left = len(lines) - number
        if taken + needs > rows - (1 if left > 1 else 0):
            return [*found, cut(f"and {left} more lines; `devinit status` shows all", columns - 1)]
        found.append(line)
        taken += needs
    return found

"""`devinit ports find`: the next free port for a program that devinit does not start, in any folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from devinit.cli.output import print_json, talk
from devinit.cli.project import folder_of
from devinit.config.shown import root_around
from devinit.errors import DevinitError
from devinit.ports.granting.finding import find_free
from devinit.ports.holder.pm2 import applications
from devinit.ports.leases import LeaseStore
from devinit.resolving.at_rest import at_rest
from devinit.system import terminal
from devinit.system.paths import state_directory

if TYPE_CHECKING:
    from devinit.cli.arguments import Arguments


def run(arguments: Arguments) -> int:
    """Print only the port, for `PORT=$(devinit ports find 3000)`."""
    found = find_free(arguments.start, dict(kept_ports(folder_of(arguments))))
    if arguments.json:
        passed = [{"port": each.port, "reason": each.reason} for each in found.passed]
        print_json({"port": found.port, "passed": passed})
    else:
        terminal.write(sys.stdout, [str(found.port)])
    return 0


def kept_ports(folder: str) -> Iterator[tuple[int, str]]:
    """Yield the ports that services and PM2 applications have or will return to, with their owners."""
    for port, application in applications(os.environ).items():
        yield port, f"assigned to {application.name} in PM2"
    yield from _ports_of_project(folder)
    for entry in LeaseStore(state_directory() / "leases").entries():
        yield (
            entry.port,
            f"{entry.owner.service} of {entry.owner.project}{'' if entry.live else ', which is stopped'}",
        )


def _ports_of_project(folder: str) -> Iterator[tuple[int, str]]:
    """Yield the ports of the project around a folder, even if no service of it was ever started."""
    try:
        root = root_around(folder)
        if root is None:
            return
        rest = at_rest(Path(root))
    except DevinitError as error:
        talk(f"{error}; the ports that this project asks for are not known")
        return
    for name, request in rest.project.port_requests.items():
        for port in (request.preferred, rest.port_of(request)):
            yield port, f"{name} of this project"

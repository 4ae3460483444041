"""`devinit ports who`: the holder of a port, in any folder and without a supervisor."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from devinit.cli.output import Paint, columns_of, print_json
from devinit.cli.port_facts import facts_of, heading
from devinit.cli.project import folder_of
from devinit.config.shown import root_around
from devinit.ports.holder.who import who
from devinit.system import terminal

if TYPE_CHECKING:
    from devinit.cli.arguments import Arguments


def run(arguments: Arguments) -> int:
    """Print the facts about a port, or that it is free."""
    port: int = arguments.port
    found = who(port, root_around(folder_of(arguments)))
    report = msgspec.to_builtins(found) if found else None
    if arguments.json:
        print_json({"port": port, "free": report is None, **(report or {})})
    elif report is None:
        terminal.write(sys.stdout, [f"Port {port} is free."])
    else:
        paint, columns = Paint(sys.stdout), columns_of(sys.stdout)
        lines = [*heading(report, paint, columns), *facts_of(report, paint, columns, in_full=True)]
        terminal.write(sys.stdout, lines)
    return 0

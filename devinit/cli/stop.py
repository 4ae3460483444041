"""Stop services, in reverse order, with everything that they started, and give their ports back."""

from __future__ import annotations

import sys

from devinit.cli.output import print_json, talk
from devinit.cli.progress import Progress
from devinit.cli.project import root_of
from devinit.control.launch import connect_to_running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLE = "devinit stop frontend"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "services", nargs="*", metavar="SERVICE", help="what to stop; none or `all`: everything"
    )
    parser.add_argument("--json", action="store_true", help="print events, one JSON object a line")


def run(arguments: Namespace) -> int:
    """Stop services."""
    client = connect_to_running(root_of(arguments))
    if client is None:
        if arguments.json:
            print_json({"stopped": [], "supervisor_ends": False})
        else:
            talk("nothing runs")
        return 0
    with Progress(sys.stderr, silent=arguments.json) as progress:
        see = print_json if arguments.json else progress.see
        result = client.call("stop", {"services": arguments.services}, see, progress.tick)
    if arguments.json:
        print_json(result)
    elif not result["stopped"]:
        talk("nothing to stop")
    return 0

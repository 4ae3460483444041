"""Stop services, in reverse order, with everything that they started, and give their ports back."""

from __future__ import annotations

import sys
import time

from devinit.cli.output import print_json, talk
from devinit.cli.progress import Progress
from devinit.cli.project import root_as_text
from devinit.control.launch import connect_to_running
from devinit.text import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client, Json

EXAMPLE = "devinit stop frontend"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "services", nargs="*", metavar="SERVICE", help="what to stop; none or `all`: everything"
    )
    parser.add_argument("--json", action="store_true", help="print events, one JSON object a line")


def run(arguments: Arguments) -> int:
    """Stop services."""
    began = time.monotonic()
    client = connect_to_running(root_as_text(arguments))
    result: Json = {"stopped": [], "left": []} if client is None else order(client, arguments)
    if arguments.json:
        seconds = round(time.monotonic() - began, 3)
        services, left = result["stopped"], result["left"]
        print_json({"type": "stopped", "services": services, "left": left, "seconds": seconds})
    elif client is None:
        talk("nothing runs")
    elif not result["stopped"] and not result["left"]:
        talk("nothing to stop")
    else:
        if result["stopped"]:
            talk(f"stopped {', '.join(result['stopped'])} in {duration(time.monotonic() - began)}")
        for name in result["left"]:
            talk(f"{name} was left alone: devinit did not start it, and does not stop it")
    return 0


def order(client: Client, arguments: Arguments) -> Json:
    """Order the stop and show what happens."""
    with Progress(sys.stderr, silent=arguments.json, vanishes=True) as progress:
        see = print_json if arguments.json else progress.see
        result: Json = client.call("stop", {"services": arguments.services}, see, progress.tick)
    return result

"""Stop services, in reverse order, with everything that they started, and give their ports back."""

from __future__ import annotations

import os
import sys
import time

from devinit.cli.output import print_json, talk
from devinit.cli.progress import Progress
from devinit.cli.project import root_as_text
from devinit.cli.stopping import stop_services
from devinit.cli.terminated import Terminable
from devinit.control.launch import connect_to_running
from devinit.control.stopped import refuse_remaining, remaining_of
from devinit.errors import Termination, UsageError
from devinit.text import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client
    from devinit.model.status import StopReport

EXAMPLE = "devinit stop frontend"
SWITCHES = {"--json": "json", "--all": "all", "--force": "force"}
NAMES = "services"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "services", nargs="*", metavar="SERVICE", help="what to stop; none or `all`: everything"
    )
    parser.add_argument(
        "--all", action="store_true", help="every project of yours on this machine, from any folder"
    )
    parser.add_argument(
        "--force", action="store_true", help="do not wait for a polite end: KILL at once (PostgreSQL: QUIT)"
    )
    parser.add_argument("--json", action="store_true", help="print events, one JSON object a line")


def run(arguments: Arguments) -> int:
    """Stop services."""
    if arguments.all:
        if arguments.services:
            raise UsageError("--all stops every project, without a choice of services")
        from devinit.cli.everywhere import stop_everywhere  # the stop of one project does not need it

        return stop_everywhere(force=arguments.force, as_json=arguments.json)
    began = time.monotonic()
    result = in_deleted_folder(arguments) or in_project(arguments)
    stopped, left = result["stopped"], result["left"]
    if arguments.json:
        seconds = round(time.monotonic() - began, 3)
        remaining = remaining_of(result)
        print_json(
            {"type": "stopped", "services": stopped, "left": left, "remaining": remaining, "seconds": seconds}
        )
        refuse_remaining(result)
        if not stopped and not left:
            refuse_other_state(arguments)
        return 0
    if stopped:
        talk(f"stopped {', '.join(stopped)} in {duration(time.monotonic() - began)}")
    for name in left:
        talk(f"{name} was left alone: devinit did not start it, and does not stop it")
    refuse_remaining(result)
    if not stopped and not left:
        refuse_other_state(arguments)
        talk("nothing to stop" if "supervisor_ends" in result else "nothing runs")
    return 0


def refuse_other_state(arguments: Arguments) -> None:
    """Raise SupervisorError if nothing was stopped and the services run with another state folder.

    If that is not certain, but they were started that way, report it.
    """
    from devinit.control.other_state import runs_there, said_of  # as below

    root = root_as_text(arguments)
    if (error := runs_there(root)) is not None:
        raise error
    if (other := said_of(root)) is not None:
        talk(other.message)


def in_deleted_folder(arguments: Arguments) -> StopReport | None:
    """Stop services that still run in a deleted folder; return None if the folder exists or nothing ran there."""
    if arguments.directory is None or os.path.isdir(arguments.directory):  # noqa: PTH112  paths are text here
        return None
    from devinit.control.orphans import end_orphans  # a rare accident, for which no other stop pays

    ended = end_orphans(arguments.directory)
    return {"stopped": ended, "left": []} if ended else None


def in_project(arguments: Arguments) -> StopReport:
    """Stop the running services, even without a supervisor and a record."""
    root = root_as_text(arguments)
    client = connect_to_running(root)
    if client is None:
        from devinit.control.orphans import connect_for_orphans  # as above

        client = connect_for_orphans(root)
    return {"stopped": [], "left": []} if client is None else order(client, arguments)


def order(client: Client, arguments: Arguments) -> StopReport:
    """Order the stop and show its progress."""
    try:
        with Terminable(), Progress(sys.stderr, silent=arguments.json, vanishes=True) as progress:
            see = print_json if arguments.json else progress.see
            say = talk if arguments.json else progress.say
            return stop_services(client, arguments.services, see, progress.tick, say, force=arguments.force)
    except (KeyboardInterrupt, Termination):
        talk("\nthe stop goes on in the background: `devinit status` shows how far it is")
        raise

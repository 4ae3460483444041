"""Show what has happened to the project, and with --follow what happens: phases, ports, errors of builds, notes.

The supervisor keeps the latest events. Following goes on over the ends and starts of supervisors.
"""

from __future__ import annotations

import sys
import time

from devinit.cli.output import Paint, print_json, talk
from devinit.cli.project import root_as_text
from devinit.cli.reach import mention_configuration, mention_reach, nothing_runs
from devinit.control import api
from devinit.control.launch import connect_to, refuse_another_users
from devinit.errors import ConfigError, SupervisorError
from devinit.model.build_words import in_words
from devinit.system import terminal
from devinit.text import duration, one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable
    from typing import NoReturn

    from devinit.cli.arguments import Arguments
    from devinit.control.wire import Json

EXAMPLE = "devinit events --follow --json"
GONE = {"build": "build is clean", "change": "the file with the build's error has changed", "run": ""}
"""Messages for a build error that is gone; a new run has its own event, and proves nothing about the build yet."""
LOOK_SECONDS = 0.5
"""The interval of the search for a supervisor while none runs."""


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on as more happens, until Ctrl-C (exit code 130)"
    )
    parser.add_argument(
        "--after",
        metavar="TIME",
        help="only what happened since then: 10s, 10:30 or a Unix time",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def run(arguments: Arguments) -> int:
    """Print events."""
    from devinit.cli.wait import after_of

    root = root_as_text(arguments)
    after = after_of(arguments.after)
    see = print_json if arguments.json else Printer().see
    if arguments.follow:
        follow(root, see, time.time() if after is None else after)
    client = connect_to(root)
    if client is None:
        refuse_another_users(root)
        talk("nothing runs here, and events are kept only while something does")
        mention_obstacle(root)
        return 0
    mention_reach(client)
    mention_configuration(api.status(client))
    client.call("events", {"after": after or 0.0}, see)
    return 0


def follow(root: str, see: Callable[[Json], None], after: float) -> NoReturn:
    """Print events as they arrive, until interrupted."""
    latest = after

    def take(event: Json) -> None:
        nonlocal latest
        latest = max(latest, event["at"])
        see(event)

    is_told = False
    while True:
        client = connect_to(root)
        if client is None:
            refuse_another_users(root)
            if not is_told:
                talk("nothing runs here: waiting for a start")
                mention_obstacle(root)
            is_told = True
            time.sleep(LOOK_SECONDS)
            continue
        is_told = True
        mention_reach(client)
        try:
            mention_configuration(api.status(client))
            client.call("events", {"after": latest, "follow": True}, take, gone_with_reader)
        except SupervisorError:
            # The supervisor has ended, usually after a stop. Everything that its successor reports is new.
            latest = max(latest, time.time())
        finally:
            client.close()


def mention_obstacle(root: str) -> None:
    """Print the configuration error that keeps the project from being started, if there is one."""
    error = nothing_runs(root)
    if isinstance(error, ConfigError):
        talk(f"{error.message}\n  {error.hint}" if error.hint else error.message)


def gone_with_reader() -> None:
    """Raise BrokenPipeError when the reader of the output has gone."""
    from devinit.cli.logs import is_reader_gone

    if is_reader_gone():
        raise BrokenPipeError


class Printer:
    """A printer of events as human-readable lines."""

    def __init__(self) -> None:
        self._paint = Paint(sys.stdout)

    def see(self, event: Json) -> None:
        """Print an event, unless it has no one-line form."""
        from devinit.cli.log_printer import clock

        if said := said_of(event):
            service = f"{one_line(event['service'])}: " if event.get("service") else ""
            terminal.write(sys.stdout, [f"{self._paint.dim(clock(event['at']))} {service}{said}"])
            sys.stdout.flush()


def said_of(event: Json) -> str:
    """Return an event in a few words; "" for an event that is not shown."""
    match event["type"]:
        case "plan":
            names = ", ".join(map(one_line, event["starting"]))
            return f"start of {names}" if names else ""
        case "phase":
            took = f" after {duration(event['ready_seconds'])}" if event["ready_seconds"] is not None else ""
            reason = one_line((event["reason"] or "").partition("\n")[0])
            return f"{event['phase']}{took}" + (f": {reason}" if reason else "")
        case "port" if event["moved_from"] is not None:
            return f"port {event['moved_from']} moved to {event['port']}: {one_line(event['reason'])}"
        case "port_info" if event["url"] is not None and event["url"].startswith("http"):
            return f"answers at {one_line(event['url'])}"
        case "last_error" if event["error"] is None:
            return GONE[event.get("gone_by") or "build"]
        case "last_error":
            return f"build failed: {one_line(in_words(event['error']))}"
        case "wrong_servers" if not event["servers"]:
            return "is connected to no server of another project any more"
        case "wrong_servers":
            return one_line("; ".join(f"is {each['text']}" for each in event["servers"]))
        case "waits_for_input" if event["waits_for_input"] is None:
            return "waits for input no more"
        case "waits_for_input":
            return f"waits for input at {one_line(event['waits_for_input']['prompt'])}"
        case "progress" | "note":
            return one_line(event["message"])
        case "summary":
            rows = event["services"]
            ready = sum(row["phase"] == "ready" for row in rows)
            took = duration(event["seconds"])
            return f"{ready} of {len(rows)} ready after {took}, exit code {event['exit_code']}"
    return ""

"""Bring services up, with all that they depend on, and wait until each is proven ready."""

from __future__ import annotations

import os
import sys

from devinit.cli.asking import add_port_options
from devinit.cli.bring_up import bring_up
from devinit.cli.output import talk
from devinit.cli.project import root_as_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit start all"
SUMMARY = "--json=summary"
OF_RESTART_TOO = {
    "--json": "json",
    SUMMARY: "json_summary",
    "--force": "force",
    "-d": "detach",
    "--detach": "detach",
    "--setup": "setup",
}
SWITCHES = {**OF_RESTART_TOO, "--foreground": "foreground", "--names": "names"}
NAMES = "services"
DEFAULTS = {"on_conflict": None, "timeout": None, "profile": None}
"""Values of options that are absent; `configure` gives the parser the same defaults."""


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    add_options(parser)
    parser.add_argument(
        "--names",
        action="store_true",
        help="also serve pages as http://SERVICE.PROJECT.localhost, until all is stopped (extra `gateway`)",
    )
    parser.add_argument(
        "--foreground",
        action="store_true",
        help="stay, print what the services print, stop all of them on Ctrl-C or SIGTERM; for containers and CI",
    )


def add_options(parser: ArgumentParser) -> None:
    """Add the options that `restart` shares."""
    from devinit.cli.parser import seconds  # only a command with options needs a parser

    parser.add_argument(
        "services", nargs="*", metavar="SERVICE", help="what to start; none or `all`: everything"
    )
    parser.add_argument(
        "-d",
        "--detach",
        action="store_true",
        help="return to the shell when all is ready; at a terminal a start opens the dashboard",
    )
    add_port_options(parser)
    parser.add_argument(
        "--timeout", type=seconds, metavar="S", help="give up waiting after so many seconds (exit code 4)"
    )
    parser.add_argument(
        "--setup",
        action="store_true",
        help="run `setup` also where nothing has changed, and install what services without one lack, or have "
        "out of date",
    )
    parser.add_argument("--profile", help="use a profile of devinit.toml (also DEVINIT_PROFILE)")
    parser.add_argument("--json", action="store_true", help="print events, one JSON object a line")
    # Its own switch: `--json` takes no value, as the name of a service may follow it.
    parser.add_argument(
        SUMMARY, dest="json_summary", action="store_true", help="print only the last event, `summary`"
    )


def run(arguments: Arguments) -> int:
    """Start services; return the exit code for all of them together."""
    root = root_as_text(arguments)
    if arguments.foreground:
        from devinit.cli.foreground import run_in_foreground  # few starts need it
        from devinit.cli.leaving import until_left

        return until_left(lambda: run_in_foreground(root, arguments))
    if os.getpid() == 1:
        talk("this is process 1: all that it starts ends with it; `devinit start --foreground` stays")
    if opens_dashboard(arguments):
        from devinit.cli.live import start_in_dashboard  # imports that only a terminal needs

        return start_in_dashboard(root, arguments)
    return bring_up("start", root, arguments)


def opens_dashboard(arguments: Arguments) -> bool:
    """Whether the start opens the dashboard: it runs at a terminal that can show it, and no option forbids it."""
    if arguments.detach or is_for_programs(arguments) or not sys.stdout.isatty():
        return False
    from devinit.cli.dashboard import can_show  # few starts get here

    return can_show()


def is_for_programs(arguments: Arguments) -> bool:
    """Whether standard output is JSON: all events, or only the last one."""
    return bool(arguments.json or arguments.json_summary)

"""Show, choose or forget the ports of services; tell who has a port, free it, or find a free one."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentTypeError
from importlib import import_module
from typing import TYPE_CHECKING

from devinit.model.port import HIGHEST_PORT

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

FIRST_PORT = 3000
"""The port at which `ports find` begins to search."""
EXAMPLE = "devinit ports who 8000"
ACTIONS = {None: "listing", "who": "who", "free": "free", "find": "find", "set": "choose", "reset": "forget"}
"""The module of this package that implements each action."""


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--all", action="store_true", help="every port that a project of this machine has")
    parser.add_argument(
        "--stats",
        action="store_true",
        help="how often ports were granted as they were asked for; with --all of all",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions (none: show the ports)")
    asking = actions.add_parser("who", help="tell who has a port, in any folder")
    asking.add_argument("port", metavar="PORT", type=port_number, help="1 to 65535")
    freeing = actions.add_parser("free", help="end who holds a port, where that is safe, after asking")
    freeing.add_argument("port", metavar="PORT", type=port_number, help="1 to 65535")
    freeing.add_argument("--force", action="store_true", help="do not ask; what must not be ended stays")
    finding = actions.add_parser("find", help="print the next port that is free and that no project keeps")
    finding.add_argument(
        "start",
        metavar="FROM",
        nargs="?",
        type=port_number,
        default=FIRST_PORT,
        help="the first one that will do (3000)",
    )
    setting = actions.add_parser("set", help="choose the port of a service for the next start")
    setting.add_argument("service", metavar="SERVICE", help="whose port; `service.name` for an extra port")
    setting.add_argument("port", metavar="PORT", type=port_number, help="1 to 65535")
    resetting = actions.add_parser(
        "reset", help="forget chosen ports, so that the preferred ones count again"
    )
    resetting.add_argument("services", nargs="*", metavar="SERVICE", help="whose ports; none: every service")
    for action in (asking, freeing, finding, setting, resetting):
        # The option may precede the action as well; a default here would reset it.
        action.add_argument("--json", action="store_true", default=SUPPRESS, help="print one JSON object")


def port_number(text: str) -> int:
    """Parse a port number. Raise ArgumentTypeError for anything else."""
    digits = len(str(HIGHEST_PORT))
    # Check the length first: int() raises an error for more than 4,300 digits.
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else 0
    if not 1 <= number <= HIGHEST_PORT:
        shown = text if len(text) <= 2 * digits else f"{text[:digits]}…"
        raise ArgumentTypeError(f"{shown!r} is not a port: ports are 1 to {HIGHEST_PORT}")
    return number


def run(arguments: Arguments) -> int:
    """Show or change the ports."""
    if arguments.stats and arguments.action is None:
        from devinit.cli.ports.stats import run as show_statistics  # not needed for the list

        return show_statistics(arguments)
    if arguments.all and arguments.action is None:
        from devinit.cli.neighbours import show_ports  # not needed for one project

        return show_ports(as_json=arguments.json)
    module = import_module(f"devinit.cli.ports.{ACTIONS[arguments.action]}")
    code: int = module.run(arguments)
    return code

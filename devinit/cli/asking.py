"""Who decides about a taken port: the user at the terminal, or a policy."""

from __future__ import annotations

import os
import sys

from devinit.cli.output import is_true
from devinit.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

POLICIES = ("ask", "kill", "move", "reuse", "fail")


def add_port_options(parser: ArgumentParser) -> None:
    """Add the options that decide about taken ports."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--force",
        action="store_true",
        help="end the holder of a port where that is safe (also FORCE_MODE=true)",
    )
    group.add_argument(
        "--on-conflict",
        choices=POLICIES,
        metavar="POLICY",
        help="what to do about a taken port: ask, kill, move, reuse (use a database that runs there "
        "and knows the project) or fail; without it ask at a terminal, else move "
        "(also DEVINIT_ON_CONFLICT)",
    )


def policy_of(arguments: Arguments) -> str:
    """Return the policy for conflicts: from the options, else the environment, else `ask` if a user can answer."""
    if arguments.on_conflict:
        chosen = str(arguments.on_conflict)
    elif arguments.force or is_true(os.environ.get("FORCE_MODE", "")):
        chosen = "kill"
    elif stated := os.environ.get("DEVINIT_ON_CONFLICT"):
        if stated not in POLICIES:
            raise UsageError(f"DEVINIT_ON_CONFLICT={stated}", hint=f"it must be one of {', '.join(POLICIES)}")
        chosen = stated
    else:
        chosen = "ask"
    return "move" if chosen == "ask" and not can_ask(arguments) else chosen


def can_ask(arguments: Arguments) -> bool:
    """Whether a user can answer. Without a terminal none can, and JSON is read by a program."""
    is_program = arguments.json or arguments.json_summary
    return sys.stdin.isatty() and sys.stderr.isatty() and not is_program

"""Who decides about a taken port: the person at the terminal, or a policy."""

from __future__ import annotations

import os
import sys

from devinit.cli.output import is_true
from devinit.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

POLICIES = ("ask", "kill", "move", "fail")


def add_port_options(parser: ArgumentParser) -> None:
    """Add the options that decide about taken ports."""
    parser.add_argument(
        "--force",
        action="store_true",
        help="end whoever holds a port where that is safe (also FORCE_MODE=true)",
    )
    parser.add_argument(
        "--on-conflict",
        choices=POLICIES,
        help="what to do about a taken port; default: ask at a terminal, else move (also DEVINIT_ON_CONFLICT)",
    )


def policy_of(arguments: Namespace) -> str:
    """Return how conflicts are decided: options before the environment, the terminal last."""
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
    # Nobody can answer without a terminal: then a port moves.
    return "move" if chosen == "ask" and not is_interactive() else chosen


def is_interactive() -> bool:
    """Whether a person can be asked: both what is read and what is shown are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()

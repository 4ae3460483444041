"""Open the dashboard: what runs, where, how it feels, what it says, and one key to restart it."""

from __future__ import annotations

import os
import sys

from devinit.cli.caller import caller_environment
from devinit.cli.output import talk
from devinit.cli.project import root_of
from devinit.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit dashboard"
SWITCHES: dict[str, str] = {}


def configure(_parser: ArgumentParser) -> None:
    """Add the options of this command."""


def run(arguments: Arguments) -> int:
    """Show the dashboard until it is left."""
    root = root_of(arguments)
    if not can_show():
        raise UsageError(
            "the dashboard needs a terminal that can move the cursor",
            hint="`devinit status` shows what runs, `devinit logs -f` what it prints",
        )
    open_dashboard(root)
    return 0


def can_show() -> bool:
    """Whether there is a terminal to show the dashboard on."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") not in (None, "", "dumb")


def open_dashboard(root: Path) -> None:
    """Show the dashboard until it is left, then say how things stand."""
    # Textual takes longer to load than most commands take altogether.
    from devinit.dashboard.app import Dashboard
    from devinit.dashboard.link import SupervisorLink
    from devinit.dashboard.themes import first_theme

    profile = os.environ.get("DEVINIT_PROFILE") or None
    link = SupervisorLink(root, caller_environment(), profile)
    said = Dashboard(link, root, theme=first_theme(os.environ)).run()
    if said:
        talk(said)

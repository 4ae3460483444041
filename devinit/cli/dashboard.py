"""Open the dashboard: what runs, where, how it feels, what it says, and one key to restart it."""

from __future__ import annotations

import os
import sys

from devinit.cli.caller import caller_environment, is_in_browser
from devinit.cli.output import talk
from devinit.cli.project import require_project, root_of
from devinit.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from devinit.cli.arguments import Arguments
    from devinit.config.pinning import Pins
    from devinit.dashboard.app import Dashboard
    from devinit.dashboard.begun import Begun
    from devinit.model.task import Task
    from devinit.system.alternate_screen import Attributes

EXAMPLE = "devinit dashboard"
SWITCHES = {"--web": "web"}
DEFAULTS = {"port": None}


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    from devinit.cli.ports import port_number  # only a command with options needs a parser

    parser.add_argument(
        "--web",
        action="store_true",
        help="show it in a browser on this machine: prints a link that works once (needs devinit[web])",
    )
    parser.add_argument(
        "--port", type=port_number, metavar="N", help="with --web: listen on this port, not on a free one"
    )


def run(arguments: Arguments) -> int:
    """Show the dashboard until the user leaves it."""
    root = root_of(arguments)
    require_project(str(root))
    if arguments.web:
        from devinit.cli.browser import show_in_browser  # asyncio and sockets, not needed in a terminal

        show_in_browser(root, arguments.port, os.environ.get("DEVINIT_PROFILE") or None)
        return 0
    if arguments.port is not None:
        raise UsageError("--port is for the dashboard in a browser", hint="add --web")
    if not can_show():
        raise UsageError(
            "the dashboard needs a terminal that can move the cursor",
            hint="`devinit status` shows what runs, `devinit logs -f` what it prints",
        )
    open_dashboard(root)
    return 0


def can_show() -> bool:
    """Whether there is a terminal to show the dashboard on."""
    at_terminal = (
        sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") not in (None, "", "dumb")
    )
    return at_terminal or is_in_browser()


def open_dashboard(root: Path) -> None:
    """Show the dashboard until the user leaves it, then print the state of the services."""
    said = dashboard_of(root).run()
    if said and not is_in_browser():
        talk(said)


def dashboard_of(
    root: Path,
    begun: Begun | None = None,
    profile: str | None = None,
    give_away: Callable[[], Attributes | None] | None = None,
) -> Dashboard:
    """Return the dashboard of a project. `begun`: the start that opens it.

    `give_away` hands over the terminal, which may already show the first picture.
    """
    # Textual takes longer to load than most commands take to run.
    from devinit.dashboard.app import Dashboard
    from devinit.dashboard.colours import first_theme
    from devinit.dashboard.first_run import hint_of_first_run
    from devinit.dashboard.link import SupervisorLink
    from devinit.dashboard.preferences import read_preferences

    if is_in_browser():
        from devinit.dashboard.web.exit_with_server import end_with_server  # as above

        end_with_server()
    driver_class = None
    if give_away is not None and not is_in_browser() and "TEXTUAL_DRIVER" not in os.environ:
        from devinit.dashboard.continuing import continuing  # as above

        driver_class = continuing(give_away)
    profile = profile or os.environ.get("DEVINIT_PROFILE") or None
    link = SupervisorLink(root, caller_environment(), profile)

    def tasks() -> list[Task]:
        from devinit.config.load import load  # loaded after the first picture

        return list(load(root, profile=profile).tasks.values())

    return Dashboard(
        link,
        root,
        LatePins(root, profile),
        theme=first_theme(os.environ),
        tasks=tasks,
        begun=begun,
        preferences=read_preferences(os.environ),
        hint=hint_of_first_run(),
        driver_class=driver_class,
    )


class LatePins:
    """Permanent port policies in devinit.toml; the code for them is imported on first use."""

    def __init__(self, root: Path, profile: str | None) -> None:
        self._root, self._profile = root, profile

    def can_keep(self) -> bool:
        """Whether a devinit.toml can hold the policies."""
        return self._pins().can_keep()

    def keep(self, answers: Mapping[str, str]) -> list[str]:
        """Write the policies of services, and return messages about it for the user."""
        return self._pins().keep(answers) if answers else []

    def _pins(self) -> Pins:
        from devinit.config.pinning import Pins  # as above

        return Pins(self._root, self._profile)

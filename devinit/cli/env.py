"""Print the runtime environment, passwords included: what .env.runtime says, or would say after a start."""

from __future__ import annotations

import os

from devinit.cli.caller import caller_environment
from devinit.cli.project import require_project, root_of
from devinit.cli.reach import mention_reach
from devinit.control import api
from devinit.control.launch import connect_or_start
from devinit.runtime.dotenv import render, render_json, render_shell
from devinit.system import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path

    from devinit.cli.arguments import Arguments

EXAMPLE = 'eval "$(devinit env --format shell)"'
FORMATS = {"dotenv": render, "shell": render_shell, "json": render_json}


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--format", choices=tuple(FORMATS), default="dotenv", help="how it is written (dotenv)"
    )
    parser.add_argument("--json", action="store_const", dest="format", const="json", help="--format json")


def run(arguments: Arguments) -> int:
    """Print the runtime environment."""
    terminal.data(FORMATS[arguments.format](runtime_environment(root_of(arguments))))
    return 0


def runtime_environment(root: Path) -> dict[str, str]:
    """Return the runtime environment of a project."""
    require_project(str(root))
    client = connect_or_start(root)
    mention_reach(client)
    profile = os.environ.get("DEVINIT_PROFILE") or None
    values = api.environment(client, caller_environment(), profile)
    client.close()
    return values

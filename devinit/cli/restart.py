"""Stop services and bring them up again with the current configuration and environment."""

from __future__ import annotations

from devinit.cli import start
from devinit.cli.bring_up import bring_up
from devinit.cli.project import root_as_text
from devinit.cli.start import DEFAULTS, NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit restart backend"
SWITCHES = {**start.OF_RESTART_TOO, "--changed": "changed"}

__all__ = ["DEFAULTS", "EXAMPLE", "NAMES", "SWITCHES", "configure", "run"]


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    start.add_options(parser)
    parser.add_argument(
        "--changed",
        action="store_true",
        help="only services that are older than their configuration and .env",
    )


def run(arguments: Arguments) -> int:
    """Restart services; return the exit code of the result."""
    return bring_up("restart", root_as_text(arguments), arguments)

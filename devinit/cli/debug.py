"""Start a service again with a terminal for this run, and attach to it: for a debugger with more than lines."""

from __future__ import annotations

from devinit.cli import attach, start
from devinit.cli.asking import add_port_options
from devinit.cli.bring_up import bring_up
from devinit.cli.project import root_as_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit debug backend"
KEPT = ", and keeps its terminal until the next restart"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("service", metavar="SERVICE", help="the service that is started again")
    attach.add_keys(parser)
    add_port_options(parser)
    parser.add_argument("--profile", help="use a profile of devinit.toml (also DEVINIT_PROFILE)")


def run(arguments: Arguments) -> int:
    """Restart the service, and stay attached; return the exit code of the first failure."""
    switches = dict.fromkeys((*start.OF_RESTART_TOO.values(), "changed"), False)
    others = {"services": [arguments.service], "timeout": None, "lines": None, "seconds": None}
    for name, value in {**switches, **others, "force": arguments.force}.items():
        setattr(arguments, name, value)
    code = bring_up("restart", root_as_text(arguments), arguments, in_terminals=(arguments.service,))
    if code != 0 and not attach.runs_in_terminal(arguments):
        return code
    return attach.stay(arguments, also=KEPT)

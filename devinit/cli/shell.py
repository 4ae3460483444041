"""Open a shell as a service runs, in its folder, with its environment and tools, or in the runtime environment."""

from __future__ import annotations

import os

from devinit.cli.executing import become
from devinit.cli.output import talk
from devinit.cli.project import root_of
from devinit.cli.run import add_test
from devinit.cli.setting import environment_of, mention, setting_of
from devinit.errors import UsageError
from devinit.model.names import IN_SHELL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments
    from devinit.control.wire import Json

EXAMPLE = "devinit shell backend"
USUAL = "/bin/sh"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "service",
        nargs="?",
        metavar="SERVICE",
        help="in its folder, with its environment, PORT and tools, also while it is down; without: where you are",
    )
    add_test(parser)


def run(arguments: Arguments) -> int:
    """Replace this process by the shell that $SHELL names."""
    if (outer := os.environ.get(IN_SHELL)) is not None:
        raise UsageError(
            f"this is a shell of devinit already ({outer})", hint="`exit` leaves it; then open the other one"
        )
    root = root_of(arguments)
    where: Json = {} if arguments.service is None else {"service": arguments.service}
    setting = setting_of(root, test=arguments.test, where=where)
    mention(setting, test=arguments.test)
    name = arguments.service or "the project"
    talk(f"a shell of {name}: `exit` leaves it")
    environment = {**environment_of(setting, root), IN_SHELL: name}
    become([os.environ.get("SHELL") or USUAL], environment, setting.get("directory"))

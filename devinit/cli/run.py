"""Run a command in the runtime environment: migrations, shells, tests that must talk to the right ports."""

from __future__ import annotations

import os

from devinit.cli.env import runtime_environment
from devinit.cli.project import root_of
from devinit.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLE = "devinit run -- alembic upgrade head"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    # REMAINDER would also swallow our own options; what follows `--` is the command's.
    parser.usage = "devinit run [-C DIR] -- COMMAND ..."
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="what to run, after --")


def run(arguments: Namespace) -> int:
    """Become the command: its exit code is ours."""
    environment = {**os.environ, **runtime_environment(root_of(arguments))}
    program, *_ = words = arguments.command
    try:
        os.execvpe(program, words, environment)  # noqa: S606  without a shell: that is the point
    except FileNotFoundError:
        raise UsageError(f"{program}: there is no such command", hint="it was looked for on PATH") from None
    except OSError as error:
        raise UsageError(f"{program} cannot be run: {error.strerror}") from None

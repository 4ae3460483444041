"""Run a command as a service runs: in its folder, with its environment, PORT and tools, also while it is down."""

from __future__ import annotations

from devinit.cli.run import add_test
from devinit.cli.setting import carry_out
from devinit.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit exec backend -- alembic upgrade head"


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the options of `exec` with the service, and the command after them or after `--`."""
    position, names = 0, 0
    while position < len(words) and words[position] != "--":
        is_name = not words[position].startswith("-")
        if is_name and names:
            return words[:position], words[position:]
        names += is_name
        position += 2 if words[position] == "-C" else 1
    return words[:position], words[position + 1 :]


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command; the parser never sees the command to run."""
    parser.usage = "devinit exec [-h] [-C DIR] [--test] SERVICE [--] COMMAND ..."
    parser.add_argument("service", metavar="SERVICE", help="the service as which the command runs")
    add_test(parser)


def run(arguments: Arguments) -> int:
    """Replace this process by the command, whose exit code becomes its own."""
    if not arguments.command or not arguments.command[0]:
        raise UsageError("`devinit exec` needs a command", hint=f"example: {EXAMPLE}")
    return carry_out(arguments)

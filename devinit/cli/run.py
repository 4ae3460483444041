"""Run a task of devinit.toml, or any command in the runtime environment: migrations, shells, tests.

Alone it lists the tasks, and what the repository itself has names for: scripts of package.json, targets of a
Makefile, justfile or Taskfile that start no server.
"""

from __future__ import annotations

from devinit.cli.project import root_of
from devinit.cli.setting import carry_out
from devinit.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit run -- alembic upgrade head"
WITH_VALUES = ("-C", "-s", "--service")
"""Options with a value in the next word."""


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the options of `run`, and the command, which follows `--` or starts at the first non-option."""
    position = 0
    while position < len(words) and words[position].startswith("-"):
        if words[position] == "--":
            return words[:position], words[position + 1 :]
        position += 2 if words[position] in WITH_VALUES else 1
    return words[:position], words[position:]


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command; the parser never sees the command to run."""
    parser.usage = (
        "devinit run [-h] [-C DIR] [-s SERVICE] [--test] [--list] [--json] [TASK | [--] COMMAND] ..."
    )
    parser.add_argument(
        "-s",
        "--service",
        metavar="SERVICE",
        help="in its folder, with its environment, PORT and tools, also while it is down; `devinit exec` is short "
        "for it",
    )
    add_test(parser)
    parser.add_argument("-l", "--list", action="store_true", help="list the tasks; nothing is run for it")
    parser.add_argument("--json", action="store_true", help="the list as JSON")


def add_test(parser: ArgumentParser) -> None:
    """Add the `--test` option, which `devinit exec` shares."""
    parser.add_argument(
        "--test",
        action="store_true",
        help="give the test database under the names of the database (DATABASE_URL, PGDATABASE ...)",
    )


def run(arguments: Arguments) -> int:
    """Replace this process by the command, whose exit code becomes its own, or list the tasks."""
    words = arguments.command or []
    if arguments.list or not (words or arguments.is_after_dashes or arguments.service):
        if words:
            raise UsageError(f"what is {words[0]!r}?", hint="`devinit run --list` takes no name")
        from devinit.cli.task_list import print_tasks  # a command does not need it

        return print_tasks(root_of(arguments), as_json=arguments.json)
    if arguments.json:
        raise UsageError("--json is for the list of tasks", hint="`devinit run --list --json`")
    if not words or not words[0]:
        raise UsageError("`devinit run` needs a command", hint=f"example: {EXAMPLE}")
    if not (arguments.is_after_dashes or arguments.service):
        from devinit.cli.tasks import run_named  # as above

        return run_named(arguments)
    return carry_out(arguments)

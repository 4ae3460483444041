"""Run a command in the runtime environment: migrations, shells, tests that must talk to the right ports."""

from __future__ import annotations

import os
import signal

from devinit.cli.env import runtime_environment
from devinit.cli.project import root_of
from devinit.errors import CommandNotFound, CommandNotRunnable, UsageError
from devinit.runtime.inherited import own_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit run -- alembic upgrade head"


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """Return our own options and the command, which follows `--` or begins with the first word that is none."""
    position = 0
    while position < len(words) and words[position].startswith("-"):
        if words[position] == "--":
            return words[:position], words[position + 1 :]
        position += 2 if words[position] == "-C" else 1
    return words[:position], words[position:]


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command; the command itself never comes to the parser."""
    parser.usage = "devinit run [-h] [-C DIR] [--] COMMAND ..."


def run(arguments: Arguments) -> int:
    """Become the command: its exit code is ours."""
    if not arguments.command:
        raise UsageError("`devinit run` needs a command", hint=f"example: {EXAMPLE}")
    root = root_of(arguments)
    environment = {**own_environment(os.environ, root), **runtime_environment(root)}
    # Python ignores SIGPIPE, and what is ignored stays ignored: `devinit run -- yes | head -1` would complain.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    program, *_ = words = arguments.command
    try:
        os.execvpe(program, words, environment)  # noqa: S606  without a shell: that is the point
    except OSError as error:
        if not is_there(program, environment.get("PATH")):
            raise CommandNotFound(f"{program}: there is no such command", hint=where(program)) from None
        raise CommandNotRunnable(f"{program} cannot be run: {error.strerror}") from None


def is_there(program: str, path: str | None) -> bool:
    """Whether a program exists at all: a folder on PATH that we may not enter makes the search fail otherwise."""
    from shutil import which  # only a failure needs it

    return os.path.exists(program) if "/" in program else which(program, os.F_OK, path) is not None  # noqa: PTH110


def where(program: str) -> str:
    """Return where a program was looked for."""
    if "/" in program:
        return f"looked for in {os.getcwd()}"  # noqa: PTH109  pathlib takes long to load
    return "it was looked for on PATH; `devinit run -- sh -c '...'` runs a line of shell"

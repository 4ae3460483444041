"""Run a command in the runtime environment: migrations, shells, tests that must talk to the right ports."""

from __future__ import annotations

import os
import signal

from devinit.cli.caller import caller_environment
from devinit.cli.output import talk
from devinit.cli.project import require_project, root_of
from devinit.cli.reach import mention_reach
from devinit.control import api
from devinit.control.launch import connect_or_start
from devinit.errors import CommandNotFound, CommandNotRunnable, SupervisorError, UsageError
from devinit.runtime.inherited import own_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from devinit.cli.arguments import Arguments
    from devinit.model.status import CommandSetting

EXAMPLE = "devinit run -- alembic upgrade head"
FIRST_WIRE_WITH_COMMANDS = 3
"""An older supervisor knows the runtime environment alone."""
AT_REST = ("stopped", "exited", "failed")
ANSWERING = ("ready", "unhealthy")
COMING = ("waiting", "starting", "backoff")


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
    parser.usage = "devinit run [-h] [-C DIR] [--test] [--] COMMAND ..."
    parser.add_argument(
        "--test",
        action="store_true",
        help="give the test database under the names of the database (DATABASE_URL, PGDATABASE ...)",
    )


def run(arguments: Arguments) -> int:
    """Become the command: its exit code is ours."""
    if not arguments.command or not arguments.command[0]:
        raise UsageError("`devinit run` needs a command", hint=f"example: {EXAMPLE}")
    root = root_of(arguments)
    setting = setting_of(root, test=arguments.test)
    if (line := idle_line(setting["phases"], setting["databases"])) is not None:
        talk(line)
    if arguments.test and setting["untested"]:
        names = ", ".join(setting["untested"])
        talk(f"{names}: no test database, so the command gets the one of development")
    environment = {**own_environment(os.environ, root), **setting["environment"]}
    environment["PATH"] = path_with(environment.get("PATH"), setting["path"])
    # Python ignores SIGPIPE, and what is ignored stays ignored: `devinit run -- yes | head -1` would complain.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    program, *_ = words = arguments.command
    try:
        os.execvpe(program, words, environment)  # noqa: S606  without a shell: that is the point
    except OSError as error:
        if not is_there(program, environment.get("PATH")):
            raise CommandNotFound(f"{program}: there is no such command", hint=where(program)) from None
        raise CommandNotRunnable(f"{program} cannot be run: {error.strerror}") from None


def setting_of(root: Path, *, test: bool) -> CommandSetting:
    """Return what the supervisor gives a command (model.status.CommandSetting)."""
    require_project(str(root))
    client = connect_or_start(root)
    mention_reach(client, str(root), runs_here=True)
    environ, profile = caller_environment(), os.environ.get("DEVINIT_PROFILE") or None
    if client.greeting.wire >= FIRST_WIRE_WITH_COMMANDS:
        setting = api.command(client, environ, profile, test=test)
    elif test:
        raise SupervisorError(
            f"--test needs a newer supervisor: {client.greeting.beside_ours()}",
            hint="`devinit start` replaces it; services keep running",
        )
    else:
        values = api.environment(client, environ, profile)
        setting = {"environment": values, "path": [], "phases": {}, "databases": [], "untested": []}
    client.close()
    return setting


def idle_line(phases: Mapping[str, str], databases: Sequence[str]) -> str | None:
    """Say that what a command may need does not run: it would find out by a time-out. None: nothing to say."""
    missing = [name for name in databases if phases.get(name) not in ANSWERING]
    names = ", ".join(missing)
    if phases and all(phase in AT_REST for phase in phases.values()):
        without = f", so {names} will not answer" if missing else ""
        return f"nothing of this project runs{without}: `devinit start` brings it up"
    if not missing:
        return None
    if all(phases.get(name) in COMING for name in missing):
        return f"not ready yet: {names}; `devinit start {' '.join(missing)}` waits for it"
    return f"not running: {names}; `devinit start {' '.join(missing)}` brings it up"


def path_with(path: str | None, folders: Sequence[str]) -> str:
    """Return a PATH with folders behind it: what the system has wins."""
    parts = [os.defpath] if path is None else [path] if path else []
    present = os.pathsep.join(parts).split(os.pathsep)
    return os.pathsep.join([*parts, *(folder for folder in folders if folder not in present)])


def is_there(program: str, path: str | None) -> bool:
    """Whether a program exists at all: a folder on PATH that we may not enter makes the search fail otherwise."""
    from shutil import which  # only a failure needs it

    return os.path.exists(program) if "/" in program else which(program, os.F_OK, path) is not None  # noqa: PTH110


def where(program: str) -> str:
    """Return where a program was looked for."""
    if "/" in program:
        return f"looked for in {os.getcwd()}"  # noqa: PTH109  pathlib takes long to load
    return "it was looked for on PATH; `devinit run -- sh -c '...'` runs a line of shell"

"""Run a command in the runtime environment: migrations, shells, tests that must talk to the right ports."""

from __future__ import annotations

import os

from devinit.cli.caller import caller_environment
from devinit.cli.executing import become, path_with
from devinit.cli.output import talk
from devinit.cli.project import require_project, root_of
from devinit.cli.reach import mention_reach
from devinit.control import api
from devinit.control.launch import connect_or_start
from devinit.errors import SupervisorError, UsageError
from devinit.runtime.inherited import own_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import NoReturn

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client
    from devinit.control.wire import Json
    from devinit.model.status import CommandSetting

EXAMPLE = "devinit run -- alembic upgrade head"
FIRST_WIRE_WITH_COMMANDS = 3
"""An older supervisor knows the runtime environment alone."""
FIRST_WIRE_WITH_PLACES = 5
"""An older supervisor runs no command as a service, or in a folder."""
AT_REST = ("stopped", "exited", "failed")
ANSWERING = ("ready", "unhealthy")
COMING = ("waiting", "starting", "backoff")
WITH_VALUES = ("-C", "-s", "--service")
"""Options whose value is the next word."""


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """Return our own options and the command, which follows `--` or begins with the first word that is none."""
    position = 0
    while position < len(words) and words[position].startswith("-"):
        if words[position] == "--":
            return words[:position], words[position + 1 :]
        position += 2 if words[position] in WITH_VALUES else 1
    return words[:position], words[position:]


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command; the command itself never comes to the parser."""
    parser.usage = "devinit run [-h] [-C DIR] [-s SERVICE] [--test] [--] COMMAND ..."
    parser.add_argument(
        "-s",
        "--service",
        metavar="SERVICE",
        help="in its folder, with its environment, PORT and tools, also while it is down; `devinit exec` is short "
        "for it",
    )
    add_test(parser)


def add_test(parser: ArgumentParser) -> None:
    """Add the option that `devinit exec` has as well."""
    parser.add_argument(
        "--test",
        action="store_true",
        help="give the test database under the names of the database (DATABASE_URL, PGDATABASE ...)",
    )


def run(arguments: Arguments) -> int:
    """Become the command: its exit code is ours."""
    if not arguments.command or not arguments.command[0]:
        raise UsageError("`devinit run` needs a command", hint=f"example: {EXAMPLE}")
    carry_out(arguments)


def carry_out(arguments: Arguments) -> NoReturn:
    """Become a command of the project, or of the service that is named."""
    root, words = root_of(arguments), arguments.command or []
    where: Json = {} if arguments.service is None else {"service": arguments.service}
    setting = setting_of(root, test=arguments.test, where=where)
    mention_idle(setting)
    if arguments.test and setting["untested"]:
        names = ", ".join(setting["untested"])
        talk(f"{names}: no test database, so the command gets the one of development")
    become(words, environment_of(setting, root), setting.get("directory"), hint=hint_about(words, setting))


def environment_of(setting: CommandSetting, root: Path) -> dict[str, str]:
    """Return the whole environment of a command."""
    inherited = {} if "directory" in setting else own_environment(os.environ, root)
    environment = {**inherited, **setting["environment"]}
    environment["PATH"] = path_with(environment.get("PATH"), setting["path"])
    return environment


def setting_of(root: Path, *, test: bool, where: Json) -> CommandSetting:
    """Return what the supervisor gives a command (model.status.CommandSetting).

    `where`: the `service` as which it runs, or the `directory` in which it does.
    """
    require_project(str(root))
    client = connect_or_start(root)
    mention_reach(client, str(root), runs_here=True)
    try:
        return asked(client, test=test, where=where)
    finally:
        client.close()


def asked(client: Client, *, test: bool, where: Json) -> CommandSetting:
    """Ask a supervisor for it, which may be an older one."""
    environ, profile = caller_environment(), os.environ.get("DEVINIT_PROFILE") or None
    if where and client.greeting.wire < FIRST_WIRE_WITH_PLACES:
        raise needs_newer("a command of a service", client)
    if client.greeting.wire >= FIRST_WIRE_WITH_COMMANDS:
        return api.command(client, environ, profile, test=test, where=where)
    if test:
        raise needs_newer("--test", client)
    values = api.environment(client, environ, profile)
    return {"environment": values, "path": [], "phases": {}, "databases": [], "untested": []}


def needs_newer(what: str, client: Client) -> SupervisorError:
    """Return the error for what an older supervisor cannot do."""
    return SupervisorError(
        f"{what} needs a newer supervisor: {client.greeting.beside_ours()}",
        hint="`devinit start` replaces it; services keep running",
    )


def mention_idle(setting: CommandSetting) -> None:
    """Say that what a command may need does not run."""
    if (line := idle_line(setting["phases"], setting["databases"])) is not None:
        talk(line)


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


def hint_about(words: Sequence[str], setting: CommandSetting) -> str | None:
    """Return what was meant by a command that does not exist, where its name is a service's."""
    name, *rest = words
    if name not in setting["phases"]:
        return None
    command = " ".join(rest) or "COMMAND"
    return f"{name} is a service: `devinit exec {name} -- {command}` runs a command in its folder"

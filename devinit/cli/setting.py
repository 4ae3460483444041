"""The environment of a command that runs beside the services, as the supervisor returns it, and its start."""

from __future__ import annotations

import os

from devinit.cli.caller import caller_environment
from devinit.cli.executing import become, path_with
from devinit.cli.output import talk
from devinit.cli.project import require_project, root_of
from devinit.cli.reach import mention_reach
from devinit.control import api
from devinit.control.launch import connect_or_start
from devinit.errors import SupervisorError
from devinit.runtime.inherited import own_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import NoReturn

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client
    from devinit.control.wire import Json
    from devinit.model.status import CommandSetting

FIRST_WIRE_WITH_COMMANDS = 3
"""An older supervisor knows the runtime environment alone."""
FIRST_WIRE_WITH_PLACES = 5
"""An older supervisor runs no command as a service, or in a folder."""
AT_REST = ("stopped", "exited", "failed")
ANSWERING = ("ready", "unhealthy")
COMING = ("waiting", "starting", "backoff")


def carry_out(
    arguments: Arguments, setting: CommandSetting | None = None, hint: str | None = None
) -> NoReturn:
    """Become a command of the project, or of the service that is named.

    `setting`: what the supervisor gives it, if it was asked already. `hint`: said where there is no such command.
    """
    root, words = root_of(arguments), arguments.command or []
    if setting is None:
        where: Json = {} if arguments.service is None else {"service": arguments.service}
        setting = setting_of(root, test=arguments.test, where=where)
    mention(setting, test=arguments.test)
    hint = hint or hint_about(words, setting)
    become(words, environment_of(setting, root), setting.get("directory"), hint=hint)


def environment_of(setting: CommandSetting, root: Path) -> dict[str, str]:
    """Return the whole environment of a command."""
    inherited = {} if "directory" in setting else own_environment(os.environ, root)
    without = setting.get("without", ())
    kept = {name: value for name, value in inherited.items() if name not in without}
    environment = {**kept, **setting["environment"]}
    environment["PATH"] = path_with(environment.get("PATH"), setting["path"])
    return environment


def setting_of(root: Path, *, test: bool, where: Json, again: bool = False) -> CommandSetting:
    """Return what the supervisor gives a command (model.status.CommandSetting).

    `where`: the `service` as which it runs, or the `directory` in which it does. `again`: what there is to say of
    the supervisor was said before.
    """
    require_project(str(root))
    client = connect_or_start(root)
    if not again:
        mention_reach(client, str(root), may_run_here=True)
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


def mention(setting: CommandSetting, *, test: bool) -> None:
    """Say that what a command may need does not run, or that it has no test database although one is wanted."""
    if (line := idle_line(setting["phases"], setting["databases"])) is not None:
        talk(line)
    if test and setting["untested"]:
        names = ", ".join(setting["untested"])
        talk(f"{names}: no test database, so the command gets the one of development")


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

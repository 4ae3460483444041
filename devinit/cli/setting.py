"""The environment of a command that runs next to the services, and the start of such a command."""

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
from devinit.model.phases import AT_REST
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
"""An older supervisor only provides the runtime environment."""
FIRST_WIRE_WITH_PLACES = 5
"""An older supervisor has no environment for a command of a service, or in a folder."""
ANSWERING = ("ready", "unhealthy")
COMING = ("waiting", "starting", "backoff")


def carry_out(
    arguments: Arguments, setting: CommandSetting | None = None, hint: str | None = None
) -> NoReturn:
    """Replace this process by a command of the project, or of the named service.

    `setting`: the supervisor's answer, if it was asked already. `hint`: the hint if the command does not exist.
    """
    root, words = root_of(arguments), arguments.command or []
    if setting is None:
        where: Json = {} if arguments.service is None else {"service": arguments.service}
        setting = setting_of(root, test=arguments.test, where=where)
    mention(setting, test=arguments.test)
    hint = hint or hint_about(words, setting)
    become(words, environment_of(setting, root), setting.get("directory"), hint=hint)


def environment_of(setting: CommandSetting, root: Path) -> dict[str, str]:
    """Return the complete environment of a command."""
    inherited = {} if "directory" in setting else own_environment(os.environ, root)
    without = setting.get("without", ())
    kept = {name: value for name, value in inherited.items() if name not in without}
    environment = {**kept, **setting["environment"]}
    environment["PATH"] = path_with(environment.get("PATH"), setting["path"])
    return environment


def setting_of(root: Path, *, test: bool, where: Json, again: bool = False) -> CommandSetting:
    """Return the setting of a command from the supervisor (model.status.CommandSetting).

    `where`: the `service` as which the command runs, or the `directory` in which it runs. `again`: the notes about
    the supervisor were printed before.
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
    """Request the setting from a supervisor, which may be an older one."""
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
    """Return the error for a feature that an older supervisor lacks."""
    return SupervisorError(
        f"{what} needs a newer supervisor: {client.greeting.beside_ours()}",
        hint="`devinit start` replaces it; services keep running",
    )


def mention(setting: CommandSetting, *, test: bool) -> None:
    """Report databases that do not run, and missing test databases if one is requested."""
    if (line := idle_line(setting["phases"], setting["databases"])) is not None:
        talk(line)
    if test and setting["untested"]:
        names = ", ".join(setting["untested"])
        talk(f"{names}: no test database, so the command gets the one of development")


def idle_line(phases: Mapping[str, str], databases: Sequence[str]) -> str | None:
    """Return a note about databases that do not run, which the command would only notice by a time-out."""
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
    """Return a hint for a missing command whose name is that of a service."""
    name, *rest = words
    if name not in setting["phases"]:
        return None
    command = " ".join(rest) or "COMMAND"
    return f"{name} is a service: `devinit exec {name} -- {command}` runs a command in its folder"

"""Print the runtime environment, passwords included: what .env.runtime says, or would say after a start."""

from __future__ import annotations

import os

from devinit.cli.caller import caller_environment
from devinit.cli.output import print_json
from devinit.cli.project import require_project, root_of
from devinit.cli.reach import mention_reach
from devinit.control import api
from devinit.control.launch import connect_or_start
from devinit.runtime.dotenv import render, render_json, render_shell
from devinit.system import terminal
from devinit.text import one_line, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client

EXAMPLE = 'eval "$(devinit env --format shell)"'
FIRST_WIRE_WITH_ORIGINS = 4
FORMATS = {"dotenv": render, "shell": render_shell, "json": render_json}


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--format", choices=tuple(FORMATS), default="dotenv", help="how it is written (dotenv)"
    )
    parser.add_argument("--json", action="store_const", dest="format", const="json", help="--format json")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="where each variable of each service comes from, without values",
    )


def about_stray(word: str) -> str:
    """Return a hint for a stray word, which is the name of a variable or of a service."""
    if word.isupper():
        of_service = f"`devinit exec SERVICE -- printenv {word}` that of a service"
        return f"`devinit run -- printenv {word}` prints one variable, {of_service}"
    whence = "`devinit env --explain` where each value comes from"
    return f"`devinit exec {word} -- env` prints what the service {word} is given, {whence}"


def run(arguments: Arguments) -> int:
    """Print the runtime environment, or the origins of its values."""
    if arguments.explain:
        origins = origins_of_services(root_of(arguments))
        if arguments.format == "json":
            print_json(origins)
        else:
            terminal.data(as_text(origins))
        return 0
    terminal.data(FORMATS[arguments.format](runtime_environment(root_of(arguments))))
    return 0


def runtime_environment(root: Path) -> dict[str, str]:
    """Return the runtime environment of a project."""
    client = connected(root)
    values = environment_from(client)
    client.close()
    return values


def connected(root: Path) -> Client:
    """Return a client of the project's supervisor, which is started if none runs."""
    require_project(str(root))
    client = connect_or_start(root)
    mention_reach(client, str(root), may_run_here=True)
    return client


def environment_from(client: Client) -> dict[str, str]:
    """Return the runtime environment; if nothing runs, the supervisor reads the configuration for it."""
    return api.environment(client, caller_environment(), os.environ.get("DEVINIT_PROFILE") or None)


def origins_of_services(root: Path) -> dict[str, dict[str, str]]:
    """Return the origin of each variable, by service and name, for services that get variables."""
    from devinit.kinds import KINDS  # the runtime environment alone does not need it

    # One client for all requests: a supervisor without services exits when its last client leaves, and the next
    # one has not read the configuration yet.
    client = connected(root)
    if client.greeting.wire < FIRST_WIRE_WITH_ORIGINS:
        from devinit.cli.setting import needs_newer  # only with an older supervisor

        raise needs_newer("--explain", client)
    environment_from(client)
    found = {}
    for each in api.status(client)["services"]:
        if KINDS[each["provider"]].takes_environment:
            found[each["name"]] = dict(api.inspect(client, each["name"]).get("origins", {}))
    client.close()
    return found


def as_text(origins: dict[str, dict[str, str]]) -> str:
    """Return origins as text, with a table for each service."""
    lines = []
    for service, names in origins.items():
        longest = max(map(len, names), default=0)
        lines += [
            service,
            *(f"  {plain(name):<{longest}}  {one_line(names[name])}" for name in sorted(names)),
        ]
    return "".join(f"{line}\n" for line in lines)

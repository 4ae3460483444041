"""The client programs of the project's servers, `psql` and `redis-cli`: selection of the server, and its address.

A password goes into the environment of the program, never into its command line, which every user can read.
"""

from __future__ import annotations

import os

from devinit.cli.project import require_project, root_of
from devinit.cli.run import WITH_VALUES
from devinit.cli.setting import environment_of, mention, setting_of
from devinit.errors import UsageError
from devinit.model.names import variable_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments
    from devinit.model.service import Service


ITS_OWN = ("PATH", "PG", "PSQL", "REDISCLI")
"""The prefixes of variables that a client program uses itself. The project's other variables, such as keys of
cloud services, are withheld from it and from a pager that it starts."""


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """Return devinit's options, which come first, and the words for the client program."""
    position = 0
    while position < len(words) and words[position] in (*WITH_VALUES, "--test", "--help"):
        position += 2 if words[position] in WITH_VALUES else 1
    rest = words[position:]
    return words[:position], rest[1:] if rest[:1] == ["--"] else rest


def configure(parser: ArgumentParser, program: str, *, has_tests: bool) -> None:
    """Add devinit's options; the parser never sees those of the program."""
    test = " [--test]" if has_tests else ""
    parser.usage = f"devinit {program} [--help] [-C DIR] [-s SERVICE]{test} [ARGUMENT ...]"
    parser.add_argument(
        "-s",
        "--service",
        metavar="SERVICE",
        help="which server is meant; without it the first one of the project",
    )
    if has_tests:
        parser.add_argument("--test", action="store_true", help="connect to the test database")


def server_of(arguments: Arguments, provider: str) -> Service:
    """Return the selected server of this kind. Raise UsageError if it does not exist."""
    from devinit.config.load import load  # the same reader as the supervisor's

    root = root_of(arguments)
    require_project(str(root))
    project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None)
    servers = {name: each for name, each in project.services.items() if each.provider == provider}
    if not servers:
        raise UsageError(
            f"{project.name} has no {provider} server", hint="`devinit status` lists what it has"
        )
    name = arguments.service or next(iter(servers))
    if name not in servers:
        raise UsageError(
            f"{name} is no {provider} server of {project.name}", hint=f"those are: {', '.join(servers)}"
        )
    return servers[name]


def setting_for(
    arguments: Arguments, service: Service, *, test: bool, needed: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the environment of a client program, and the server's variables without their prefix.

    The shell's variables of these names may be for another server, so they do not count. Raise UsageError if a
    `needed` one is excluded from the environment.
    """
    root = root_of(arguments)
    setting = setting_of(root, test=test, where={})
    mention(
        {**setting, "databases": [each for each in setting["databases"] if each == service.name]}, test=test
    )
    prefix = f"{variable_prefix(service.name)}_"
    given = setting["environment"]
    concerning = {name: value for name, value in given.items() if name.startswith((prefix, *ITS_OWN))}
    environment = environment_of({**setting, "environment": concerning}, root)
    own = {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}
    if missing := next((name for name in needed if name not in own), None):
        name = f"{prefix}{missing}"
        raise UsageError(
            f"{name} is left out of the environment, and {service.name} is found by it",
            hint=f"take `{name} = false` out of devinit.toml, or call the program with `devinit run`",
        )
    return environment, own

"""`devinit ports set`: the port of a service for the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.cli.output import print_json, talk
from devinit.cli.ports.requests import known, requests_of
from devinit.cli.project import root_of
from devinit.errors import UsageError
from devinit.ports import ports_file

if TYPE_CHECKING:
    from devinit.cli.arguments import Arguments


def run(arguments: Arguments) -> int:
    """Write a port into `.ports.json`."""
    root, name, port = root_of(arguments), arguments.service, arguments.port
    requests = requests_of(root)
    request = requests[known(name, requests)]
    if request.strict and port != request.preferred:
        raise UsageError(
            f"the port of {name} is fixed to {request.preferred} (strict_port)",
            hint="change `port` in devinit.toml",
        )
    if not request.first <= port <= request.last:
        raise UsageError(
            f"{port} is outside of the range of {name}, {request.first}-{request.last}",
            hint="choose one within it, or change `range` in devinit.toml",
        )
    changed = ports_file.write(root, {name: port})
    if arguments.json:
        print_json({"service": name, "port": port, "changed": changed})
    elif changed:
        talk(f"{name} will use {port}; `devinit restart {name.partition('.')[0]}` applies it now")
    else:
        talk(f"{name} was set to {port} already")
    return 0

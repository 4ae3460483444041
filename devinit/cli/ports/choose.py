"""`devinit ports set`: the port of a service for the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.cli.output import print_json, talk
from devinit.cli.ports.requests import requests_of
from devinit.cli.project import root_of
from devinit.ports.remembered.choosing import choose

if TYPE_CHECKING:
    from devinit.cli.arguments import Arguments


def run(arguments: Arguments) -> int:
    """Write a port into `.ports.json`."""
    root, name, port = root_of(arguments), arguments.service, arguments.port
    requests = requests_of(root)
    changed = choose(root, requests, name, port)
    if arguments.json:
        print_json({"service": name, "port": port, "changed": changed})
    elif changed:
        talk(f"{name} will use {port}; `devinit restart {name.partition('.')[0]}` applies it now")
    else:
        talk(f"{name} was set to {port} already")
    return 0

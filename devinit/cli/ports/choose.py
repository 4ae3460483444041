"""`devinit ports set`: choose the port of a service for the next start."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from devinit.cli.output import print_json, talk
from devinit.cli.ports.requests import requests_of
from devinit.cli.project import root_of
from devinit.control.launch import connect_to, refuse_foreign
from devinit.errors import DevinitError
from devinit.ports.remembered.choosing import choose

if TYPE_CHECKING:
    from pathlib import Path

    from devinit.cli.arguments import Arguments


def run(arguments: Arguments) -> int:
    """Write a port into `.ports.json`."""
    root, name, port = root_of(arguments), arguments.service, arguments.port
    refuse_foreign(root)  # another user's next start would not see the choice
    requests = requests_of(root)
    changed = choose(root, requests, name, port)
    if arguments.json:
        print_json({"service": name, "port": port, "changed": changed})
    elif changed:
        talk(f"{name} will use {port}; {applied(root, name.partition('.')[0])}")
    else:
        talk(f"{name} was set to {port} already")
    return 0


def applied(root: Path, service: str) -> str:
    """Return which command applies the port; for services in another container, it has to run there."""
    try:
        client = connect_to(root)
    except DevinitError:
        client = None  # the next command that needs the supervisor reports the error
    if client is None:
        return f"`devinit start {service}` uses it"
    with closing(client):
        if client.greeting.is_out_of_reach:
            return f"`devinit restart {service}` applies it, in the container that it runs in"
    return f"`devinit restart {service}` applies it now"

"""`devinit ports reset`: forget chosen ports, so that the preferred ones count again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.cli.output import print_json, talk
from devinit.cli.ports.requests import requests_of
from devinit.cli.project import root_of
from devinit.control.launch import refuse_foreign
from devinit.ports.remembered.choosing import forget

if TYPE_CHECKING:
    from devinit.cli.arguments import Arguments


def run(arguments: Arguments) -> int:
    """Remove ports from `.ports.json`, and release the reservations of services that do not run."""
    root, names = root_of(arguments), arguments.services
    refuse_foreign(root)  # another user's next start would not see the change
    requests = requests_of(root)
    before = forget(root, requests, names)
    if arguments.json:
        print_json({"forgotten": before})
        return 0
    moved = {
        name: port for name, port in before.items() if name in requests and port != requests[name].preferred
    }
    for name, port in moved.items():
        talk(f"{name} will ask for {requests[name].preferred} again, not for {port}")
    if not moved:
        talk("the preferred ports count again")
    return 0

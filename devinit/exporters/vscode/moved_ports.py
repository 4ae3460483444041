"""The ports in an exported launch.json of VS Code, changed in place: a debugger's port has moved. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from devinit.exporters.marking import is_as_written, remarked
from devinit.exporters.vscode import as_json, attaching_name


def with_ports(text: str, ports: Mapping[str, Sequence[int]]) -> str | None:
    """Return a launch.json with other ports; None when nothing differs, or it is no export or was edited.

    `ports`: of services, where their debuggers listen, in the order of the configuration.
    """
    if not is_as_written(text):
        return None
    first, _, rest = text.partition("\n")
    launch = json.loads(rest)
    for service, numbers in ports.items():
        attaching = [each for each in launch["configurations"] if each["name"] == attaching_name(service)]
        if len(attaching) != len(numbers):
            continue  # exported before one of them was configured
        for each, number in zip(attaching, numbers, strict=True):
            place = each.get("connect", each)
            place["port"] = number
    changed = as_json(launch)
    return None if changed == rest else f"{remarked(first, changed)}\n{changed}"

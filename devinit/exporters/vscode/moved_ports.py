"""The ports in an exported launch.json of VS Code, changed in place: a debugger's port has moved. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from devinit.exporters.marking import is_as_written, remarked
from devinit.exporters.vscode import as_json, attaching_name


def with_ports(text: str, ports: Mapping[str, Sequence[int]]) -> str | None:
    """Return a launch.json with other ports; None when nothing differs, or it is no export or was edited.

    `ports`: of services, where their debuggers listen, in the order of the configuration.
    """
    if not is_as_written(text):
        return None
    first, _, rest = text.partition("\n")
    try:
        launch = json.loads(rest)
        for service, numbers in ports.items():
            _set(launch["configurations"], attaching_name(service), numbers)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None  # the digest of the first line keeps no person from writing another text below it
    changed = as_json(launch)
    return None if changed == rest else f"{remarked(first, changed)}\n{changed}"


def _set(configurations: list[dict[str, Any]], name: str, numbers: Sequence[int]) -> None:
    """Set the ports of the configurations with a name. Any: VS Code's own format."""
    attaching = [each for each in configurations if each["name"] == name]
    if len(attaching) != len(numbers):
        return  # exported before one of them was configured
    for each, number in zip(attaching, numbers, strict=True):
        each.get("connect", each)["port"] = number

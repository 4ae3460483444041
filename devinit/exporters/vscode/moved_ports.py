"""Update the debug ports in an exported launch.json of VS Code after they have moved. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from devinit.exporters.marking import is_as_written, remarked
from devinit.exporters.vscode import as_json, attaching_name


def with_ports(text: str, ports: Mapping[str, Sequence[int]]) -> str | None:
    """Return a launch.json with new ports; None if nothing differs, or the file is no unedited export.

    `ports`: the debug ports of each service, in the order of the configuration.
    """
    if not is_as_written(text):
        return None
    first, _, rest = text.partition("\n")
    try:
        launch = json.loads(rest)
        for service, numbers in ports.items():
            _set(launch["configurations"], attaching_name(service), numbers)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None  # the digest in the first line may have been forged above any other text
    changed = as_json(launch)
    return None if changed == rest else f"{remarked(first, changed)}\n{changed}"


def _set(configurations: list[dict[str, Any]], name: str, numbers: Sequence[int]) -> None:
    """Set the ports of the configurations with a name. Any: VS Code's own format."""
    attaching = [each for each in configurations if each["name"] == name]
    if len(attaching) != len(numbers):
        return  # the file was exported before a debug port was added or removed
    for each, number in zip(attaching, numbers, strict=True):
        each.get("connect", each)["port"] = number

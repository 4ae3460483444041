"""The ports that a project asks for, by the names that `.ports.json` gives them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from devinit.config.load import load
from devinit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from devinit.model.port import PortRequest


def requests_of(root: Path) -> dict[str, PortRequest]:
    """Return every port that the project asks for, by its name."""
    project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None)
    requests: dict[str, PortRequest] = {}
    for service in project.services.values():
        for request in (service.port, *service.extra_ports):
            if request is not None:
                requests[request.service] = request
    return requests


def known(name: str, requests: dict[str, PortRequest]) -> str:
    """Return the name if a service has such a port, else raise UsageError."""
    if name not in requests:
        raise UsageError(
            f"no service has a port named {name!r}", hint=f"ports: {', '.join(requests) or 'none'}"
        )
    return name

"""The port requests of a project, by their names in `.ports.json`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from devinit.config.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from devinit.model.port import PortRequest


def requests_of(root: Path) -> dict[str, PortRequest]:
    """Return all port requests of the project, by name."""
    return load(root, profile=os.environ.get("DEVINIT_PROFILE") or None).port_requests

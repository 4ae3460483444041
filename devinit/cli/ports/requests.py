"""The ports that a project asks for, by the names that `.ports.json` gives them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from devinit.config.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from devinit.model.port import PortRequest


def requests_of(root: Path) -> dict[str, PortRequest]:
    """Return every port that the project asks for, by its name."""
    return load(root, profile=os.environ.get("DEVINIT_PROFILE") or None).port_requests

"""Default values of services, the same for configured and for detected ones."""

from __future__ import annotations

import os
from pathlib import Path

from devinit.model.names import DISCOVERY_FILE
from devinit.model.port import ATTEMPTS, HIGHEST_PORT, ConflictPolicy, PortRequest

LOCAL_HOST = "127.0.0.1"
DISCOVERY = {"backend": DISCOVERY_FILE}
"""The discovery files that are written by default."""
DISCOVERY_REFRESH_SECONDS = 10.0


def project_name(root: Path) -> str:
    """Return a folder's name as a project's name; characters that are unprintable or not UTF-8 are replaced."""
    name = os.fsencode(root.name).decode(errors="replace")
    return "".join(letter if letter.isprintable() else "?" for letter in name).strip() or "project"


def port_range(preferred: int, *, strict: bool = False) -> tuple[int, int]:
    """Return the first and last port of the range in which a service may move."""
    return (preferred, preferred) if strict else (preferred, min(preferred + ATTEMPTS - 1, HIGHEST_PORT))


def preferring(
    service: str, port: int, *, browser: bool, policy: ConflictPolicy | None = None
) -> PortRequest:
    """Return the request for a port that may move upwards."""
    first, last = port_range(port)
    return PortRequest(
        service=service, preferred=port, first=first, last=last, browser=browser, policy=policy
    )

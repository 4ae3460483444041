"""The files that carry the runtime: `.env.runtime` for all of it, discovery files for one address each.

Both are derived and replaced whole; nothing of ours reads them back as state. They hold passwords or invite
connections, so only their owner may read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from stat import S_IMODE
from typing import TypedDict

import msgspec

from devinit.errors import StateFileError
from devinit.model.service import Endpoint
from devinit.runtime.dotenv import render
from devinit.system.files import read_bytes, write_atomically

ENVIRONMENT_FILE = ".env.runtime"
PRIVATE = 0o600


class Discovery(TypedDict):
    """What a discovery file says about its service."""

    port: int
    host: str
    url: str
    timestamp: str
    """When it was last known to be true: ISO 8601 in UTC, which no reader can take for another unit."""
    process_id: int
    """The process that listens."""


def publish_environment(root: Path, values: Mapping[str, str]) -> bool:
    """Bring `.env.runtime` up to date and return whether that changed it."""
    path = root / ENVIRONMENT_FILE
    content = render(values).encode()
    if _is_private_file(path) and read_bytes(path, inside=root) == content:
        return False
    write_atomically(path, content, mode=PRIVATE, inside=root)
    return True


def write_discovery(path: Path, endpoint: Endpoint, *, process_id: int, now: float) -> None:
    """Say that the endpoint answers and which process listens; written again it says: still so."""
    assert endpoint.port is not None  # noqa: S101 - a service without a port has nothing to discover
    discovery = Discovery(
        port=endpoint.port,
        host=endpoint.host,
        url=endpoint.url or f"http://localhost:{endpoint.port}",
        timestamp=_iso(now),
        process_id=process_id,
    )
    # Not flushed to the disk, every ten seconds: after a power cut nobody listens there.
    write_atomically(path, msgspec.json.encode(discovery) + b"\n", mode=PRIVATE, durable=False)


def remove_discovery(path: Path, *, port: int, process_id: int) -> bool:
    """Remove a discovery file that speaks of this process on this port, and return whether it did.

    A later run may have written its own by now; one that cannot be read is not proven to be ours.
    """
    try:
        discovery = msgspec.json.decode(read_bytes(path) or b"", type=Discovery)
        ours = (discovery["port"], discovery["process_id"]) == (port, process_id)
        if ours:
            path.unlink()
    except (OSError, StateFileError, msgspec.DecodeError):
        # What cannot be removed is stale in 30 s for every client.
        return False
    return ours


def _is_private_file(path: Path) -> bool:
    try:
        return S_IMODE(path.stat().st_mode) == PRIVATE and path.is_file()
    except OSError:
        return False


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

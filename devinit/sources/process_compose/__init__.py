"""A file of process-compose: all processes for development, with their order and their readiness probes."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.sources.source import Found
    from devinit.system.bounds import Bounds

FILES = ("process-compose.yml", "process-compose.yaml")
"""The first one that exists is read."""
APPLICATIONS: tuple[str, ...] = ("process-compose.yaml: its processes",)
DATABASES: tuple[str, ...] = ()


def claims(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder has such a file."""
    return any(os.path.lexists(os.path.join(folder, name)) for name in FILES)  # noqa: PTH118 - loads os alone


def read(bounds: Bounds) -> Found:
    """Return the processes that it lists."""
    from devinit.sources.process_compose.services import found_in  # only where there is something to read

    return found_in(bounds, FILES)

"""Compose files, read as evidence for a native run.

They say which services there are, with which settings, ports and order, and which data services they use. How an
application is developed on the machine itself its code says better, so that code counts more.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.sources.source import Found
    from devinit.system.bounds import Bounds

BASES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""The first one that is there is read, as compose itself does."""
OVERRIDES = (
    "compose.override.yml", "compose.override.yaml",
    "docker-compose.override.yml", "docker-compose.override.yaml",
)  # fmt: skip
"""The first one that is there lies over the base."""
DEVELOPMENT = tuple(
    f"{name}.{purpose}.{ending}"
    for purpose in ("dev", "development", "local")
    for name in ("compose", "docker-compose")
    for ending in ("yaml", "yml")
)
"""Read where there is no base; named in a note where there is one. Those for production and tests are neither."""


APPLICATIONS: tuple[str, ...] = (
    "compose.yaml or docker-compose.yml: services with `build` or mounted source, PostgreSQL and Redis",
)
DATABASES: tuple[str, ...] = ()


def claims(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a folder has one."""
    try:
        names = {*os.listdir(folder)}  # noqa: PTH208 - loads os alone
    except OSError:
        return False
    return not names.isdisjoint((*BASES, *DEVELOPMENT))


def read(bounds: Bounds) -> Found:
    """Return the services that it describes."""
    from devinit.sources.compose.services import found_in  # only where there is something to read

    return found_in(bounds, (BASES, OVERRIDES, DEVELOPMENT))

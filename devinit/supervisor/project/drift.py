"""The parts of a running service that are older than its configuration.

The caller's environment does not count, because it differs between terminals.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from devinit.errors import StateFileError
from devinit.kinds import kind_of
from devinit.model.service import Project, Service
from devinit.system.files import read_bytes

KEYS = {
    "left_out": "env",
    "external_url": "url",
    "conditions": "depends_on",
    "extra_endpoints": "extra_ports",
}
"""Fields of a service that have another name in devinit.toml."""
_OF_NO_KEY = frozenset({"after_folder", "is_found", "instead_of"})
"""Fields of settings that record where other fields come from."""
ADDED, REMOVED = "added", "removed"
"""Reported for a service that the files have now but did not have before, and for one that they no longer have."""


class Basis(Struct, frozen=True, kw_only=True):
    """The inputs of a service's start besides its own configuration."""

    files: dict[str, int] = {}
    """The `.env` files that it was given → checksums, since their content is secret."""
    environment: int = 0
    """A checksum of `[environment]`."""


def basis_of(service: Service, project: Project, files: tuple[Path, ...]) -> Basis:
    """Return the inputs with which a service would start now."""
    if not kind_of(service).takes_environment:
        # Databases do not get these.
        return Basis()
    stated = "\0".join(f"{name}={value}" for name, value in sorted(project.environment.items()))
    return Basis(
        files={str(path): checksum_of(path) for path in files}, environment=checksum(stated.encode())
    )


def changed(service: Service, basis: Basis | None, project: Project, now: Basis) -> list[str]:
    """Return the keys and files whose content has changed since a service was started.

    Return only REMOVED for a service that the project no longer has.
    """
    configured = project.services.get(service.name)
    if configured is None:
        return [REMOVED]
    found = differences(service, configured)
    if basis is None:
        return found
    if basis.environment != now.environment:
        found.append("[environment]")
    paths = sorted(
        path for path in {*basis.files, *now.files} if basis.files.get(path) != now.files.get(path)
    )
    return found + [shown(path, project.root) for path in paths]


def differences(before: Service, now: Service) -> list[str]:
    """Return the keys of a service whose values differ; variables by their names."""
    found = []
    before, now = without_policies(before), without_policies(now)
    for field in Service.__struct_fields__:
        then, value = getattr(before, field), getattr(now, field)
        if then == value:
            continue
        if field == "env":
            found += changed_variables(then, value)
        elif field == "settings":
            # If the types differ, `provider` or `url` reports the other kind or server.
            if type(then) is type(value):
                keys = (key for key in value.__struct_fields__ if key not in _OF_NO_KEY)
                found += [key for key in keys if getattr(then, key) != getattr(value, key)]
        else:
            found.append(KEYS.get(field, field))
    return list(dict.fromkeys(found))


def without_policies(service: Service) -> Service:
    """Return a service without settings that do not affect how it runs: port policies, autostart, former data.

    A default time to stay up equals a stated one of the same length; records of earlier versions always state it.
    """
    return replace(
        service,
        port=replace(service.port, policy=None) if service.port is not None else None,
        extra_ports=tuple(replace(each, policy=None) for each in service.extra_ports),
        autostart=True,
        data_of=None,
        data_left=(),
        ready=replace(service.ready, after_seconds=service.ready.stays_up_seconds),
    )


def changed_variables(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the variables that were added, changed or removed."""
    return [f"env.{name}" for name in sorted({*before, *now}) if before.get(name) != now.get(name)]


def shown(path: str, root: Path) -> str:
    """Return a path relative to the project's folder if it lies inside."""
    return path.removeprefix(f"{root}/")


def checksum_of(path: Path) -> int:
    """Return a checksum of a file; 0 for an unreadable file, as for an empty one.

    A named pipe also counts as 0: opening it would consume the content that its writer has for the next start.
    """
    try:
        found = path.stat()
        if stat.S_ISFIFO(found.st_mode):
            return 0
        return _checksum_of(path, found.st_ino, found.st_mtime_ns, found.st_size)
    except (OSError, StateFileError):
        return 0


@lru_cache(maxsize=512)
def _checksum_of(path: Path, _inode: int, _modified: int, _size: int) -> int:
    """Read each version of a file once: lock files are long, and a dashboard asks often."""
    return checksum(read_bytes(path) or b"")


def checksum(content: bytes) -> int:
    """Return a checksum that distinguishes contents, but not ones that were made to collide."""
    from zlib import crc32  # hashlib takes 3 ms to load, in the middle of a start

    return crc32(content)

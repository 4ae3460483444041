"""Which parts of a running service are older than its configuration.

The environment of the caller does not count: it is another one in every terminal.
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
"""Fields of settings that say where the others come from."""
ADDED, REMOVED = "added", "removed"
"""What is reported of a service that the files name now and did not before, and of one that they name no more."""


class Basis(Struct, frozen=True, kw_only=True):
    """What the process of a service was started with, beside its own configuration."""

    files: dict[str, int] = {}
    """Each `.env` file that it was given → a checksum: what they say is secret."""
    environment: int = 0
    """A checksum of `[environment]`."""


def basis_of(service: Service, project: Project, files: tuple[Path, ...]) -> Basis:
    """Return what a service would be started with now."""
    if not kind_of(service).takes_environment:
        # Databases are given none of these.
        return Basis()
    stated = "\0".join(f"{name}={value}" for name, value in sorted(project.environment.items()))
    return Basis(
        files={str(path): checksum_of(path) for path in files}, environment=checksum(stated.encode())
    )


def changed(service: Service, basis: Basis | None, project: Project, now: Basis) -> list[str]:
    """Return the keys and files that say something else now than when a service was started.

    REMOVED alone for a service that the project does not have any more.
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
            # Another kind, or a server that runs elsewhere now: `provider` or `url` says so.
            if type(then) is type(value):
                keys = (key for key in value.__struct_fields__ if key not in _OF_NO_KEY)
                found += [key for key in keys if getattr(then, key) != getattr(value, key)]
        else:
            found.append(KEYS.get(field, field))
    return list(dict.fromkeys(found))


def without_policies(service: Service) -> Service:
    """Return a service without what is decided about taken ports, and by whom it is started: it is run the same.

    Staying up for the usual time is the same, stated or not; records of earlier versions always state it.
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
    """Return a path as it is written in the project."""
    return path.removeprefix(f"{root}/")


def checksum_of(path: Path) -> int:
    """Return a checksum of a file; one that cannot be read is as good as empty.

    So is a named pipe: to open it would take what its writer has for the next start.
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
    """Read a file once for each time that it is written: lock files are long, and a dashboard asks often."""
    return checksum(read_bytes(path) or b"")


def checksum(content: bytes) -> int:
    """Return a number that tells one content from another; not from one that was made to deceive."""
    from zlib import crc32  # hashlib takes 3 ms to load, in the middle of a start

    return crc32(content)

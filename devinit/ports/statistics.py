"""Statistics of port requests for each checkout: how often the preferred port was granted, and the conflicts.

They are counted where ports are granted, for services and programs alike, so that no search is missed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from devinit.errors import DevinitError, StateFileError
from devinit.model.port import GrantedPort, ResolutionKind, VerdictKind
from devinit.system.file_lock import FileLock
from devinit.system.files import read_bytes, write_atomically
from devinit.system.paths import project_id, state_directory

FOLDER = "port-statistics"
_LOCK = "lock"
UNKNOWN = "unknown"
"""The kind of a conflict whose holder was not identified."""


class Statistics(Struct, frozen=True, kw_only=True):
    """Outcomes of all port requests of one checkout. Other programs read them: every number only grows."""

    root: str = ""
    """The checkout."""
    project: str = ""
    since: float = 0.0
    """Unix time of the first request."""
    preferred: int = 0
    """Number of ports granted as first requested."""
    fallback: int = 0
    """Number of ports granted in place of a taken one."""
    used: int = 0
    """Number of running servers that are used instead of a new one."""
    failed: int = 0
    """Number of searches that ended with an error; questions to the user do not count."""
    attempts: int = 0
    """Number of candidates tried for the granted ports."""
    conflicts: dict[str, dict[str, int]] = {}
    """Kind of holder of the requested port → resolution → count."""

    @property
    def granted(self) -> int:
        """Number of granted ports."""
        return self.preferred + self.fallback

    @property
    def success(self) -> float | None:
        """Share of successful searches; None before the first one."""
        good = self.granted + self.used
        return good / (good + self.failed) if good + self.failed else None


def counted(before: Statistics, granted: Iterable[GrantedPort], *, failed: bool = False) -> Statistics:
    """Return the statistics after a search: pure."""
    after = replace(before, failed=before.failed + failed)
    conflicts = {kind: {**found} for kind, found in before.conflicts.items()}
    for each in granted:
        resolution = resolution_of(each)
        after = replace(
            after,
            preferred=after.preferred + (resolution is not ResolutionKind.MOVE and not each.uses),
            fallback=after.fallback + (resolution is ResolutionKind.MOVE),
            used=after.used + bool(each.uses),
            attempts=after.attempts + each.attempts,
        )
        if resolution is not None:
            of_kind = conflicts.setdefault(each.kind or UNKNOWN, {})
            of_kind[resolution] = of_kind.get(resolution, 0) + 1
    return replace(after, conflicts=conflicts)


def resolution_of(granted: GrantedPort) -> ResolutionKind | None:
    """Return the resolution of a conflict; None if the requested port was free."""
    if granted.uses:
        return ResolutionKind.REUSE
    if granted.moved_from is not None:
        return ResolutionKind.MOVE
    if granted.killed:
        return ResolutionKind.KILL
    return ResolutionKind.TAKE if granted.kind is VerdictKind.RESERVED else None


def count(root: Path, project: str, granted: Iterable[GrantedPort], *, failed: bool = False) -> None:
    """Record the outcome of a search. Errors of writing are ignored: ports are granted nevertheless."""
    path = _path(root)
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120 - paths are text
        with FileLock(os.path.join(os.path.dirname(path), _LOCK)):  # noqa: PTH118, PTH120
            before = _read(path)
            after = counted(before, granted, failed=failed)
            after = replace(
                after, root=os.fspath(root), project=project, since=before.since or round(time.time(), 3)
            )
            write_atomically(path, msgspec.json.encode(after) + b"\n", mode=0o600, durable=False)
    except (DevinitError, OSError, UnicodeEncodeError):
        return


def of(root: str | os.PathLike[str]) -> Statistics:
    """Return the statistics of a checkout; empty ones if there are none or they cannot be read."""
    return _read(_path(root))


def of_all() -> list[Statistics]:
    """Return the statistics of every checkout of this user."""
    folder = os.path.join(state_directory(), FOLDER)  # noqa: PTH118
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))  # noqa: PTH208
    except OSError:
        return []
    found = (_read(os.path.join(folder, name)) for name in names)  # noqa: PTH118
    return [each for each in found if each.root]


def forget(root: str | os.PathLike[str]) -> None:
    """Drop the statistics of a checkout."""
    Path(_path(root)).unlink(missing_ok=True)


def _read(path: str) -> Statistics:
    try:
        return msgspec.json.decode(read_bytes(path) or b"{}", type=Statistics)
    except (StateFileError, msgspec.DecodeError, RecursionError):
        return Statistics()


def _path(root: str | os.PathLike[str]) -> str:
    return os.path.join(state_directory(), FOLDER, project_id(root) + ".json")  # noqa: PTH118

"""The checkouts on this machine in which devinit was started, so that a command in one finds all the others.

There is one small file for each, in the user's state directory. Supervisors that write them therefore never wait
for each other, and a damaged or lost file only costs one row until the next start. The files prove nothing; the
supervisor and the leases show whether anything runs.
"""

from __future__ import annotations

import json
import os
import time
from typing import NamedTuple

from devinit.errors import StateFileError
from devinit.system.files import read_text, write_atomically
from devinit.system.paths import listed_at, socket_address, state_directory

SUFFIX = ".json"


class Checkout(NamedTuple):
    """A folder in which devinit was started."""

    root: str
    """Without symbolic links."""
    project: str
    socket: str
    """The current or last address of its supervisor."""
    started_at: float
    """Unix time of the last start."""


def record(root: str | os.PathLike[str], project: str) -> None:
    """Record that this supervisor has now started a project here."""
    checkout = Checkout(os.path.realpath(root), project, socket_address(root), time.time())
    # JSON has escapes for a path whose bytes are no valid text.
    write_atomically(_path(root), json.dumps(checkout._asdict()) + "\n", mode=0o600, durable=False)


def recorded() -> list[Checkout]:
    """Return all records, whether their checkouts still exist or not; unreadable ones are skipped."""
    names = sorted(name for name in os.listdir(_folder()) if name.endswith(SUFFIX))  # noqa: PTH208  paths are text here
    found = (_read(os.path.join(_folder(), name)) for name in names)  # noqa: PTH118
    return [checkout for checkout in found if checkout is not None]


def recorded_at(root: str | os.PathLike[str]) -> Checkout | None:
    """Return the record of one folder."""
    return _read(_path(root))


def forget(root: str | os.PathLike[str]) -> bool:
    """Remove the record of a checkout; return whether there was one."""
    try:
        os.unlink(_path(root))  # noqa: PTH108
    except FileNotFoundError:
        return False
    return True


def _read(path: str) -> Checkout | None:
    try:
        checkout = Checkout(**json.loads(read_text(path) or ""))
    except (StateFileError, ValueError, TypeError, RecursionError):
        return None
    texts = (checkout.root, checkout.project, checkout.socket)
    is_sound = all(isinstance(text, str) for text in texts) and isinstance(checkout.started_at, int | float)
    return checkout if is_sound else None


def _path(root: str | os.PathLike[str]) -> str:
    _folder()
    return listed_at(root)


def _folder() -> str:
    folder = os.path.join(state_directory(), "projects")  # noqa: PTH118
    os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
    return folder

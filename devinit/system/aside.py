"""State folders that were renamed because another checkout took their place, or because they will be deleted."""

from __future__ import annotations

import os

from devinit.system.file_lock import is_locked
from devinit.system.paths import SUPERVISOR_LOCK
from devinit.system.state_folders import parts_of


def name_aside(path: str) -> str:
    """Return a free name next to a state folder, under which it is found and removed later."""
    number = 1
    while os.path.lexists(f"{path}.{number}"):
        number += 1
    return f"{path}.{number}"


def is_in_use(path: str) -> bool:
    """Return whether a supervisor uses a state folder, or a server its data, in any container."""
    from glob import escape, glob  # it loads re, once in a fortnight

    data, *outside = (escape(part) for part in (os.path.join(path, "data"), *parts_of(path)[1:]))
    locks = [lock for top in (data, *outside) for lock in glob(f"{top}/*/*.lock")]
    return any(map(is_locked, (os.path.join(path, SUPERVISOR_LOCK), *locks)))

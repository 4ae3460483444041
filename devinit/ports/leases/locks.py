"""The locks on lease files, and what cannot be done with them."""

from __future__ import annotations

import fcntl
from pathlib import Path

from devinit.errors import StateFileError
from devinit.system.limits import cure_of_limit


def is_locked(descriptor: int) -> bool:
    """Return whether a process holds the lock exclusively, without ever standing in the way of another look."""
    if not try_lock(descriptor, fcntl.LOCK_SH):
        return True
    # Safe here and only here: this descriptor was opened for the look and no other process has a copy of it.
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def try_lock(descriptor: int, kind: int) -> bool:
    """Lock a file as a whole (`LOCK_EX` or `LOCK_SH`) without waiting; return whether that was possible."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unusable(path: Path | str, error: OSError) -> StateFileError:
    """Return the error for a lease file that cannot be opened, read or written."""
    hint = "port leases need a local directory that you may write; XDG_STATE_HOME chooses another place"
    if (cure := cure_of_limit(error)) is not None:
        hint = cure
    elif isinstance(error, PermissionError):
        from devinit.system.permissions import cure_of  # for an error only

        hint = cure_of(str(path), error, otherwise=hint)
    return StateFileError(f"{path} cannot be used: {error.strerror}", hint=hint)

"""The locks on lease files, and the error for an unusable file."""

from __future__ import annotations

import fcntl
from pathlib import Path

from devinit.errors import StateFileError
from devinit.system.limits import cure_of_limit


def is_locked(descriptor: int) -> bool:
    """Return whether a process holds the exclusive lock, without getting in the way of other readers."""
    if not try_lock(descriptor, fcntl.LOCK_SH):
        return True
    # LOCK_UN is safe only here: this descriptor was opened for the check, and no other process has a copy.
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def try_lock(descriptor: int, kind: int) -> bool:
    """Lock a whole file (`LOCK_EX` or `LOCK_SH`) without waiting; return whether that succeeded."""
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

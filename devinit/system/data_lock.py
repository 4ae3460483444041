"""The lock on a data directory, which its server inherits: two servers on the same files would destroy them.

The pid in a server's own lock file means nothing in a container with another pid namespace: PostgreSQL finds no
such process and no shared memory, and "recovers" a directory in which another server writes. A BSD lock belongs to
the file, whichever container opens it, and lasts until the last process that inherited its descriptor has ended.
It does not reach another kernel, such as the one in the virtual machine of Docker Desktop.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

from devinit.errors import ServiceError, StateFileError
from devinit.model.process import ProcessIdentity
from devinit.system.file_lock import FileLock, is_locked
from devinit.system.files import read_text
from devinit.system.open_files import openers_of
from devinit.text import plain

WAITING_SECONDS = 0.5
"""How long to wait for a lock: a check holds it for a moment, an ending process a little longer."""
_LOOK_SECONDS = 0.005
_LONGEST_RECORD = 512


def lock_of(data: Path) -> Path:
    """Return the lock file of a data directory, next to it: the inside belongs to the server's own programs."""
    return data.with_name(f"in-use-{data.name}.lock")


def is_in_use(data: Path) -> bool:
    """Return whether a process, in any container of this kernel, has the data of this directory in use."""
    return is_locked(str(lock_of(data)))


def visible_users(data: Path) -> list[ProcessIdentity]:
    """Return the processes that hold the lock and are visible from here, oldest first."""
    return openers_of(str(lock_of(data)))


def is_used_out_of_sight(data: Path) -> bool:
    """Return whether a process that is invisible here uses the data. Blocks for half a second if so."""
    deadline = time.monotonic() + WAITING_SECONDS
    # An ending process no longer shows its files a moment before the kernel releases the lock.
    while is_in_use(data) and not visible_users(data):
        if time.monotonic() > deadline:
            return True
        time.sleep(_LOOK_SECONDS)
    return False


def where_in_use(data: Path) -> str:
    """Return where an invisible server runs that uses the data, worded to follow "runs".

    The data is ours, so only a pid namespace can hide the server.
    """
    host = _host_of(lock_of(data))
    name = f" (host name {host})" if host and host != os.uname().nodename else ""
    return f"in another container or namespace{name}"


def take(data: Path) -> FileLock:
    """Lock a data directory for the server that is about to start. Raise ServiceError if it is in use.

    The server inherits the descriptor; the caller then releases its own copy.
    """
    lock = FileLock(lock_of(data))
    deadline = time.monotonic() + WAITING_SECONDS
    while not lock.acquire(blocking=False):
        if time.monotonic() > deadline:
            seen = visible_users(data)
            where = f"as process {seen[0].pid}" if seen else where_in_use(data)
            raise ServiceError(
                f"the server that uses {data} runs {where}, and a second one would destroy the data",
                hint="stop that server first",
            )
        time.sleep(_LOOK_SECONDS)
    return lock


def record(lock: FileLock, pid: int) -> None:
    """Write the holder's pid and host into the lock file; the host name of a container is its id."""
    found = os.fstat(lock.fileno())
    # The folder may belong to another user (data of root's servers), so the name may be a link to any file.
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        return
    text = f"{pid} {os.uname().nodename}\n".encode()
    try:
        os.ftruncate(lock.fileno(), 0)
        os.pwrite(lock.fileno(), text, 0)
    except OSError:
        return  # a full disk: the lock itself needs no space


def _host_of(path: Path) -> str:
    try:
        _, _, host = (read_text(path, most=_LONGEST_RECORD) or "").partition(" ")
    except StateFileError:
        return ""
    return plain(host.strip())

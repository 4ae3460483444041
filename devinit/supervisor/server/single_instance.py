"""The lock and the address of a checkout's supervisor: only one runs, and every command finds it."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from devinit.control.server import Server
from devinit.control.spawning import SOCKET_POINTER
from devinit.control.waking import ELSEWHERE, ELSEWHERE_ADVICE, proven_supervisor_of, wake
from devinit.errors import DevinitError, StateFileError, SupervisorError
from devinit.system.checkout import claim
from devinit.system.file_lock import FileLock
from devinit.system.files import write_atomically
from devinit.system.limits import cure_of_limit
from devinit.system.paths import SUPERVISOR_LOCK, socket_path

log = logging.getLogger(__name__)

PREDECESSOR_SECONDS = 5.0
"""Seconds that a leaving supervisor may take to end."""

HIDDEN_SECONDS = 1.0
"""Seconds to wait for a supervisor that is not visible among the processes here: it can be neither woken nor
asked.
"""


async def lock_project(root: Path, private: Path) -> FileLock | None:
    """Become the only supervisor of a project; wait for one that is leaving. `private`: its state folder.

    Return None when another supervisor looks after it and can be reached: it may have lost its socket, and listens
    again.
    """
    # Not next to the socket: a command with another runtime directory must not start a second supervisor.
    lock = FileLock(private / SUPERVISOR_LOCK)
    deadline = asyncio.get_running_loop().time() + PREDECESSOR_SECONDS
    woken = False
    while not lock.acquire(blocking=False):
        woken = woken or wake(root)
        if woken and is_reachable(root):
            return None
        left = deadline - asyncio.get_running_loop().time()
        is_hidden = left < PREDECESSOR_SECONDS - HIDDEN_SECONDS and not proven_supervisor_of(root)
        # A supervisor that has just released the lock is not visible either.
        if (left < 0 or is_hidden) and not lock.acquire(blocking=False):
            raise unreachable(root)
        await asyncio.sleep(0.01)
    try:
        os.ftruncate(lock.fileno(), 0)
        os.pwrite(lock.fileno(), f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        raise StateFileError(
            f"{lock.path} cannot be written: {error.strerror}", hint=cure_of_limit(error)
        ) from error
    return lock


def unreachable(root: Path) -> SupervisorError:
    """Return the error about a supervisor that holds the lock of a checkout but does not answer."""
    holder = proven_supervisor_of(root)
    if holder is None:
        return SupervisorError(f"the supervisor of {root} {ELSEWHERE}", hint=ELSEWHERE_ADVICE)
    return SupervisorError(
        f"another supervisor (pid {holder.pid}) looks after {root}, and cannot be reached",
        hint=f"it may hang: `kill -9 {holder.pid}`; services keep running, the next command takes them over",
    )


def is_reachable(root: Path) -> bool:
    """Return whether a supervisor greets clients that connect here."""
    from devinit.control.launch import connect_to  # only an accident leads here

    client = connect_to(root)
    if client is None:
        return False
    client.close()
    return True


def publish_address(root: Path, private: Path) -> None:
    """Write the address of our socket to the state folder, for commands with another runtime directory."""
    pointer = private / SOCKET_POINTER
    try:
        write_atomically(pointer, f"{socket_path(root)}\n", mode=0o600, durable=False)
    except StateFileError as error:
        # The user may want to stop services just because the disk is full; most commands have our runtime
        # directory.
        log.warning("%s", error.message)


async def be_reachable(server: Server, root: Path) -> None:
    """Listen again if the socket is gone.

    A command asks for that by a signal. A closed terminal sends the same one, and changes nothing.
    """
    try:
        if await server.listen_again(socket_path(root)):
            # Whatever removed the socket may have removed the state folder as well.
            publish_address(root, Path(claim(root)))
            log.info("the socket was gone: listening again at %s", socket_path(root))
    except (DevinitError, OSError) as error:
        log.warning("cannot listen again: %s", error)


def remember(root: Path, project: str) -> None:
    """Put a checkout on the machine's list, where `status --all` finds it. Blocking."""
    from devinit.control import checkouts  # nothing waits for this

    try:
        checkouts.record(root, project)
    except (DevinitError, OSError) as error:
        log.warning("`devinit status --all` may not find this project: %s", error)

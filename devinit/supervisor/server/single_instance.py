"""Being the one supervisor of a checkout, and being found by every command that looks for it."""

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
"""How long one that is going away may take to do so."""

HIDDEN_SECONDS = 1.0
"""How long one is waited for that is none of the processes to be seen here: it can be neither woken nor asked."""


async def lock_project(root: Path, private: Path) -> FileLock | None:
    """Become the one supervisor of a project; one that is just going away is waited for.

    `private`: the state folder of the checkout.

    None when another one looks after it, and can be reached: it may have lost its socket, and listens again.
    """
    # Not beside the socket: a command with another runtime directory must not start a second one.
    lock = FileLock(private / SUPERVISOR_LOCK)
    deadline = asyncio.get_running_loop().time() + PREDECESSOR_SECONDS
    woken = False
    while not lock.acquire(blocking=False):
        woken = woken or wake(root)
        if woken and is_reachable(root):
            return None
        left = deadline - asyncio.get_running_loop().time()
        is_hidden = left < PREDECESSOR_SECONDS - HIDDEN_SECONDS and not proven_supervisor_of(root)
        # One that has just let go of the lock is not to be seen either.
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
    """Return the error about a supervisor that has the lock of a checkout and does not answer."""
    holder = proven_supervisor_of(root)
    if holder is None:
        return SupervisorError(f"the supervisor of {root} {ELSEWHERE}", hint=ELSEWHERE_ADVICE)
    return SupervisorError(
        f"another supervisor (pid {holder.pid}) looks after {root}, and cannot be reached",
        hint=f"it may hang: `kill -9 {holder.pid}`; services keep running, the next command takes them over",
    )


def is_reachable(root: Path) -> bool:
    """Whether a supervisor greets clients that connect here."""
    from devinit.control.launch import connect_to  # only an accident leads here

    client = connect_to(root)
    if client is None:
        return False
    client.close()
    return True


def publish_address(root: Path, private: Path) -> None:
    """Note where we listen in the state folder, for commands with another runtime directory."""
    pointer = private / SOCKET_POINTER
    try:
        write_atomically(pointer, f"{socket_path(root)}\n", mode=0o600, durable=False)
    except StateFileError as error:
        # On a full disk, of all times, the user wants to stop what runs; most have our runtime directory.
        log.warning("%s", error.message)


async def be_reachable(server: Server, root: Path) -> None:
    """Listen again if the socket is gone: a command knocks, or the terminal was closed, which changes nothing."""
    try:
        if await server.listen_again(socket_path(root)):
            # Whatever took the socket away may have taken the state folder as well.
            publish_address(root, Path(claim(root)))
            log.info("the socket was gone: listening again at %s", socket_path(root))
    except (DevinitError, OSError) as error:
        log.warning("cannot listen again: %s", error)


def remember(root: Path, project: str) -> None:
    """Put a checkout on the list of the machine: `status --all` finds it there. Blocking."""
    from devinit.control import checkouts  # nothing waits for this

    try:
        checkouts.record(root, project)
    except (DevinitError, OSError) as error:
        log.warning("`devinit status --all` may not find this project: %s", error)

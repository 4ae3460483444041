"""The gateway of this user, as others see it: where it is, how it is started, and how a project joins it.

It is a program of its own, which serves the pages of all projects by name. A supervisor that cannot reach it goes
on without: ports work as before.
"""

from __future__ import annotations

import json
import os
import sys
from typing import NamedTuple

from devinit.control.client import Client, connect
from devinit.control.spawning import READY, spawn
from devinit.errors import ConfigError, StateFileError, SupervisorError
from devinit.system.file_lock import FileLock
from devinit.system.files import read_text, write_atomically
from devinit.system.paths import create_private, runtime_path, state_path

PROGRAM = "devinit.gateway"
FOLDER = "gateway"
RECORD = "gateway.json"
LOCK = "gateway.lock"
LOG = "gateway.log"
REFUSED = b"refused\n"
"""Comes before what the gateway says about something that the user has to do first."""


class Known(NamedTuple):
    """What the gateway that runs, or ran last, has left on record."""

    port: int
    socket: str
    """Where projects join it."""
    web: str
    """Where Caddy reaches it."""
    admin: str
    """Where it reaches Caddy."""
    caddy: int
    """The process of Caddy; 0 when none was started."""
    listens_on: tuple[str, ...]
    """How Caddy calls the sockets that it was given."""
    labels: tuple[str, ...] = ()
    """The projects that it serves."""


def folder() -> str:
    """Return the gateway's folder in the user's state directory, which is made when there is none."""
    path = os.path.join(state_path(), FOLDER)  # noqa: PTH118  paths are text here
    create_private(path)
    return path


def known() -> Known | None:
    """Return what is on record; None when there is nothing that can be read."""
    try:
        found = json.loads(read_text(os.path.join(state_path(), FOLDER, RECORD)) or "")  # noqa: PTH118
        return Known(
            int(found["port"]),
            str(found["socket"]),
            str(found["web"]),
            str(found["admin"]),
            int(found["caddy"]),
            tuple(str(each) for each in found["listens_on"]),
            tuple(str(each) for each in found["labels"]),
        )
    except (StateFileError, ValueError, KeyError, TypeError, RecursionError):
        return None


def record(found: Known) -> None:
    """Leave on record where this gateway is."""
    path = os.path.join(folder(), RECORD)  # noqa: PTH118
    write_atomically(path, json.dumps(found._asdict()) + "\n", mode=0o600, durable=False)


def running() -> Client | None:
    """Return a client of the gateway that runs; None when none does."""
    for path in dict.fromkeys((known_socket(), runtime_path("gateway.sock"))):
        if path and (client := connect(path)) is not None:
            return client
    return None


def known_socket() -> str:
    """Return where the gateway said that projects join it."""
    found = known()
    return found.socket if found is not None else ""


def running_or_started() -> Client:
    """Return a client of the gateway, which is started when none runs. Blocking.

    Raise ConfigError for what the user has to do first, SupervisorError when it does not come up.
    """
    if (client := running()) is not None:
        return client
    lock = FileLock(os.path.join(folder(), f"{LOCK}.launch"))  # noqa: PTH118
    with lock:
        # Another supervisor may have started it while we waited.
        if (client := running()) is None:
            start()
            client = running()
    if client is None:
        raise SupervisorError("the gateway started and went away at once", hint=f"see {log_path()}")
    return client


def start() -> None:
    """Start the gateway and wait until it listens."""
    spawned = spawn(["-m", PROGRAM, "3"], log_path())
    try:
        said = spawned.words()
    finally:
        spawned.close()
    if said == READY:
        return
    message, _, hint = said.removeprefix(REFUSED).decode(errors="replace").partition("\n")
    if said.startswith(REFUSED):
        raise ConfigError(message, hint=hint.strip() or None)
    raise SupervisorError(
        f"the gateway did not start: {message or f'{sys.executable} ended without a word'}",
        hint=hint.strip() or f"see {log_path()}",
    )


def log_path() -> str:
    """Return where the gateway writes what it has to say."""
    return os.path.join(folder(), LOG)  # noqa: PTH118

"""Connecting to a project's supervisor, or starting it first. Two concurrent commands start exactly one.

Paths are text: pathlib would take a third of the fastest command's time.
"""

# ruff: noqa: PTH118

from __future__ import annotations

import os

from devinit.control.client import Client, connect
from devinit.control.greeting import is_same_folder
from devinit.control.spawning import Launch, begun, is_foreign, log_path, pointed
from devinit.control.waking import supervisor_of
from devinit.errors import SupervisorError
from devinit.model.names import OWN_FOLDER
from devinit.system.files import read_text
from devinit.system.paths import socket_address
from devinit.system.state_folders import is_replaced, state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAUNCHES = 3
"""How often a supervisor is started again because it is gone before the connection."""


def connect_or_start(root: str | Path, say: Callable[[str], None] | None = None) -> Client:
    """Return a client of the project's supervisor, and start one if none listens.

    A supervisor of an older devinit is replaced if that is safe, provided that `say` can report it to the user.
    Without `say`, it stays in use while both versions understand each other.

    Raise SupervisorError if there is none to talk to; the attempt then leaves nothing behind.
    """
    launch = begun.pop(str(root), None)
    while begun:
        # It is for a folder that turned out to belong to another project.
        begun.popitem()[1].give_back()
    try:
        client = listening(root) if launch is None else None
        replacing = ""
        if client is not None and client.greeting.is_older and say and not client.greeting.is_out_of_reach:
            # Before anything of the checkout is claimed, because an older devinit may
            # have kept it in another place.
            client, replacing = without_older(client, root, say)
        if client is not None:
            return understood(client)
        refuse_foreign(root)
        launch = launch or Launch(root)
        with launch:
            client = launched(root, launch)
        if replacing and say:
            say(replacing)
        return client
    finally:
        if launch is not None:
            launch.give_back()


def launched(root: str | Path, launch: Launch) -> Client:
    """Start the supervisor, and connect to it; the launch holds its lock."""
    # Another command may have started it during the wait for the lock.
    client = connect_to(root) if not launch.is_spawned else None
    # A supervisor that an earlier command started and gave up may answer instead of
    # ours, and exit before we connect.
    for _ in range(LAUNCHES):
        if client is None:
            launch.finish()
            client = connect_to(root)
    if client is None:
        raise SupervisorError("the supervisor started and went away at once", hint=f"see {log_path(root)}")
    return client


def without_older(client: Client, root: str | Path, say: Callable[[str], None]) -> tuple[Client | None, str]:
    """Replace an older supervisor if that is safe: return None, and a message for when the next one is there.

    Otherwise return the client. This happens only once in a command, whatever listens afterwards, so two
    installations never take turns within one. Raise StateFileError if its state cannot be taken over.
    """
    from devinit.control.replacing import Busy, kept, let_go, not_understood
    from devinit.system.old_layout import refuse

    # Before it goes, so that a data directory that cannot be taken over still has a supervisor.
    refuse(root)
    try:
        return None, let_go(client)
    except Busy as busy:
        if not client.greeting.is_understood:
            raise not_understood(client, busy) from None
        say(kept(client, busy))
        return client, ""


def understood(client: Client) -> Client:
    """Return the client. Raise SupervisorError if this version cannot talk to its supervisor."""
    if not client.greeting.is_understood:
        from devinit.control.replacing import not_understood  # hardly ever

        raise not_understood(client)
    return client


def refuse_foreign(root: str | Path) -> None:
    """Raise SupervisorError for a checkout that another user runs, and to root for another user's checkout."""
    if is_foreign(root):
        from devinit.control.ownership import refuse  # takes long to import, and only a refusal needs it

        refuse(os.fspath(root))


def refuse_another_users(root: str | Path) -> None:
    """Raise SupervisorError for a checkout that another user runs: its services are invisible from here.

    The caller has found out that no supervisor listens. A checkout that no user has started yet may be inspected.
    """
    if os.path.lexists(os.path.join(root, OWN_FOLDER)):
        refuse_foreign(root)


def connect_to_running(root: str | Path) -> Client | None:
    """Return a client if anything of the project runs, even if its supervisor died and has to be replaced.

    Raise SupervisorError for a checkout that another user runs.
    """
    client = connect_to_recorded(root)
    if client is None:
        refuse_another_users(root)
    return client


def connect_to_recorded(root: str | Path) -> Client | None:
    """Return a client if anything of ours in a checkout runs, even if another user runs it now."""
    client = connect_to(root)
    if client is None and runs_without_supervisor(root):
        return connect_or_start(root)
    return client


def connect_to(root: str | Path) -> Client | None:
    """Return a client of the project's supervisor if one listens, wherever its socket is.

    Raise SupervisorError for one that serves another checkout, or whose version we cannot talk to.
    """
    client = listening(root)
    return client and understood(client)


def listening(root: str | Path) -> Client | None:
    """Return a client of the supervisor that listens for this project, whatever its version.

    The address depends on the environment, and a command may have another environment than the one that started
    the supervisor (ssh, cron, sudo), so the supervisor also writes its address into the state folder.
    """
    client = client_at(socket_address(root), root)
    if client is None and (elsewhere := pointed(root)):
        # A copied folder contains the address of the original's supervisor, but not its lock.
        holder = supervisor_of(root)
        client = client_at(elsewhere, root, holder) if holder is not None else None
    if client is not None and is_replaced(root):
        # It is stopping, or about to stop: a launch waits until it has gone, and starts with its own state.
        client.close()
        return None
    return client


def client_at(path: str, root: str | Path, holder: int | None = None) -> Client | None:
    """Return a client of the supervisor at this address, if it serves this checkout.

    None for one that serves another: an address may be outdated. Raise SupervisorError if that one also holds this
    checkout's lock (`holder`, a pid): then a link leads to the state of the other checkout.
    """
    client = connect(path)
    if client is None:
        return None
    # In the first wire, the greeting had no root.
    served = client.greeting.root or os.path.realpath(client.call("ping")["root"])
    if is_same_folder(os.fspath(root), served):
        return client
    pid = client.peer_pid or client.greeting.pid
    client.close()
    if holder is not None and holder == pid:
        raise SupervisorError(
            f"{root} is looked after by the supervisor of another checkout, {served} (pid {pid})",
            hint=f"if {state_folder(root)} is a link, remove it; if the checkout was moved, its services are "
            "being stopped: run the command again in a moment",
        )
    return None


def runs_without_supervisor(root: str | Path) -> bool:
    """Whether services are recorded, including ended ones, although no supervisor listens: it was killed."""
    text = read_text(os.path.join(state_folder(root), "state.json"))
    # Searched as text: an empty record is written exactly so, and the supervisor reports a damaged one by name.
    if text is not None and ('"services":{}' not in text or '"ended":{"' in text):
        return True
    if not os.path.lexists(os.path.join(root, OWN_FOLDER, "state.json")):
        return False
    from devinit.system.old_layout import has_record  # only where an earlier version of devinit was used

    return has_record(root)

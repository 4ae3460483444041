"""A supervisor of another version: replace an older one if that is safe, refuse one that cannot be understood.

Loaded only if two versions meet. A supervisor that is replaced leaves its services running, and the next one takes
them over, as after any other end of a supervisor (docs/adr/0008).
"""

from __future__ import annotations

import signal

from devinit.control import api
from devinit.control.client import Client, RemoteError, gone
from devinit.errors import SupervisorError
from devinit.system.processes import Process, facts_of

GOING_SECONDS = 10.0
"""How long a supervisor may take to release its services; it needs some milliseconds."""
BUSY = ("waiting", "starting", "stopping")
"""Phases whose work a take-over would have to repeat: a set-up, a migration, a stop."""


class Busy(Exception):
    """Raised when a supervisor cannot be replaced now; the text is the reason, as a part of a sentence."""


def let_go(client: Client) -> str:
    """End an older supervisor; return a message about that. The caller starts the next one.

    Raise Busy if it is not safe, SupervisorError if the supervisor does not exit.
    """
    greeting = client.greeting
    theirs, ours = greeting.names()
    said = f"the supervisor was {theirs}: replaced by {ours}, which has taken over what runs"
    try:
        process = process_of(client)
    except SupervisorError:
        client.close()
        return said
    with process:
        if working := busy_services(client):
            raise Busy(f"{', '.join(working)} {'is' if len(working) == 1 else 'are'} on the way up or down")
        client.close()
        process.send(signal.SIGTERM)
        if not process.wait(GOING_SECONDS):
            raise SupervisorError(
                f"{greeting.beside_ours()}, and it did not leave within {GOING_SECONDS:g} s",
                hint=f"`kill -9 {process.pid}` ends it; services keep running, the next command takes them over",
            )
    return said


def process_of(client: Client) -> Process:
    """Return the process of a supervisor. Raise Busy if it is invisible, SupervisorError if it is gone."""
    pid = pid_of(client)
    facts = facts_of(pid) if pid else None
    if facts is None or "devinit.supervisor" not in facts.command:
        # The command line of a process that has just ended is empty, but a supervisor that exists still answers.
        client.call("ping")
        raise Busy("its process cannot be seen from here")
    process = Process.open(facts.identity)
    if process is None:
        raise gone("hello")
    return process


def busy_services(client: Client) -> list[str]:
    """Return the services that are starting or stopping, which a supervisor of every version reports.

    Empty if it disconnects: another command was just replacing it.
    """
    try:
        services = api.status(client)["services"]
        return [str(each["name"]) for each in services if each["phase"] in BUSY]
    except SupervisorError:
        return []
    except (RemoteError, LookupError, TypeError):
        raise Busy("it does not tell what its services do") from None


def pid_of(client: Client) -> int:
    """Return the pid of a supervisor, from the kernel or else from itself."""
    if pid := client.peer_pid:
        return pid
    return client.greeting.pid or int(client.call("ping")["pid"])


def kept(client: Client, busy: Busy) -> str:
    """Return the message about an older supervisor that stays."""
    return f"{client.greeting.beside_ours()}; it stays for now, as {busy}: the next start replaces it"


def not_understood(client: Client, busy: Busy | None = None) -> SupervisorError:
    """Return the error for a supervisor that a command of this version cannot talk to."""
    greeting, pid = client.greeting, pid_of(client)
    if not greeting.is_newer:
        why = f"it cannot be replaced now, as {busy}" if busy else "`devinit start` replaces it"
        return SupervisorError(
            f"{greeting.beside_ours()}: they do not understand each other",
            hint=f"{why}; `kill {pid}` ends the supervisor at once: services keep running, and the next command "
            "takes them over",
        )
    facts = facts_of(pid) if pid else None
    where = f" ({facts.command[0]} runs it)" if facts and facts.command else ""
    return SupervisorError(
        f"{greeting.beside_ours()}: they do not understand each other",
        hint=f"use the newer devinit{where}, or upgrade this one; nothing was changed",
    )

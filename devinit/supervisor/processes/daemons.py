"""Find the server of a command that put it into the background and ended.

Such a command ends with 0 while its server answers. Taken for the end of the service, it would be started
again and again, or be called finished, without a supervisor for what runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from functools import partial

from devinit.model.process import ProcessIdentity, TerminalHolder
from devinit.ports import verify
from devinit.system.processes import Process, ProcessTable, ancestors_of

LOOKS = 3
"""One look may miss a fork that is made meanwhile: its parent has ended already, and it was not yet there."""


def open_server(
    ended: ProcessIdentity,
    marker: str,
    port: int,
    terminal: TerminalHolder | None = None,
    *,
    may_be_late: bool,
) -> Process | None:
    """Return the server that a process which ended left behind, held so that it is no other; None without one.

    `terminal`: what holds the terminal of the service: no process of it, and the parent of what was left behind.
    """
    holder = terminal.identity if terminal is not None else None
    for _ in range(LOOKS if may_be_late else 1):
        members = ProcessTable().members_of(ended, marker)
        server = server_of(members, port, holder, may_be_late=may_be_late)
        # One that ended just now was a fork in between.
        if server is not None and (process := Process.open(server, code_of(server, terminal))) is not None:
            return process
    return None


def code_of(server: ProcessIdentity, terminal: TerminalHolder | None) -> Callable[[], int | None] | None:
    """Return what asks for the exit code of a process that is not ours; None without a terminal."""
    if terminal is None:
        return None
    from devinit.system.terminal_holder import exit_code  # few services have one

    return partial(exit_code, terminal, server.pid)


def server_of(
    members: Collection[ProcessIdentity],
    port: int,
    holder: ProcessIdentity | None = None,
    *,
    may_be_late: bool,
) -> ProcessIdentity | None:
    """Return which of a service's processes is its server: the one that listens, else the eldest.

    `may_be_late`: it need not listen yet, because the service is only just starting.
    """
    # A command that asks whether it is ready carries its mark, too, and is our own child.
    left = [member for member in members if member != holder and is_left(member, holder)]
    match verify.ownership(port, [member.pid for member in left]):
        case verify.Ours(pids):
            left = [member for member in left if member.pid in pids]
        case _ if not may_be_late:
            return None
    return min(left, key=lambda member: (member.start_time, member.pid), default=None)


def is_left(member: ProcessIdentity, holder: ProcessIdentity | None) -> bool:
    """Whether the parent of a process has ended: it descends from the holder of its terminal, or not from us."""
    above = ancestors_of(member.pid)
    return os.getpid() not in above or (holder is not None and holder.pid in above)

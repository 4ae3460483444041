"""Find the server of a command that put it into the background and ended.

Such a command ends with 0 while its server answers. If that counted as the end of the service, it would be
restarted repeatedly, or count as finished, and no supervisor would look after the server.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from functools import partial

from devinit.model.process import ProcessIdentity, TerminalHolder
from devinit.ports import verify
from devinit.system.processes import Process, ProcessTable, ancestors_of

LOOKS = 3
"""Number of looks. One look may miss a fork: the parent has ended already, and the child was not there yet."""


def open_server(
    ended: ProcessIdentity,
    marker: str,
    port: int,
    terminal: TerminalHolder | None = None,
    *,
    may_be_late: bool,
) -> Process | None:
    """Return the server that an ended process left behind, opened so that its pid cannot be reused; else None.

    `terminal`: the holder of the service's terminal. It is no process of the service, and the parent of such a
    server.
    """
    holder = terminal.identity if terminal is not None else None
    for _ in range(LOOKS if may_be_late else 1):
        members = ProcessTable().members_of(ended, marker)
        server = server_of(members, port, holder, may_be_late=may_be_late)
        # A process that ended just now was a fork in between.
        if server is not None and (process := Process.open(server, code_of(server, terminal))) is not None:
            return process
    return None


def code_of(server: ProcessIdentity, terminal: TerminalHolder | None) -> Callable[[], int | None] | None:
    """Return a function for the exit code of a process that is not our child; None without a terminal."""
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
    """Return the server among a service's processes: the one that listens, else the eldest.

    `may_be_late`: the service is only starting, so that it need not listen yet.
    """
    # A probe command carries the service's mark, too, but is our own child.
    left = [member for member in members if member != holder and is_left(member, holder)]
    match verify.ownership(port, [member.pid for member in left]):
        case verify.Ours(pids):
            left = [member for member in left if member.pid in pids]
        case _ if not may_be_late:
            return None
    return min(left, key=lambda member: (member.start_time, member.pid), default=None)


def is_left(member: ProcessIdentity, holder: ProcessIdentity | None) -> bool:
    """Return whether the parent of a process has ended: it descends from its terminal's holder, or not from us."""
    above = ancestors_of(member.pid)
    return os.getpid() not in above or (holder is not None and holder.pid in above)

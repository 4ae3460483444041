"""Find the server of a command that put it into the background and ended.

Such a command ends with 0 while its server answers. Taken for the end of the service, it would be started
again and again, or be called finished, without a supervisor for what runs.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from devinit.model.process import ProcessIdentity
from devinit.ports import verify
from devinit.system.processes import Process, ProcessTable, ancestors_of

LOOKS = 3
"""One look may miss a fork that is made meanwhile: its parent has ended already, and it was not yet there."""


def open_server(ended: ProcessIdentity, marker: str, port: int, *, may_be_late: bool) -> Process | None:
    """Return the server that a process which ended left behind, held so that it is no other; None without one."""
    for _ in range(LOOKS if may_be_late else 1):
        server = server_of(ProcessTable().members_of(ended, marker), port, may_be_late=may_be_late)
        # One that ended just now was a fork in between.
        if server is not None and (process := Process.open(server)) is not None:
            return process
    return None


def server_of(
    members: Collection[ProcessIdentity], port: int, *, may_be_late: bool
) -> ProcessIdentity | None:
    """Return which of a service's processes is its server: who listens, or for now the eldest.

    `may_be_late`: it need not listen yet, because the service is only just starting.
    """
    # A command that asks whether it is ready carries its mark, too, and is our own child.
    left = [member for member in members if os.getpid() not in ancestors_of(member.pid)]
    match verify.ownership(port, [member.pid for member in left]):
        case verify.Ours(pids):
            left = [member for member in left if member.pid in pids]
        case _ if not may_be_late:
            return None
    return min(left, key=lambda member: (member.start_time, member.pid), default=None)

"""Find the server of a command that put it into the background and ended.

Such a command ends with 0 while its server answers. Taken for the end of the service, it would be started
again and again, or be called finished, while nobody looks after what runs.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from devinit.model.process import ProcessIdentity
from devinit.ports import verify
from devinit.system.processes import ancestors_of


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

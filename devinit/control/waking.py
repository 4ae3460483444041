"""Waking a supervisor whose socket is gone, after the end of a login session or a cleanup of /tmp.

It still holds the lock in its state folder, which contains its pid. On SIGHUP, a supervisor listens again where
commands look for it.
"""

# ruff: noqa: PTH118 -- without pathlib: `launch` asks here, too

from __future__ import annotations

import fcntl
import os

from devinit.system.paths import SUPERVISOR_LOCK
from devinit.system.regular import open_regular
from devinit.system.state_folders import state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.model.process import ProcessIdentity

ELSEWHERE = "runs in another container or namespace, and cannot be reached from here"
"""Shown if the lock of a checkout belongs to a supervisor that is invisible from here."""
ELSEWHERE_ADVICE = "run the command there; after `devinit stop` there the project can be started here"
_LONGEST_PID = 32


def supervisor_of(root: str | os.PathLike[str]) -> int | None:
    """Return the pid of the supervisor that holds the lock of a checkout, or None if no process holds it."""
    try:
        descriptor = open_regular(os.path.join(state_folder(root), SUPERVISOR_LOCK))
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(descriptor, _LONGEST_PID).strip()
        # It is empty for a moment, between the lock and the writing of the pid.
        return int(text) if text.isdigit() else 0
    else:
        return None
    finally:
        os.close(descriptor)


def visible_supervisor_of(root: str | os.PathLike[str]) -> int | None:
    """Return the pid of the supervisor that holds the lock, None if there is none, 0 if it is invisible.

    The pid in the lock file may belong to another process in this container, so only a proven one is returned.
    """
    if supervisor_of(root) is None:
        return None
    holder = proven_supervisor_of(root)
    return holder.pid if holder is not None else 0


def wake(root: str | os.PathLike[str]) -> bool:
    """Make the supervisor of a checkout listen again if its socket is gone; return False if there is none."""
    import signal  # these load much, and only an accident needs them

    from devinit.system.processes import signal_exactly

    identity = proven_supervisor_of(root)
    return identity is not None and signal_exactly(identity, signal.SIGHUP)


def proven_supervisor_of(root: str | os.PathLike[str]) -> ProcessIdentity | None:
    """Return the process with the lock: the one whose pid is in the file, else the oldest that has it open.

    A process that has just taken the lock has not written its pid yet. The pid in the file may then belong to any
    process, or the file may contain other text.
    """
    from devinit.system.open_files import openers_of  # as above

    pid = supervisor_of(root)
    if pid is None:
        return None
    if (named := _supervisor_at(pid)) is not None:
        return named
    opened = openers_of(os.path.join(state_folder(root), SUPERVISOR_LOCK))
    return next((each for each in opened if _supervisor_at(each.pid) is not None), None)


def _supervisor_at(pid: int) -> ProcessIdentity | None:
    from devinit.system.processes import facts_of  # as above

    facts = facts_of(pid) if pid else None
    return facts.identity if facts is not None and "devinit.supervisor" in facts.command else None

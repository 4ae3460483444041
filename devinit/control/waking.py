"""Knock at a supervisor whose socket is gone: the end of a login session or a cleaned /tmp took it away.

The lock in the checkout is what it still has, and its pid stands in it. On SIGHUP a supervisor listens
again where commands look for it.
"""

# ruff: noqa: PTH118 -- without pathlib: `launch` asks here, too

from __future__ import annotations

import fcntl
import os

from devinit.system.paths import SUPERVISOR_LOCK

_LONGEST_PID = 32


def supervisor_of(root: str | os.PathLike[str]) -> int | None:
    """Return the pid of the supervisor that has the lock of a checkout, or None when nobody has it."""
    try:
        descriptor = os.open(os.path.join(root, ".devinit", SUPERVISOR_LOCK), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(descriptor, _LONGEST_PID).strip()
        # Empty in the moment between lock and pid.
        return int(text) if text.isdigit() else 0
    else:
        return None
    finally:
        os.close(descriptor)


def wake(root: str | os.PathLike[str]) -> bool:
    """Let the supervisor of a checkout listen again if its socket is gone; False when there is none."""
    import signal  # these load much, and only an accident needs them

    from devinit.system.processes import facts_of, signal_exactly

    pid = supervisor_of(root)
    facts = facts_of(pid) if pid else None
    # Who has just taken the lock has not written its pid yet: the one that stands there may be anybody's by now.
    if facts is None or "devinit.supervisor" not in facts.command:
        return False
    return signal_exactly(facts.identity, signal.SIGHUP)

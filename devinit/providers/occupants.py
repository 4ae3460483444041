"""Which processes work in a data directory: the proof that a server, or what is left of one, still uses it.

PostgreSQL and Redis both make their data their working directory. Looked at only after a server was killed,
so that psutil (20 ms) is not imported before.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

GRACE_SECONDS = 3.0


def works_in(pid: int, folder: Path) -> bool:
    """Say whether this process lives and has the folder as its working directory."""
    import psutil  # after a crash only

    try:
        return psutil.Process(pid).cwd() == os.path.realpath(folder)
    except psutil.Error:
        return False


def is_alive(pid: int) -> bool:
    """Say whether any process has this pid now."""
    import psutil  # after a crash only

    return psutil.pid_exists(pid)


def end_occupants(folder: Path) -> list[int]:
    """End what a killed server left working in its data, and return who was found.

    Only for a folder whose server is known to be dead. QUIT makes a backend leave at once, KILL follows for
    one that is stuck; psutil proves each process by its start time before it sends a signal.
    """
    import psutil  # after a crash only

    left = _occupants_of(folder)
    found = [process.pid for process in left]
    for number in (signal.SIGQUIT, signal.SIGKILL):
        for process in left:
            try:
                process.send_signal(number)
            except psutil.Error:
                continue
        left = psutil.wait_procs(left, timeout=GRACE_SECONDS)[1]
    return found


def _occupants_of(folder: Path) -> list[psutil.Process]:
    import psutil  # after a crash only

    real = os.path.realpath(folder)
    found = []
    for pid in psutil.pids():
        try:
            process = psutil.Process(pid)
            if process.cwd() == real:
                found.append(process)
        except psutil.Error:
            continue
    return found

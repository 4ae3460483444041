"""Processes that have a file open: the proof that a process which inherited a lease keeps it."""

from __future__ import annotations

import os

from devinit.model.process import ProcessIdentity
from devinit.system.facts import identity_of
from devinit.system.procfs import LINUX, process_ids, thread_folders


def openers_of(path: str) -> list[ProcessIdentity]:
    """Return the visible processes that have this file open, oldest first, without our own."""
    real = os.path.realpath(path)
    others = [pid for pid in process_ids() if pid != os.getpid()]
    pids = [pid for pid in others if has_open(pid, real)]
    if LINUX and not pids:
        # The main thread of a process may have ended, or a thread may have its own descriptors.
        pids = [pid for pid in others if any(_has_open(each, real) for each in thread_folders(pid))]
    found = [identity for pid in pids if (identity := identity_of(pid)) is not None]
    return sorted(found, key=lambda identity: identity.start_time)


def has_open(pid: int, path: str) -> bool:
    """Whether a process has this file open, as far as that is visible. The path has no symbolic links."""
    if not LINUX:
        from devinit.system import macos  # loads psutil

        return path in macos.open_files_of(pid)
    return _has_open(f"/proc/{pid}", path)


def _has_open(process: str, path: str) -> bool:
    folder = f"{process}/fd"
    try:
        names = os.listdir(folder)
    except OSError:
        return False  # gone, or another user's
    return any(_target_of(f"{folder}/{name}") == path for name in names)


def _target_of(link: str) -> str | None:
    try:
        return os.readlink(link)
    except OSError:
        return None  # closed in the meantime

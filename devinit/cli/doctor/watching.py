"""Whether files can be watched: `watch` depends on the kernel, its limits for a user, and the file system."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from devinit.cli.doctor.finding import Finding
from devinit.config.load import load
from devinit.errors import DevinitError
from devinit.system.inotify import CREATED, Inotify, Unavailable
from devinit.system.watch_limits import file_system_of, limit_of

REMOTE = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "vboxsf", "prl_fs", "drvfs", "fuse.sshfs", "afs")
)
"""File systems whose files other machines, or the host of a virtual machine, change without our kernel: inotify(7)
reports what goes through it alone."""


def watched_files(root: Path) -> Iterator[Finding]:
    """Look for services whose `watch` cannot work, whether or not they run."""
    if not sys.platform.startswith("linux"):
        return
    try:
        project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None)
    except DevinitError:
        return  # told by the check of the configuration
    watched = {each.name: each.directory for each in project.services.values() if each.watch}
    if not watched:
        return
    try:
        inotify = Inotify()
    except Unavailable:
        yield unwatched("instances", ", ".join(watched))
        return
    try:
        for name, folder in watched.items():
            if folder.is_dir() and inotify.watch(folder, CREATED) is None and os.access(folder, os.R_OK):
                yield unwatched("watches", name)
            if (kind := file_system_of(folder)) in REMOTE:
                yield Finding(
                    check="watching",
                    problem=f"{folder} lies on a file system ({kind}) that does not report what other machines "
                    f"change: `watch` of {name} sees only what is saved on this one",
                    advice=f"`devinit restart {name}` loads what is saved elsewhere",
                    harmless=True,
                )
    finally:
        inotify.close()


def unwatched(limit: str, names: str) -> Finding:
    """Return what is wrong where the kernel gives a user no more of these."""
    setting = f"fs.inotify.max_user_{limit}"
    return Finding(
        check="watching",
        problem=f"the files of {names} cannot be watched: your {limit} of inotify are used up "
        f"({setting} = {limit_of(limit)})",
        advice=f"raise it (`sudo sysctl {setting}=524288`), or end programs that watch many files (editors); "
        "until then `devinit restart` loads what you change",
    )

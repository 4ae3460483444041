"""Findings about file watching: `watch` depends on the kernel, its limits for a user, and the file system."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from devinit.cli.doctor.finding import Finding
from devinit.config.load import load
from devinit.control import api
from devinit.errors import DevinitError
from devinit.system.inotify import CREATED, Inotify, Unavailable
from devinit.system.watch_limits import file_system_of, used_up

if TYPE_CHECKING:
    from devinit.control.client import Client

REMOTE = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "vboxsf", "prl_fs", "drvfs", "fuse.sshfs", "afs")
)
"""File systems whose files other machines, or the host of a virtual machine, change without this kernel.
inotify(7) reports only changes that go through it."""


def watched_files(root: Path, answer: Client | DevinitError | None) -> Iterator[Finding]:
    """Look for services whose `watch` cannot work; for running ones, their supervisor reports it (`services`)."""
    if not sys.platform.startswith("linux"):
        return
    try:
        project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None)
    except DevinitError:
        return  # the check of the configuration reports it
    watched = {each.name: each.directory for each in project.services.values() if each.watch}
    if not watched:
        return
    for name, folder in watched.items():
        if (kind := file_system_of(folder)) in REMOTE:
            yield Finding(
                check="watching",
                problem=f"{folder} lies on a file system ({kind}) that does not report what other machines "
                f"change: `watch` of {name} sees only what is saved on this one",
                advice=f"`devinit restart {name}` loads what is saved elsewhere",
                harmless=True,
            )
    seen_to = names_that_run(answer)
    yield from unwatched({name: folder for name, folder in watched.items() if name not in seen_to})


def names_that_run(answer: Client | DevinitError | None) -> set[str]:
    """Return the services that are not stopped, whose files the supervisor watches."""
    if answer is None or isinstance(answer, DevinitError):
        return set()
    return {each["name"] for each in api.status(answer)["services"] if each["phase"] != "stopped"}


def unwatched(folders: dict[str, Path]) -> Iterator[Finding]:
    """Try to watch the folders of services, and report an exhausted limit once for all of them."""
    if not folders:
        return
    try:
        inotify = Inotify()
    except Unavailable:
        yield finding_of("instances", folders)
        return
    try:
        refused = [
            name
            for name, folder in folders.items()
            if folder.is_dir() and inotify.watch(folder, CREATED) is None and os.access(folder, os.R_OK)
        ]
    finally:
        inotify.close()
    if refused:
        yield finding_of("watches", refused)


def finding_of(limit: str, names: Iterable[str]) -> Finding:
    """Return the finding for services whose files are not watched because a kernel limit is exhausted."""
    problem, cure = used_up(limit)
    return Finding(
        check="watching",
        problem=f"the files of {', '.join(names)} cannot be watched: {problem}",
        advice=f"{cure}; until then `devinit restart` loads what you change",
    )

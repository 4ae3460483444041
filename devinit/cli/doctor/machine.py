"""Findings about this machine, independent of a project except for its ports."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from devinit.cli.doctor.files import name_for
from devinit.cli.doctor.finding import Cure, Finding
from devinit.config.load import load
from devinit.errors import DevinitError, StateFileError
from devinit.system.listeners import ephemeral_range
from devinit.system.paths import runtime_directory, state_directory
from devinit.system.permissions import left_in_ours

FEWEST_FILES = 256
"""The supervisor has three files open per service and about 80 others. It raises its soft limit itself."""


def folders() -> Iterator[Finding]:
    """Check the folders for sockets and leases; devinit refuses them when another user has created them."""
    for folder in (state_directory, runtime_directory):
        try:
            folder()
        except StateFileError as error:
            cure = None if error.path == "" else aside(error.path)
            yield Finding(check="folders", problem=error.message, advice=error.hint or "", cure=cure)


def aside(path: str) -> Cure | None:
    """Return a cure without root for a devinit folder that root has worked in, if it harms nothing else.

    The owner of a folder may rename its entries. A folder that is unreadable, or that may belong to other programs
    as well, is left alone: then only the `chown` in the advice helps.
    """
    left = left_in_ours(path)
    if left is None or os.lstat(left).st_uid != 0 or not _is_only_ours(Path(left), Path(path)):
        return None
    name = name_for(Path(left), "of-root")
    return Cure(f"move {left} aside, so that the next start makes its own", partial(_move, Path(left), name))


def _is_only_ours(folder: Path, own: Path) -> bool:
    """Whether a folder contains nothing but devinit's `own` folder, or is that folder."""
    for part in own.relative_to(folder).parts:
        try:
            if [each.name for each in folder.iterdir()] != [part]:
                return False
        except OSError:
            return False
        folder /= part
    return True


def _move(left: Path, name: Path) -> str:
    left.rename(name)
    return f"{left} is {name.name} now: delete that with sudo when you like"


def limits() -> Iterator[Finding]:
    """Look at the limit on open files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FEWEST_FILES:
        yield Finding(
            check="limits",
            problem=f"a process may open at most {hard} files here (ulimit -Hn)",
            advice="raise the hard limit before `devinit start`: limits.conf, or the setting of the container",
        )


def ports(root: Path) -> Iterator[Finding]:
    """Look for preferred ports that the kernel gives to outgoing connections, which take them without warning."""
    outgoing = ephemeral_range()
    try:
        services = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None).services.values()
    except DevinitError:
        return  # the check of the configuration reports it
    for request in (each.port for each in services if each.port is not None):
        if request.preferred in outgoing:
            yield Finding(
                check="ports",
                problem=f"port {request.preferred} of {request.service} is one that the kernel gives to "
                f"outgoing connections ({outgoing.start}-{outgoing.stop - 1})",
                advice=f"choose one below {outgoing.start}",
                harmless=not request.strict,
            )

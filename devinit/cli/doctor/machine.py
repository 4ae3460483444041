"""What this machine, not a project, stands in the way with."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from devinit.cli.doctor.finding import Finding
from devinit.config.load import load
from devinit.errors import DevinitError
from devinit.system.listeners import ephemeral_range
from devinit.system.paths import runtime_directory, state_directory

FEWEST_FILES = 256
"""Descriptors: three of the supervisor's for each service, and some 80. It raises its soft limit by itself."""


def folders() -> Iterator[Finding]:
    """Make sure of the folders for sockets and leases; they are refused when another user prepared them."""
    for folder in (state_directory, runtime_directory):
        try:
            folder()
        except DevinitError as error:
            yield Finding(check="folders", problem=error.message, advice=error.hint or "")


def limits() -> Iterator[Finding]:
    """Look at what the shell allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FEWEST_FILES:
        yield Finding(
            check="limits",
            problem=f"a process may open at most {hard} files here (ulimit -Hn)",
            advice="raise the hard limit before `devinit start`: limits.conf, or the setting of the container",
        )


def ports(root: Path) -> Iterator[Finding]:
    """Look for preferred ports that the kernel gives to outgoing connections: they are taken without warning."""
    outgoing = ephemeral_range()
    try:
        services = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None).services.values()
    except DevinitError:
        return  # told by the check of the configuration
    for request in (each.port for each in services if each.port is not None):
        if request.preferred in outgoing:
            yield Finding(
                check="ports",
                problem=f"port {request.preferred} of {request.service} is one that the kernel gives to "
                f"outgoing connections ({outgoing.start}-{outgoing.stop - 1})",
                advice=f"choose one below {outgoing.start}",
                harmless=not request.strict,
            )

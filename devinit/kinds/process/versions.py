"""Whether the tools of a service have the versions that its repository asks for.

Told before anything of the service starts. A checkout in which everything fitted, and nothing has changed since,
costs a few looks at files: what compares is not loaded.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from devinit.kinds.command import command_spec
from devinit.kinds.process.runs import runs_of
from devinit.kinds.provider import Install, Place
from devinit.model.service import Service
from devinit.toolchains.fingerprint import (
    asking_files,
    fingerprint,
    interpreters_for,
    is_known_to_fit,
    remember_that_it_fits,
)
from devinit.toolchains.folders import up_to_root

if TYPE_CHECKING:
    from devinit.toolchains.comparing import Mismatch


def mismatches_of(service: Service, place: Place, *, asks: bool = True) -> list[Mismatch]:
    """Return the tools of a service that are not what its repository asks for, one for each tool. Blocking.

    `asks`: run a program for its version when no file tells and none has told before.
    """
    if service.command is None or service.external_url is not None:
        return []
    files = asking_files(up_to_root(service.directory, place.root))
    if not files:
        return []
    environment = command_spec("true", service, place, place.environment).environment
    runs = runs_of(service, environment.get("PATH", os.defpath), sorted(interpreters_for(files)))
    commands = (service.command, *service.before_start)
    own = (path for _, path in runs.commands if path is not None)
    programs = dict.fromkeys((*own, *runs.interpreters.values()))
    digest = fingerprint(commands, files, programs, service.directory, environment)
    private = place.data.parent
    if is_known_to_fit(private, digest):
        return []
    from devinit.kinds.process.comparison import compared  # 15 ms that an up-to-date checkout does not pay

    found = compared(service, place, runs, environment, asks=asks)
    if not found and asks and not place.only_looks:
        remember_that_it_fits(private, digest)
    return found


def refusal_of(service: Service, place: Place) -> Install | None:
    """Return what helps a service whose own tools refuse the version that is there; None where none refuses it.

    Nothing is run: what could not be read from files was asked before the start.
    """
    for each in mismatches_of(service, place, asks=False):
        if each.refused_by:
            return Install(
                folder=each.folder,
                command=each.cure.command,
                missing=each.problem(place.root),
                is_by_hand=not each.cure.is_automatic,
                words=each.advice(place.root),
            )
    return None

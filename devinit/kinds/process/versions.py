"""The check whether a service's tools have the versions that its repository requires.

It runs before anything of the service starts. For a checkout that passed before and has not changed since, it
reads a few files; the comparison is not loaded.
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
    """Return the tools of a service that do not meet the requirements, one mismatch for each tool. Blocking.

    `asks`: run a program for its version if no file contains it and no earlier result is stored.
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
    """Return advice for a service whose own tools refuse the installed version; None if none refuses it.

    No program is run: versions that are in no file were determined before the start.
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

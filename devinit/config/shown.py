"""Which project a folder shows: one answer for `start`, for `init` and for every other command."""

from __future__ import annotations

import os
from pathlib import Path

from devinit.config.absence import no_project
from devinit.config.detected import detect
from devinit.config.find import claimed, find_root_as_text
from devinit.errors import NoProject
from devinit.model.names import CONFIGURATION_FILE
from devinit.system.repository import is_repository, search_of


def root_shown_by(start: str) -> str:
    """Return the project that a folder is in, or that detection recognises in it or at the top of its repository.

    Raise NoProject, with what was looked for and where, when there is none.
    """
    if (root := find_root_as_text(start)) is not None:
        return root
    folder = os.path.abspath(start)  # noqa: PTH100 - resolve() would leave a checkout reached by a symlink
    inside, above = search_of(folder)
    notes: list[str] = []
    for candidate in dict.fromkeys((folder, *filter(is_repository, inside[-1:]))):
        # A devinit.toml that is no file is refused by name when it is read, not passed over.
        if os.path.lexists(os.path.join(candidate, CONFIGURATION_FILE)):  # noqa: PTH118
            return candidate
        project = detect(Path(candidate))
        if project.services:
            return candidate
        notes += project.notes
    raise no_project(folder, inside[-1], claimed(above), notes)


def root_around(start: str) -> str | None:
    """Return the same, or None where there is no project: for what is of use without one."""
    try:
        return root_shown_by(start)
    except NoProject:
        return None

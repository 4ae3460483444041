"""The project that a folder shows: the same answer for `start`, for `init` and for every other command."""

from __future__ import annotations

import os
from pathlib import Path

from devinit.config.absence import no_project
from devinit.config.detected import detect
from devinit.config.find import claimed, find_root_as_text
from devinit.errors import NoProject
from devinit.kinds import kind_of
from devinit.model.names import CONFIGURATION_FILE
from devinit.model.service import Project
from devinit.system.repository import is_repository, search_of


def root_shown_by(start: str) -> str:
    """Return the project that contains a folder, or that the folder or the top of its repository shows.

    A program in a repository belongs to the whole repository: in `apps/web` the project is the one that
    the top shows, if that has a service there. Raise NoProject, with the list of things that were
    looked for, if there is none.
    """
    if (root := find_root_as_text(start)) is not None:
        return root
    folder = os.path.abspath(start)  # noqa: PTH100 - resolve() would leave a checkout reached by a symlink
    inside, above = search_of(folder)
    candidates = list(dict.fromkeys((folder, *filter(is_repository, inside[-1:]))))
    for candidate in candidates:
        # A devinit.toml that is no file is refused by name when it is read, not skipped.
        if os.path.lexists(os.path.join(candidate, CONFIGURATION_FILE)):  # noqa: PTH118
            return candidate
    projects = [detect(Path(candidate)) for candidate in candidates]
    if len(projects) > 1 and _has_a_service_in(projects[-1], Path(folder)):
        return candidates[-1]
    for candidate, project in zip(candidates, projects, strict=True):
        if project.services:
            return candidate
    notes = [note for project in projects for note in project.notes]
    raise no_project(folder, inside[-1], claimed(above), notes)


def root_around(start: str) -> str | None:
    """Return the same, or None if there is no project, for callers that can do without one."""
    try:
        return root_shown_by(start)
    except NoProject:
        return None


def _has_a_service_in(project: Project, folder: Path) -> bool:
    """Return whether a service runs in a folder, below it or above it."""
    return any(
        kind_of(service).runs_a_command
        and (service.directory.is_relative_to(folder) or folder.is_relative_to(service.directory))
        for service in project.services.values()
    )

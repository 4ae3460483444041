"""Services that are older than the files that configure them: `drift` applied to all services of a project."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from devinit.errors import DevinitError
from devinit.model.names import CONFIGURATION_FILE
from devinit.model.service import Project, Service
from devinit.supervisor.project import drift
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.service.preparing import changed_inputs, changed_packages
from devinit.supervisor.service.runner import Runner

PASSWORD = "password"  # noqa: S105 - the name of a key
Version = tuple[int, int, int]


class Reading(Struct, frozen=True):
    """The result of one reading of the files."""

    turn: int
    """The number of the reading, in order of their beginnings."""
    about: tuple[str | None, Version | None]
    """The profile, and the version of devinit.toml (None without the file)."""
    project: Project | None
    """None when the files could not be read."""


class Files:
    """The files at their last reading: for an order, or for a question after devinit.toml was written again.

    Detection takes too long to run for each question, so questions use the reading of the latest order.
    """

    def __init__(self, stage: ProjectState, load: Callable[[str | None], Project]) -> None:
        self._stage, self._load = stage, load
        self._turns = 0
        self._latest = Reading(turn=0, about=(None, None), project=None)
        self.problem: str | None = None
        """Why the file could not be read at the last look, in one line; None when it could."""

    async def read(self, profile: str | None) -> Project:
        """Return the project as its files are now. Raise ConfigError."""
        self._turns += 1
        turn, project, version = self._turns, None, None
        # Before reading: a write in the meantime gives another version.
        with suppress(OSError):
            version = version_of(self._stage.root / CONFIGURATION_FILE)
        try:
            project = await asyncio.to_thread(self._load, profile)
        finally:
            # A reading that began earlier may end later.
            if turn > self._latest.turn:
                self._latest = Reading(turn, (profile, version), project)
        return project

    async def project(self, profile: str | None) -> Project:
        """Return the project of the files; the known one while they are broken or it was only detected."""
        known, self.problem = self._stage.project, None
        if known.source is None:
            return self._as_detected(profile) or known
        try:
            about = profile, version_of(known.source)
            if self._latest.project is None or self._latest.about != about:
                await self.read(profile)
        except OSError as error:
            self.problem = f"{known.source} cannot be read: {error.strerror}"
            return known
        except DevinitError as error:
            self.problem = " ".join(error.message.split())
            return known
        return self._latest.project or self._stage.project

    def _as_detected(self, profile: str | None) -> Project | None:
        """Return what the latest order has detected.

        The applied project has the logins of running servers instead.
        """
        latest = self._latest.project
        is_of_now = latest is not None and latest.source is None and self._latest.about[0] == profile
        return latest if is_of_now else None


def version_of(file: Path) -> Version:
    """Return a value that changes when a file is written again. Raise OSError if the file is missing."""
    found = file.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def changes_of(runner: Runner, stage: ProjectState, project: Project) -> list[str]:
    """Return the parts of a service that are older than its files."""
    now = drift.basis_of(runner.service, project, stage.given.env_files_of(runner.service))
    found = drift.changed(runner.service, runner.run.basis, project, now)
    if drift.REMOVED in found:
        return found
    return without_lost(found, runner) + changed_inputs(stage.private, runner.service, project.root)


def left_as_they_were(runners: list[Runner], stage: ProjectState, project: Project) -> list[tuple[str, str]]:
    """Return the running services that are older than their files, with the note of a start that leaves them."""
    found = []
    for runner in runners:
        name = runner.name
        if is_configured_otherwise(runner, project):
            found.append((name, f"{name} runs as it was configured before: `devinit restart {name}`"))
        elif changed := changes_of(runner, stage, project):
            files = ", ".join(changed)
            found.append((name, f"{name} runs as before {files} changed: `devinit restart {name}`"))
    return found


def left_packages(services: list[Service], private: Path, root: Path) -> list[tuple[str, str]]:
    """Return the services whose packages are older than their files, with the note of a start."""
    found = []
    for service in services:
        if changed := changed_packages(private, service, root):
            text = (
                f"{service.name} has the packages of before {', '.join(changed)} changed: "
                f"`devinit restart --setup {service.name}` installs them again"
            )
            found.append((service.name, text))
    return found


def is_configured_otherwise(runner: Runner, project: Project) -> bool:
    """Return whether a service would be run differently by the current configuration.

    Records of earlier versions lack values that this version fills in, so the services are not compared directly.
    """
    return bool(without_lost(drift.differences(runner.service, project.services[runner.name]), runner))


def without_lost(changes: list[str], runner: Runner) -> list[str]:
    """Return changes without the password that was lost with the data: no other one was configured."""
    return [each for each in changes if not (runner.lost_data and each == PASSWORD)]


def added(runners: Mapping[str, Runner], project: Project) -> list[str]:
    """Return the services that are in the files but that no start has applied yet."""
    return [name for name in project.services if name not in runners]


def changes(runners: Mapping[str, Runner], stage: ProjectState, project: Project) -> dict[str, list[str]]:
    """Return the outdated parts of these services; services without any are left out."""
    found = {name: changes_of(runner, stage, project) for name, runner in runners.items()}
    return {name: each for name, each in found.items() if each}

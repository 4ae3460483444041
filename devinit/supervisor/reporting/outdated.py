"""Which services are older than the files that say how they are to run: `drift`, asked about all of a project."""

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
    """What the files said when they were read."""

    turn: int
    """Which reading it was, by its beginning."""
    about: tuple[str | None, Version | None]
    """The profile, and the version of devinit.toml; None where there was no such file."""
    project: Project | None
    """None when they could not be read."""


class Files:
    """The files as they were read last: for an order, or for a question after devinit.toml was written again.

    Detection takes too long for each question, so that a question goes by the reading of the latest order.
    """

    def __init__(self, stage: ProjectState, load: Callable[[str | None], Project]) -> None:
        self._stage, self._load = stage, load
        self._turns = 0
        self._latest = Reading(turn=0, about=(None, None), project=None)
        self.problem: str | None = None
        """Why the file could not be read when it was looked at last: one line; None when it could."""

    async def read(self, profile: str | None) -> Project:
        """Return the project as its files say now. Raise ConfigError."""
        self._turns += 1
        turn, project, version = self._turns, None, None
        # Before it is read: what is written meanwhile is another version.
        with suppress(OSError):
            version = version_of(self._stage.root / CONFIGURATION_FILE)
        try:
            project = await asyncio.to_thread(self._load, profile)
        finally:
            # One that began before may end after it.
            if turn > self._latest.turn:
                self._latest = Reading(turn, (profile, version), project)
        return project

    async def project(self, profile: str | None) -> Project:
        """Return the project as its files say; as it is known, while they are broken or it was only detected."""
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
        """Return what the latest order has detected: what was taken over has the logins of servers that run."""
        latest = self._latest.project
        is_of_now = latest is not None and latest.source is None and self._latest.about[0] == profile
        return latest if is_of_now else None


def version_of(file: Path) -> Version:
    """Return what is another one when a file is written again. Raise OSError where there is none."""
    found = file.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def changes_of(runner: Runner, stage: ProjectState, project: Project) -> list[str]:
    """Return what of a service is older than its files."""
    now = drift.basis_of(runner.service, project, stage.given.env_files_of(runner.service))
    found = drift.changed(runner.service, runner.run.basis, project, now)
    if drift.REMOVED in found:
        return found
    return without_lost(found, runner) + changed_inputs(stage.private, runner.service, project.root)


def left_as_they_were(runners: list[Runner], stage: ProjectState, project: Project) -> list[tuple[str, str]]:
    """Return the services that run and are older than their files, and what a start says that leaves them."""
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
    """Return the services whose packages are older than their files, and what a start says of it."""
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
    """Return whether a service of the project would be run in another way now.

    A record of an earlier version lacks what this one completes, so the services are not compared as they are.
    """
    return bool(without_lost(drift.differences(runner.service, project.services[runner.name]), runner))


def without_lost(changes: list[str], runner: Runner) -> list[str]:
    """Return changes without the password that was lost with the data: no other one was configured."""
    return [each for each in changes if not (runner.lost_data and each == PASSWORD)]


def added(runners: Mapping[str, Runner], project: Project) -> list[str]:
    """Return the services that the files name now and no start has taken over."""
    return [name for name in project.services if name not in runners]


def changes(runners: Mapping[str, Runner], stage: ProjectState, project: Project) -> dict[str, list[str]]:
    """Return which parts of these services are older than their files; services without any are left out."""
    found = {name: changes_of(runner, stage, project) for name, runner in runners.items()}
    return {name: each for name, each in found.items() if each}

"""Which services are older than the files that say how they are to run: `drift`, asked about all of a project."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from devinit.errors import DevinitError
from devinit.model.service import Project
from devinit.supervisor.project import drift
from devinit.supervisor.project.stage import Stage
from devinit.supervisor.service.preparing import changed_inputs
from devinit.supervisor.service.runner import Runner

PASSWORD = "password"  # noqa: S105 - the name of a key
Version = tuple[int, int, int]


class Files:
    """devinit.toml as it is now, read again only when it was written again."""

    def __init__(self, stage: Stage, load: Callable[[], Awaitable[Project]]) -> None:
        self._stage, self._load = stage, load
        self._read: tuple[Version, Project] | None = None
        self.problem: str | None = None
        """Why the file could not be read when it was looked at last: one line; None when it could."""

    async def project(self) -> Project:
        """Return the project as its file says now; as it is known, while that is broken or was only detected."""
        source, self.problem = self._stage.project.source, None
        if source is None:
            return self._stage.project
        try:
            found = source.stat()
            version = (found.st_mtime_ns, found.st_size, found.st_ino)
            if self._read is None or self._read[0] != version:
                self._read = version, await self._load()
        except OSError as error:
            self.problem = f"{source} cannot be read: {error.strerror}"
            return self._stage.project
        except DevinitError as error:
            self.problem = " ".join(error.message.split())
            return self._stage.project
        return self._read[1]


def changes_of(runner: Runner, stage: Stage, project: Project) -> list[str]:
    """Return what of a service is older than its files."""
    now = drift.basis_of(runner.service, project, stage.given.env_files_of(runner.service))
    found = drift.changed(runner.service, runner.run.basis, project, now)
    if drift.REMOVED in found:
        return found
    return without_lost(found, runner) + changed_inputs(stage.private, runner.service, project.root)


def is_configured_otherwise(runner: Runner, project: Project) -> bool:
    """Tell whether a service of the project would be run in another way now.

    A record of an earlier version lacks what this one completes, so the services are not compared as they are.
    """
    return bool(without_lost(drift.differences(runner.service, project.services[runner.name]), runner))


def without_lost(changes: list[str], runner: Runner) -> list[str]:
    """Return changes without the password that was lost with the data: no other one was configured."""
    return [each for each in changes if not (runner.lost_data and each == PASSWORD)]


def added(runners: Mapping[str, Runner], project: Project) -> list[str]:
    """Return the services that the files name now and no start has taken over."""
    return [name for name in project.services if name not in runners]


def changes(runners: Mapping[str, Runner], stage: Stage, project: Project) -> dict[str, list[str]]:
    """Return what of each of these services is older than its files, of those where anything is."""
    found = {name: changes_of(runner, stage, project) for name, runner in runners.items()}
    return {name: each for name, each in found.items() if each}

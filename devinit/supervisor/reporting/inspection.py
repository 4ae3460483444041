"""The environment of a service, and which values have changed since its start: for the page of details."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.supervisor.logs import log_files
from devinit.system.processes import RUN_VARIABLE, variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from devinit.model.status import Change, Inspection
    from devinit.supervisor.project.project_state import ProjectState
    from devinit.supervisor.service.runner import Runner


def inspect(runner: Runner, stage: ProjectState) -> Inspection:
    """Return the variables that a service is given beyond those of the shell, and the paths of its files."""
    values = stage.environment_of(runner.service)
    own = {
        name: value
        for name, value in values.items()
        if stage.caller.get(name) != value and name != RUN_VARIABLE
    }
    origins = {name: each.text for name, each in stage.origins_of(runner.service).items() if name in own}
    pid = runner.run.process.pid if runner.run.process is not None else None
    return {
        "environment": own,
        "origins": origins,
        "notes": stage.notes_about(runner.name),
        "changed": list(changes(own, pid)) if pid is not None else [],
        "files": {name: path for name, path in files(runner, stage) if path},
    }


def changes(now: Mapping[str, str], pid: int) -> Iterator[Change]:
    """Yield the variables that would have another value if the service were started now."""
    if variable_of(pid, RUN_VARIABLE) is None:
        return  # it has overwritten its environment, as programs do that change their title
    for name, value in now.items():
        then = variable_of(pid, name)
        if then != value:
            yield {"name": name, "then": then, "now": value}


def files(runner: Runner, stage: ProjectState) -> Iterator[tuple[str, str]]:
    """Yield the files that belong to a service, each with its role."""
    service = runner.service
    yield "configuration", str(stage.project.source or "")
    yield "folder", str(service.directory)
    yield "log", str(log_files.log_path(stage.private, runner.name))
    discovery = stage.project.discovery.get(runner.name)
    yield "discovery file", str(stage.root / discovery) if discovery else ""
    yield "environment files", ", ".join(str(path) for path in stage.given.env_files_of(service))

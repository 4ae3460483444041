"""Services that were added to devinit.toml after the last start. They are reported as stopped.

A question does not apply the new configuration; only a start does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from devinit.supervisor.project.chosen import EVERY
from devinit.supervisor.reporting.report import Runners

if TYPE_CHECKING:
    from devinit.model.service import Project, Service
    from devinit.supervisor.project.project_state import ProjectState
    from devinit.supervisor.service.runner import Runner


def are_known(names: Iterable[str], runners: Mapping[str, Runner]) -> bool:
    """Return whether all these services are known already, so that a question about them need not read files."""
    return all(name == EVERY or name in runners for name in names)


def with_added(
    runners: Runners, stage: ProjectState, project: Project, make: Callable[[Service, ProjectState], Runner]
) -> tuple[Runners, ProjectState]:
    """Return all services, with those that only `project` has as stopped ones, and a project state for them.

    Both are for one question only; the running services do not change.
    """
    new = {name: service for name, service in project.services.items() if name not in runners}
    beside = stage.with_services(new)
    return {**runners, **{name: make(service, beside) for name, service in new.items()}}, beside

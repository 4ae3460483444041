"""Services that were added to devinit.toml after the last start: they are reported as stopped.

Nothing is taken over for a question: a start does that.
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
    """Whether all these services were taken over already, so that no file has to be read for a question."""
    return all(name == EVERY or name in runners for name in names)


def with_added(
    runners: Runners, stage: ProjectState, project: Project, make: Callable[[Service, ProjectState], Runner]
) -> tuple[Runners, ProjectState]:
    """Return all services, those that only `project` has as stopped ones, and a stage that they are on.

    Both are for one question: what runs does not learn of them.
    """
    new = {name: service for name, service in project.services.items() if name not in runners}
    beside = stage.with_services(new)
    return {**runners, **{name: make(service, beside) for name, service in new.items()}}, beside

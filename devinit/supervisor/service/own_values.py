"""Effects of the project's own values: migrations that are held back, failures that name a variable."""

from __future__ import annotations

from collections.abc import Sequence

from devinit.errors import ServiceError
from devinit.kinds import kind_of
from devinit.model.service import Service
from devinit.runtime.origins import set_over
from devinit.supervisor.project.project_state import ProjectState


def is_kept_back(command: str, service: Service, stage: ProjectState) -> bool:
    """Return whether a one-shot of a service must not run; note it with its reason."""
    why = stage.obstacle_to(command, service)
    if why is None:
        return False
    stage.note(
        f"{service.name}: {command!r} was not run, because {why}; `before_start` in devinit.toml runs it anyway",
        service.name,
    )
    return True


def refuse_foreign_migration(service: Service, stage: ProjectState) -> None:
    """Raise ServiceError for a detected service that is itself a migration, and would reach another database.

    Its dependants wait for it, so it must not count as done.
    """
    if service.port is not None or service.command is None or not kind_of(service).runs_a_command:
        return
    if (why := stage.obstacle_to(service.command, service)) is not None:
        raise ServiceError(
            f"{service.command!r} was not run, because {why}",
            hint=f"`command` of [services.{service.name}] in devinit.toml runs it anyway",
        )


def with_own_values(
    cause: str | None, last_words: Sequence[str], service: Service, stage: ProjectState
) -> str | None:
    """Return the cause of a failure, with a line for each such variable that the cause or the last words name."""
    if not kind_of(service).runs_a_command:
        return cause
    lines = set_over(stage.origins_of(service), "\n".join((*last_words, cause or "")))
    return "\n".join(([cause] if cause else []) + lines) or None

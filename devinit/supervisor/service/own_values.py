"""What follows from the project's own values: a migration that is kept back, a failure that names a variable."""

from __future__ import annotations

from collections.abc import Sequence

from devinit.kinds import kind_of
from devinit.model.service import Service
from devinit.runtime.origins import set_over
from devinit.supervisor.project.stage import Stage


def is_kept_back(command: str, service: Service, stage: Stage) -> bool:
    """Whether a one-shot of a service is not run, which is noted with its reason."""
    why = stage.obstacle_to(command, service)
    if why is None:
        return False
    stage.note(
        f"{service.name}: {command!r} was not run, because {why}; `before_start` in devinit.toml runs it anyway",
        service.name,
    )
    return True


def with_own_values(
    cause: str | None, last_words: Sequence[str], service: Service, stage: Stage
) -> str | None:
    """Return the cause of a failure, with a line for each such variable that it, or the last words, name."""
    if not kind_of(service).runs_a_command:
        return cause
    lines = set_over(stage.origins_of(service), "\n".join((*last_words, cause or "")))
    return "\n".join(([cause] if cause else []) + lines) or None

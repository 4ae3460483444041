"""What a failure says of variables that devinit has set over the project's own values."""

from __future__ import annotations

from collections.abc import Sequence

from devinit.kinds import kind_of
from devinit.model.service import Service
from devinit.runtime.origins import set_over
from devinit.supervisor.project.stage import Stage


def with_own_values(
    cause: str | None, last_words: Sequence[str], service: Service, stage: Stage
) -> str | None:
    """Return the cause of a failure, with a line for each such variable that it, or the last words, name."""
    if not kind_of(service).runs_a_command:
        return cause
    lines = set_over(stage.origins_of(service), "\n".join((*last_words, cause or "")))
    return "\n".join(([cause] if cause else []) + lines) or None

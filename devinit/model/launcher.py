"""Programs that only launch another program, which is then the real program of a service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devinit.model.workplace import base_name, runs_others

if TYPE_CHECKING:
    from devinit.model.process import ProcessFacts

_LAUNCHERS = frozenset(
    [
        "direnv",
        "doppler",
        "dotenv",
        "hatch",
        "just",
        "make",
        "pdm",
        "pipenv",
        "poetry",
        "timeout",
        "uv",
        "uvx",
    ]
)
_JOB_WORKERS = (
    # Atomic: if the rest does not match after the first occurrence of the name, no later one is tried.
    r"(?s)\A(?>.*?(?:^|[\s/])celery\s)(?:.*\s)?worker\b",
    r"(?s)\A(?>.*?(?:^|[\s/])rq\s)(?:.*\s)?worker(?:-pool)?\b",
    r"(?:^|[\s/])manage\.py\s+rqworker\b",
)


def only_launches(facts: ProcessFacts) -> bool:
    """Return whether a process only launches a program and ends with it: sh, npm, uv, make.

    Programs that restart the launched program when it ends (nodemon, watchmedo) do not count.
    """
    # `python /usr/bin/poetry run celery`: the interpreter is the first word.
    return runs_others(facts) or bool(_LAUNCHERS & {base_name(word) for word in facts.command[:2]})


def is_job_worker(command: str) -> bool:
    """Return whether a command runs jobs in children that lose them on a signal: Celery, RQ."""
    return any(re.search(pattern, command) for pattern in _JOB_WORKERS)

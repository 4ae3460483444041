"""Which programs only run another one: the program of a service is what they run."""

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
    # Atomic: what does not follow the first name does not follow another one.
    r"(?s)\A(?>.*?(?:^|[\s/])celery\s)(?:.*\s)?worker\b",
    r"(?s)\A(?>.*?(?:^|[\s/])rq\s)(?:.*\s)?worker(?:-pool)?\b",
    r"(?:^|[\s/])manage\.py\s+rqworker\b",
)


def only_launches(facts: ProcessFacts) -> bool:
    """Return whether a process ends with the program that it runs, and does nothing else: sh, npm, uv, make.

    What starts a program again when that ends (nodemon, watchmedo) is none of them.
    """
    # `python /usr/bin/poetry run celery`: the interpreter comes first.
    return runs_others(facts) or bool(_LAUNCHERS & {base_name(word) for word in facts.command[:2]})


def is_job_worker(command: str) -> bool:
    """Return whether a command line runs jobs in children that lose them when they are signalled: Celery, RQ."""
    return any(re.search(pattern, command) for pattern in _JOB_WORKERS)

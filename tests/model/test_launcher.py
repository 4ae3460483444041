"""Specifies which programs only run another one, and which run jobs in children."""

from __future__ import annotations

import pytest

from devinit.model.launcher import is_job_worker, only_launches
from devinit.model.process import ProcessFacts, ProcessIdentity


def process(*command: str) -> ProcessFacts:
    return ProcessFacts(
        identity=ProcessIdentity(1000, 1, "boot"),
        parent_pid=1,
        name=command[0].rpartition("/")[2],
        command=command,
        user="ada",
        uid=1000,
        directory="/shop",
        age_seconds=1.0,
        stopped=False,
    )


class TestALauncher:
    @pytest.mark.parametrize(
        "command",
        [
            "sh -c :",
            "/usr/bin/env celery",
            "uv run celery",
            "python3 /usr/bin/poetry run celery",
            "npm run worker",
            "make worker",
        ],
    )
    def test_only_runs_another_program(self, command: str) -> None:
        assert only_launches(process(*command.split(" ")))

    @pytest.mark.parametrize(
        "command",
        ["celery -A shop worker", "python3 -m celery worker", "watchmedo auto-restart", "nodemon x"],
    )
    def test_is_not_what_does_something_itself(self, command: str) -> None:
        assert not only_launches(process(*command.split(" ")))


class TestAJobWorker:
    @pytest.mark.parametrize(
        "command",
        [
            "celery -A shop worker -c 2",
            ".venv/bin/celery --app shop worker",
            "uv run celery -A shop worker",
            "python -m celery -A shop worker",
            "watchmedo auto-restart -p '*.py' -- celery -A shop worker",
            "rq worker --url ${REDIS_URL}",
            "rq worker-pool -n 3",
            "python manage.py rqworker default",
        ],
    )
    def test_is_known_by_its_command(self, command: str) -> None:
        assert is_job_worker(command)

    @pytest.mark.parametrize(
        "command",
        ["celery -A shop beat", "celery -A shop flower", "node worker.js", "arq app.worker.Settings"],
    )
    def test_is_nothing_else(self, command: str) -> None:
        assert not is_job_worker(command)

"""Specifies what runs a command whose package manager is not there."""

from __future__ import annotations

import pytest

from devinit.toolchains.standing_in import by_npm, in_environment

SCRIPTS = {
    "dev": "vite",
    "api": "pnpm --filter api dev",
    "prebuild": "bun x.ts",
    "build": "vite build",
    "a.b": "x",
}


class TestNpm:
    @pytest.mark.parametrize(
        ("command", "instead"),
        [
            ("pnpm run dev", "npm run dev"),
            ("pnpm dev", "npm run dev"),
            (
                "yarn dev --port ${PORT} --host '127.0.0.1'",
                "npm run dev -- --port ${PORT} --host '127.0.0.1'",
            ),
            ("bun run dev -- --port 3000", "npm run dev -- --port 3000"),
            ("  bun   run  dev  ", "npm run dev"),
        ],
    )
    def test_runs_the_script_of_another_package_manager(self, command: str, instead: str) -> None:
        assert by_npm(command, SCRIPTS) == instead

    @pytest.mark.parametrize(
        "command",
        [
            "pnpm api",
            "pnpm build",
            "pnpm axb",
            "pnpm --filter web dev",
            "pnpm exec vite",
            "bun run server.ts",
            "bun --bun run dev",
            "npm run dev",
            "pnpm dev && pnpm api",
            "vite",
        ],
    )
    def test_is_no_way_for_what_needs_that_one(self, command: str) -> None:
        assert by_npm(command, SCRIPTS) is None


class TestTheEnvironment:
    @pytest.mark.parametrize(
        ("command", "instead"),
        [
            ("uv run uvicorn main:app --port ${PORT}", "uvicorn main:app --port ${PORT}"),
            ("poetry run python manage.py runserver", "python manage.py runserver"),
            ("pipenv run flask run", "flask run"),
            ("pdm run uvicorn main:app", "uvicorn main:app"),
        ],
    )
    def test_has_the_program_that_a_runner_would_run(self, command: str, instead: str) -> None:
        assert in_environment(command) == instead

    @pytest.mark.parametrize(
        "command",
        ["uv run --with x y", "uv sync", "uv run main.py", "poetry run a && b", "uvicorn main:app", "uv run"],
    )
    def test_is_no_way_for_what_only_the_runner_knows(self, command: str) -> None:
        assert in_environment(command) is None

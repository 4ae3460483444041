"""Specifies which detected one-shots run once on the same data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.detected import detect
from devinit.config.load import load
from devinit.model.service import Service
from devinit.sources.commands.seeds import is_seed

COMPOSE = """\
services:
  db: {image: "postgres:16", environment: {POSTGRES_PASSWORD: x}}
  seed:
    build: ./api
    command: python -m app.seed
    environment: {DATABASE_URL: "postgresql://postgres:x@db/postgres"}
    depends_on: {db: {condition: service_healthy}}
  migrate:
    build: ./api
    command: alembic upgrade head
    environment: {DATABASE_URL: "postgresql://postgres:x@db/postgres"}
    depends_on: {db: {condition: service_healthy}}
  api:
    build: ./api
    command: uvicorn app.main:app --port 8000
    ports: ["8000:8000"]
    depends_on:
      seed: {condition: service_completed_successfully}
      migrate: {condition: service_completed_successfully}
"""


class TestASeed:
    @pytest.mark.parametrize(
        ("name", "command"),
        [
            ("seed", "python load.py"),
            ("init", "python -m app.seed"),
            ("rows", "bin/rails db:seed"),
            ("rows", "npx prisma db seed"),
            ("rows", "python manage.py loaddata first.json"),
            ("prestart", "python app/initial_data.py"),
            ("db-seeder", "go run ./cmd/fill"),
        ],
    )
    def test_is_known_by_its_name_or_its_command(self, name: str, command: str) -> None:
        assert is_seed(Service(name=name, command=command, directory=Path("/shop")))

    @pytest.mark.parametrize(
        ("name", "command"),
        [
            ("migrate", "alembic upgrade head"),
            ("seed", "alembic upgrade head && python -m app.seed"),
            ("seed", "bin/rails db:prepare db:seed"),
            ("birdseed", "python feed.py"),
            ("codegen", "npm run codegen"),
        ],
    )
    def test_is_no_migration_and_no_other_one_shot(self, name: str, command: str) -> None:
        assert not is_seed(Service(name=name, command=command, directory=Path("/shop")))


class TestADetectedSeed:
    @pytest.fixture
    def compose(self, write: Callable[..., Path]) -> None:
        write("compose.yaml", COMPOSE)
        write("api/app/main.py", "from fastapi import FastAPI\napp = FastAPI()\n")
        write("api/app/seed.py", "print('seeded')\n")
        write("api/requirements.txt", "fastapi\nuvicorn\nalembic\n")
        write("api/alembic.ini", "[alembic]\nscript_location = migrations\n")

    @pytest.mark.usefixtures("compose")
    def test_runs_once_and_shows_its_line(self, root: Path) -> None:
        project = detect(root)

        assert {"seed", "migrate"} <= project.services.keys()
        assert [name for name, each in project.services.items() if each.once] == ["seed"]
        assert [(each.file, each.line) for each in project.evidence["seed"] if each.about == "once"] == [
            ("compose.yaml", 5)
        ]

    @pytest.mark.usefixtures("compose")
    @pytest.mark.parametrize(
        ("text", "once"),
        [
            ("[services.seed]\nonce = false\n", False),
            ('[services.seed]\nenv = { A = "1" }\n', True),
            ('[services.seed]\ncommand = "python -m app.seed --few"\n', True),
            ('[services.seed]\nready = { log = "seeded" }\n', False),
        ],
    )
    def test_is_what_the_file_says(
        self, write: Callable[..., Path], root: Path, text: str, once: bool
    ) -> None:
        write("devinit.toml", text)

        assert load(root).services["seed"].once is once

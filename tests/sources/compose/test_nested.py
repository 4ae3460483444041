"""Specifies which compose file is read where the top of a repository has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.config.detected import detect
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.model.service import Project
from devinit.sources import compose

COMPOSE = (
    "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_USER: ada\n"
    "      POSTGRES_PASSWORD: ${DB_PASSWORD:-x}\n      POSTGRES_DB: shop\n    ports: ['5500:5432']\n"
)
DEVCONTAINER = (
    "services:\n  app:\n    build: {context: .., dockerfile: .devcontainer/Dockerfile}\n    command: sleep infinity\n"
    "    environment: {CACHE: 'redis://cache:6379/0'}\n  cache:\n    image: redis:7\n"
)
APP = "from fastapi import FastAPI\nimport psycopg\napp = FastAPI()\n"


def found(root: Path, files: dict[str, str]) -> Project:
    """Return what a repository with these files shows."""
    for name, text in {".git/HEAD": "ref: refs/heads/main\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return detect(root)


class TestAFileInAFolder:
    @pytest.mark.parametrize(
        "file", ["server/docker-compose.yml", "infra/compose.yaml", "docker/compose.yml"]
    )
    def test_says_role_password_database_and_port(self, tmp_path: Path, file: str) -> None:
        postgres = found(tmp_path, {file: COMPOSE}).services["postgres"]

        settings = postgres.settings
        assert isinstance(settings, PostgresSettings)
        assert (settings.user, settings.database) == ("ada", "shop")
        assert postgres.port
        assert postgres.port.preferred == 5500

    def test_names_folders_from_where_it_lies(self, tmp_path: Path) -> None:
        text = (
            "services:\n  api:\n    build: ../api\n    environment: {MODE: plain}\n    ports: ['8100:8000']\n"
        )
        files = {"infra/compose.yaml": text, "api/main.py": APP, "api/requirements.txt": "fastapi\nuvicorn\n"}

        backend = found(tmp_path, files).services["backend"]

        assert backend.directory == tmp_path / "api"
        assert dict(backend.env) == {"MODE": "plain"}

    def test_is_not_read_beside_one_at_the_top(self, tmp_path: Path) -> None:
        top = "services:\n  cache:\n    image: redis:7\n"

        assert list(found(tmp_path, {"compose.yaml": top, "infra/compose.yaml": COMPOSE}).services) == [
            "redis"
        ]

    def test_is_not_read_out_of_a_repository(self, tmp_path: Path) -> None:
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop/compose.yaml").write_text(COMPOSE)

        assert not compose.claims(tmp_path)
        assert not detect(tmp_path).services

    @pytest.mark.parametrize("folder", ["deploy", "examples", "e2e-tests", "docs", "prod", ".github"])
    def test_for_something_else_is_not_read(self, tmp_path: Path, folder: str) -> None:
        assert not found(tmp_path, {f"{folder}/compose.yaml": COMPOSE}).services

    def test_beside_another_one_is_named(self, tmp_path: Path) -> None:
        project = found(tmp_path, {"infra/compose.yaml": COMPOSE, "server/docker-compose.yml": COMPOSE})

        assert (
            "server/docker-compose.yml is not read, because infra/compose.yaml is; "
            "`COMPOSE_FILE=server/docker-compose.yml` in .env chooses it"
        ) in project.notes


class TestADevelopmentContainer:
    def test_says_which_servers_there_are_and_what_the_code_is_given(self, tmp_path: Path) -> None:
        files = {
            ".devcontainer/docker-compose.yml": DEVCONTAINER,
            "main.py": APP,
            "requirements.txt": "fastapi\nuvicorn\n",
        }

        project = found(tmp_path, files)

        assert set(project.services) == {"redis", "backend"}
        assert dict(project.services["backend"].env) == {"CACHE": "redis://${REDIS_HOST}:${REDIS_PORT}/0"}

    def test_is_where_a_person_works_and_no_program_to_be_started(self, tmp_path: Path) -> None:
        text = (
            "services:\n  dev:\n    image: node:24\n    volumes: ['..:/work']\n    command: sleep infinity\n"
        )
        project = found(tmp_path, {".devcontainer/docker-compose.yml": text + DEVCONTAINER[9:]})

        assert list(project.services) == ["redis"]
        assert not any("not started" in note for note in project.notes)

    def test_counts_less_than_another_folder(self, tmp_path: Path) -> None:
        files = {".devcontainer/docker-compose.yml": DEVCONTAINER, "infra/compose.yaml": COMPOSE}

        assert list(found(tmp_path, files).services) == ["postgres"]

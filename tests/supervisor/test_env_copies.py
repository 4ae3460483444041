"""Specifies what `start --setup` does about a `.env` that is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.model.service import Project, Service
from devinit.supervisor.files.env_copies import copy_examples


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / ".git").mkdir()
    (tmp_path / "api").mkdir()
    (tmp_path / "api/.env.example").write_bytes(b"\xef\xbb\xbfDEBUG=1\r\nSECRET_KEY=\r\n")
    api = Service(name="api", command="serve", directory=tmp_path / "api")
    return Project(name="shop", root=tmp_path, services={"api": api})


class TestAnExample:
    def test_is_copied_for_its_owner_alone(self, project: Project) -> None:
        said = list(copy_examples(project))

        made = project.root / "api/.env"
        assert said == ["api/.env was copied from .env.example, and these have no value in it: SECRET_KEY"]
        assert made.read_bytes() == b"DEBUG=1\r\nSECRET_KEY=\r\n"
        assert made.stat().st_mode & 0o777 == 0o600

    def test_replaces_nothing(self, project: Project) -> None:
        (project.root / "api/.env").write_text("SECRET_KEY=mine\n")

        assert list(copy_examples(project)) == []
        assert (project.root / "api/.env").read_text() == "SECRET_KEY=mine\n"

    def test_is_not_written_through_a_link(
        self, project: Project, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        elsewhere = tmp_path_factory.mktemp("elsewhere") / "file"
        (project.root / "api/.env").symlink_to(elsewhere)

        assert list(copy_examples(project)) == ["api/.env could not be made: File exists"]
        assert not elsewhere.exists()

    def test_that_leads_out_of_the_repository_is_not_read(
        self, project: Project, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        secret = tmp_path_factory.mktemp("elsewhere") / "secret"
        secret.write_text("KEY=1")
        (project.root / "api/.env.example").unlink()
        (project.root / "api/.env.example").symlink_to(secret)

        assert list(copy_examples(project)) == []
        assert not (project.root / "api/.env").exists()

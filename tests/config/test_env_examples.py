"""Specifies what is said where a repository has an example of a `.env` and no `.env`."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.config.env_examples import missing_env_files
from devinit.config.env_files import EXAMPLES
from devinit.config.load import load


def said(root: Path) -> list[str]:
    return [*missing_env_files(root, [root / "backend"])]


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    folder = tmp_path / "backend"
    folder.mkdir()
    return folder


class TestAnExample:
    @pytest.mark.parametrize("name", EXAMPLES)
    def test_is_to_be_copied(self, backend: Path, name: str) -> None:
        (backend / name).write_text("DEBUG=1\n")

        target = (
            name.removesuffix(".example")
            if name in {".env.local.example", ".env.development.example"}
            else ".env"
        )
        assert said(backend.parent) == [
            f"backend/{target} is missing; `cp backend/{name} backend/{target}` or `devinit start --setup` makes it"
        ]

    def test_of_wrangler_is_copied_beside_a_env(self, backend: Path) -> None:
        (backend / ".env").write_text("DEBUG=1\n")
        (backend / ".dev.vars.example").write_text("JWT_SECRET=\n")

        [line] = said(backend.parent)

        assert line.startswith(
            "backend/.dev.vars is missing; `cp backend/.dev.vars.example backend/.dev.vars` or "
        )
        assert line.endswith("and these have no value in it: JWT_SECRET")

    def test_is_copied_by_a_command_that_runs_nothing_of_a_name(self, tmp_path: Path) -> None:
        folder = tmp_path / "a $(touch x)"
        folder.mkdir()
        (folder / ".env.example").write_text("DEBUG=1\n")

        [line] = missing_env_files(tmp_path, [folder])

        assert "`cp 'a $(touch x)/.env.example' 'a $(touch x)/.env'`" in line

    def test_names_the_secrets_that_have_no_value(self, backend: Path) -> None:
        (backend / ".env.example").write_text(
            "SECRET_KEY=\nAPI_KEY=<your key>\nTOKEN='changeme' # later\nPORT=\nDB_PASSWORD=postgres\n"
        )

        assert said(backend.parent)[0].endswith("and these have no value in it: SECRET_KEY, API_KEY, TOKEN")

    def test_names_the_values_of_which_a_part_is_left_open(self, backend: Path) -> None:
        (backend / ".env.example").write_text(
            "CONNECTION_STRING=Host=<your-host>;Database=<your-db>\nTEMPLATE=<b>{name}</b>\nLIMIT=a < b\n"
            'DATABASE_URL="postgresql://app:<password>@db.<region>.example.com/shop"\n'
        )

        assert said(backend.parent)[0].endswith(
            "and these have no value in it: CONNECTION_STRING, DATABASE_URL"
        )

    @pytest.mark.parametrize("name", [".env", ".env.local", ".env.development"])
    def test_is_nothing_to_say_beside_a_file(self, backend: Path, name: str) -> None:
        (backend / ".env.example").write_text("DEBUG=1\n")
        (backend / name).touch()

        assert said(backend.parent) == []

    def test_out_of_the_repository_is_not_read(
        self, backend: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        other = tmp_path_factory.mktemp("other") / "example"
        other.write_text("SECRET_KEY=\n")
        (backend / ".env.example").symlink_to(other)

        assert said(backend.parent) == []


class TestAProjectWithAFile:
    @pytest.mark.parametrize("detects", ["true", "false"])
    def test_says_it_as_well(self, backend: Path, detects: str) -> None:
        (backend / ".env.example").write_text("SECRET_KEY=\n")
        (backend.parent / "devinit.toml").write_text(
            f'[project]\ndetect = {detects}\n[services.api]\ncommand = "./serve"\ndirectory = "backend"\n'
        )

        assert load(backend.parent).notes == (
            (
                "backend/.env is missing; `cp backend/.env.example backend/.env` or `devinit start --setup` makes it, and "
                "these have no value in it: SECRET_KEY"
            ),
        )

    def test_does_not_say_it_of_a_service_that_names_another_file(self, backend: Path) -> None:
        (backend / ".env.example").write_text("SECRET_KEY=\n")
        (backend.parent / "settings").touch()
        (backend.parent / "devinit.toml").write_text(
            '[services.api]\ncommand = "./serve"\ndirectory = "backend"\nenv_file = "settings"\n'
        )

        assert load(backend.parent).notes == ()

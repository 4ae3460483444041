"""Specifies that devinit follows no link out of a repository by itself, and names what it passes over."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.detected import detect
from devinit.config.load import load
from devinit.config.shown import root_shown_by
from devinit.errors import NoProject
from devinit.model.service import Project
from devinit.supervisor.events import Broadcaster
from devinit.supervisor.project.project_state import ProjectState
from devinit.system.bounds import bounds_of

Write = Callable[..., Path]
API = "from fastapi import FastAPI\napp = FastAPI()\n"
VITE = json.dumps({"scripts": {"dev": "vite"}, "dependencies": {"pg": "8"}})


@pytest.fixture
def other(root: Path) -> Path:
    """Another project beside the checkout, with everything that detection knows."""
    folder = root.parent / "other-project"
    for name in ("backend/main.py", "frontend/package.json", "package.json", ".env", "prisma/schema.prisma"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / "backend" / "main.py").write_text(API)
    (folder / "backend" / "requirements.txt").write_text("fastapi\nasyncpg\nredis\n")
    (folder / "frontend" / "package.json").write_text(VITE)
    (folder / "package.json").write_text(VITE)
    (folder / ".env").write_text("DATABASE_URL=postgresql://u:hunter2@localhost/other\nSTOLEN=yes\n")
    (folder / "prisma" / "schema.prisma").write_text(
        'provider = "postgresql"\nurl = "postgresql://u:p@h/d"\n'
    )
    return folder


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", folder, *words], check=True)


class TestALinkOutOfTheRepository:
    def test_in_the_place_of_a_service_folder_is_no_service_and_is_named(
        self, root: Path, other: Path
    ) -> None:
        (root / "backend").symlink_to("../other-project/backend")
        (root / "frontend").symlink_to(other / "frontend")

        project = detect(root)

        assert project.services == {}
        assert project.notes == tuple(
            f"{name} is a link to {other / name}, outside of the project, and was not followed; "
            f'a [services.NAME] with `directory = "{name}"` in devinit.toml uses it'
            for name in ("backend", "frontend")
        )

    @pytest.mark.parametrize("name", [".devinit", ".vscode"])
    def test_in_the_place_of_a_hidden_folder_is_not_named_which_no_service_lies_in(
        self, root: Path, other: Path, name: str
    ) -> None:
        (root / name).symlink_to(other)

        assert detect(root).notes == ()

    @pytest.mark.parametrize(
        ("name", "target"),
        [
            (".env", ".env"),
            (".env.local", ".env"),
            ("package.json", "package.json"),
            ("requirements.txt", "backend/requirements.txt"),
            ("backend/requirements.txt", "backend/requirements.txt"),
            ("backend/main.py", "backend/main.py"),
            ("backend/.env", ".env"),
            ("prisma/schema.prisma", "prisma/schema.prisma"),
            ("frontend/package.json", "frontend/package.json"),
        ],
    )
    def test_in_the_place_of_a_file_shows_nothing_and_is_named(
        self, root: Path, other: Path, name: str, target: str
    ) -> None:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).symlink_to(other / target)

        project = detect(root)

        assert project.services == {}
        assert any(note.startswith(f"{name} is a link to {other / target}, ") for note in project.notes)

    @pytest.mark.parametrize("name", ["prisma", "requirements"])
    def test_in_the_place_of_a_folder_with_settings_shows_nothing(
        self, root: Path, other: Path, name: str
    ) -> None:
        (other / "requirements").mkdir()
        (other / "requirements" / "base.txt").write_text("asyncpg\n")
        (root / name).symlink_to(other / name)

        assert detect(root).services == {}

    def test_to_installed_packages_is_not_worth_a_note(self, root: Path, other: Path) -> None:
        (other / "node_modules").mkdir()
        (root / "node_modules").symlink_to(other / "node_modules")

        assert detect(root).notes == ()

    def test_is_named_where_there_is_nothing_else_to_start(self, root: Path, other: Path) -> None:
        (root / "backend").symlink_to("../other-project/backend")

        with pytest.raises(NoProject) as caught:
            load(Path(root_shown_by(str(root))))

        assert 'directory = "backend"' in (caught.value.hint or "")


class TestALinkInsideTheRepository:
    def test_to_another_part_of_a_monorepo_is_followed(self, root: Path, write: Write) -> None:
        write("services/api/main.py", API)
        (root / "apps" / "shop").mkdir(parents=True)
        (root / "apps" / "shop" / "backend").symlink_to("../../services/api")
        git(root, "init", "--quiet")

        assert list(detect(root / "apps" / "shop").services) == ["backend"]

    def test_is_followed_in_a_checkout_that_is_reached_by_a_link(self, root: Path, write: Write) -> None:
        write("api/main.py", API)
        (root / "backend").symlink_to("api")
        (root.parent / "way").symlink_to(root)

        assert list(detect(root.parent / "way").services) == ["backend"]

    def test_is_not_followed_into_the_files_of_git(self, root: Path) -> None:
        git(root, "init", "--quiet")
        (root / ".env").symlink_to(".git/config")

        assert not bounds_of(root).holds(root / ".env")


class TestALinkedWorktree:
    def test_may_link_to_the_files_of_its_main_checkout(self, root: Path, write: Write) -> None:
        write(".env", "REDIS_URL=redis://localhost\n")
        git(root, "init", "--quiet")
        git(root, "commit", "--quiet", "--allow-empty", "--message=first")
        git(root, "worktree", "add", "--quiet", "../shop-feature")
        feature = root.parent / "shop-feature"
        (feature / ".env").symlink_to("../shop/.env")

        assert list(detect(feature).services) == ["redis"]

    def test_that_an_archive_pretends_to_be_is_none(self, root: Path, write: Write, other: Path) -> None:
        git(other, "init", "--quiet")
        write(".git", "gitdir: forged\n")
        write("forged/HEAD", "ref: refs/heads/main\n")
        write("forged/commondir", f"{other}/.git\n")
        (root / ".env").symlink_to(other / ".env")

        assert detect(root).services == {}


class TestARepositoryThatContainsTheHomeDirectory:
    def test_sets_no_bounds(self, root: Path, other: Path) -> None:
        git(root.parent, "init", "--quiet")
        (root / "backend").symlink_to("../other-project/backend")

        assert detect(root).services == {}


class TestAnEnvFile:
    def given(self, root: Path, project: Project) -> str | None:
        stage = ProjectState(root, Broadcaster())
        stage.configure(project, {})
        return stage.environment_of(project.services["web"]).get("STOLEN")

    def test_that_leads_out_is_given_to_no_service_and_named(
        self, root: Path, other: Path, loaded: Callable[[str], Project]
    ) -> None:
        (root / ".env").symlink_to(other / ".env")

        project = loaded('[services.web]\ncommand = "true"')

        assert self.given(root, project) is None
        [note] = project.notes
        assert note == (
            f".env is a link to {other / '.env'}, outside of the project, and was not followed; "
            '`env_file = ".env"` of a service in devinit.toml gives it to that service'
        )

    def test_that_leads_out_is_given_to_a_service_that_names_it(
        self, root: Path, other: Path, loaded: Callable[[str], Project]
    ) -> None:
        (root / ".env").symlink_to(other / ".env")

        project = loaded('[services.web]\ncommand = "true"\nenv_file = ".env"')

        assert self.given(root, project) == "yes"
        assert project.notes == ()

    def test_lies_in_a_folder_that_devinit_toml_names_wherever_that_is(
        self, root: Path, other: Path, loaded: Callable[[str], Project]
    ) -> None:
        (root / "web").symlink_to(other)

        project = loaded('[services.web]\ncommand = "true"\ndirectory = "web"')

        assert self.given(root, project) == "yes"
        assert project.notes == ()

"""Specifies `devinit.config.shown`: which project a folder shows, and what is said where it shows none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.absence import APPLICATIONS, DATABASES
from devinit.config.shown import root_shown_by
from devinit.errors import NoProject

Write = Callable[..., Path]


def refusal(folder: Path) -> tuple[str, str]:
    """Return what is said about a folder that shows no project: message and hint."""
    with pytest.raises(NoProject) as caught:
        root_shown_by(str(folder))
    return caught.value.message, caught.value.hint or ""


class TestTheProjectOfAFolder:
    def test_is_the_one_that_it_lies_in(self, root: Path, write: Write) -> None:
        write("devinit.toml")
        inside = write("tools/requirements.txt", "redis").parent

        assert root_shown_by(str(inside)) == str(root)

    def test_is_the_folder_itself_when_detection_finds_something_in_it(
        self, root: Path, write: Write
    ) -> None:
        write("requirements.txt", "asyncpg")

        assert root_shown_by(str(root)) == str(root)

    def test_is_the_top_of_its_repository_when_detection_finds_something_there(
        self, root: Path, write: Write
    ) -> None:
        write(".git/HEAD")
        write("requirements.txt", "asyncpg")

        assert root_shown_by(str(write("app/main.py").parent)) == str(root)

    def test_is_not_a_folder_above_it_for_a_trace_of_a_database_alone(self, root: Path, write: Write) -> None:
        write("requirements.txt", "asyncpg")

        assert refusal(write("app/main.py").parent)

    @pytest.mark.parametrize("folder", ["apps/web", "apps/web/src", "apps"])
    def test_is_all_of_the_repository_in_the_folder_of_one_of_its_programs(
        self, root: Path, write: Write, folder: str
    ) -> None:
        write(".git/HEAD")
        write("apps/web/package.json", '{"scripts": {"dev": "vite"}}')
        write("apps/web/src/main.ts")
        write("apps/api/main.py", "from fastapi import FastAPI\napp = FastAPI()\n")

        assert root_shown_by(str(root / folder)) == str(root)

    def test_is_the_folder_itself_when_the_top_shows_programs_elsewhere(
        self, root: Path, write: Write
    ) -> None:
        write(".git/HEAD")
        write("web/package.json", '{"scripts": {"dev": "vite"}}')
        folder = write("examples/shop/main.py", "from fastapi import FastAPI\napp = FastAPI()\n").parent

        assert root_shown_by(str(folder)) == str(folder)

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
    def test_is_the_folder_whose_devinit_toml_has_to_be_refused_by_name(
        self, root: Path, make: Callable[[Path], None]
    ) -> None:
        make(root / "devinit.toml")

        assert root_shown_by(str(root)) == str(root)

    def test_is_found_past_a_fifo_that_has_the_name_of_a_file(self, root: Path, write: Write) -> None:
        os.mkfifo(root / ".env")
        os.mkfifo(root / "pyproject.toml")
        write("requirements.txt", "asyncpg")

        assert root_shown_by(str(root)) == str(root)


class TestAFolderWithoutAProject:
    def test_is_told_with_what_was_looked_for_and_where(self, root: Path, write: Write) -> None:
        folder = write("notes/todo.txt").parent

        message, hint = refusal(folder)

        assert message == f"there is no project in {folder} or above it"
        assert hint.splitlines() == [
            f"looked for devinit.toml, in every folder up to {root.parent}",
            *(f"  {each}" for each in APPLICATIONS),
            f"  {DATABASES[0]}",
            "`devinit init` writes a devinit.toml to begin with",
        ]

    def test_is_told_that_its_repository_is_no_part_of_the_project_around_it(
        self, root: Path, write: Write
    ) -> None:
        write("devinit.toml")
        folder = write("library/.git/HEAD").parent.parent

        _, hint = refusal(folder)

        assert f"up to {folder}" in hint
        assert f"{root} is a project, and {folder} is a git repository of its own" in hint
        assert f"`devinit -C {root} …` works on the project" in hint

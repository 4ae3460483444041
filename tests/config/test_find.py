from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.find import find_root, find_root_as_text
from devinit.system.checkout import claim


class TestAConfiguredProject:
    def test_is_found_from_its_folder(self, root: Path, write: Callable[..., Path]) -> None:
        write("devinit.toml")

        assert find_root(root) == root

    def test_is_found_from_anywhere_inside(self, root: Path, write: Callable[..., Path]) -> None:
        write("devinit.toml")
        inside = write("backend/app/main.py").parent

        assert find_root(inside) == root

    def test_that_is_nearer_wins(self, root: Path, write: Callable[..., Path]) -> None:
        write("devinit.toml")
        nearer = write("packages/admin/devinit.toml").parent

        assert find_root(nearer) == nearer

    def test_wins_over_folders_that_look_like_a_project(self, root: Path, write: Callable[..., Path]) -> None:
        write("devinit.toml")
        inside = write("tools/backend/main.py").parent

        assert find_root(inside) == root

    def test_is_found_around_a_service_with_a_repository_of_its_own(
        self, root: Path, write: Callable[..., Path]
    ) -> None:
        write("devinit.toml")
        inside = write("backend/.git/HEAD").parent.parent

        assert find_root(inside) == root

    def test_is_found_when_the_file_cannot_be_read(self, root: Path) -> None:
        (root / "devinit.toml").symlink_to(root / "nowhere")

        assert find_root(root) == root

    def test_keeps_the_name_of_the_link_that_leads_to_it(
        self, root: Path, tmp_path: Path, write: Callable[..., Path]
    ) -> None:
        write("devinit.toml")
        link = tmp_path / "link"
        link.symlink_to(root)

        assert find_root(link) == link


class TestAProjectWithoutAFile:
    def test_is_the_folder_that_holds_backend(self, root: Path, write: Callable[..., Path]) -> None:
        inside = write("backend/app/main.py").parent

        assert find_root(inside) == root

    def test_is_the_folder_that_holds_frontend(self, root: Path, write: Callable[..., Path]) -> None:
        inside = write("frontend/src/main.tsx").parent

        assert find_root(inside) == root

    def test_is_not_the_backend_folder_of_a_django_project_named_backend(
        self, root: Path, write: Callable[..., Path]
    ) -> None:
        settings = write("backend/backend/settings.py").parent

        assert find_root(settings) == root
        assert find_root(settings.parent) == root

    def test_is_the_folder_where_services_were_started(self, root: Path, write: Callable[..., Path]) -> None:
        (Path(claim(root)) / "state.json").touch()
        inside = write("src/main.py").parent

        assert find_root(inside) == root

    def test_is_found_around_a_service_with_a_repository_of_its_own(
        self, root: Path, write: Callable[..., Path]
    ) -> None:
        write("frontend/package.json")
        inside = write("backend/.git/HEAD").parent.parent

        assert find_root(inside) == root

    def test_is_not_any_folder_around_another_repository(
        self, root: Path, write: Callable[..., Path]
    ) -> None:
        write("backend/main.py")
        other = write("other/.git/HEAD").parent.parent

        assert find_root(other) is None


class TestTheSearch:
    def test_finds_nothing_where_nothing_is(self, root: Path) -> None:
        assert find_root(root) is None

    def test_ends_at_the_home_directory(
        self, root: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("devinit.toml")
        inside = write("home/project/x").parent
        monkeypatch.setenv("HOME", str(inside.parent))

        assert find_root(inside) is None

    def test_takes_spaces_and_letters_of_any_language(self, root: Path, write: Callable[..., Path]) -> None:
        inside = write("Mein Lädchen 店/devinit.toml").parent

        assert find_root(inside) == inside

    def test_answers_as_text_for_those_who_have_no_time(self, root: Path, write: Callable[..., Path]) -> None:
        inside = write("backend/main.py").parent

        assert find_root_as_text(str(inside)) == str(root)

    def test_imports_nothing_heavy(self) -> None:
        checkout = str(Path(__file__).parents[2])
        program = (
            f"import sys; sys.path.insert(0, {checkout!r}); from devinit.config.find import find_root_as_text;"
            f"find_root_as_text({checkout!r});"
            "print(*{'msgspec', 'pathlib', 're', 'tomllib', 'typing'} & sys.modules.keys())"
        )

        # Without site (-S), which may import some of these for the environment's own reasons.
        loaded = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program], capture_output=True, check=True, text=True
        )

        assert loaded.stdout.strip() == ""

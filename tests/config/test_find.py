from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.find import find_root_as_text
from devinit.system.checkout import claim
from devinit.system.repository import is_repository
from tests.system.conftest import NOBODY, Unprivileged, shared_folder, unprivileged

__all__ = ["shared_folder", "unprivileged"]

SOMEBODY = 12345
"""The number of a user other than root and nobody."""

RUNNING = '{"version":1,"root":"/shop","services":{"web":{"service":{"name":"web"}}},"moments":{}}'
STOPPED = '{"version":1,"root":"/shop","services":{},"moments":{}}'
BACKEND = '[services.backend]\ncommand = "serve"\ndirectory = "backend"\n'


def on_record(folder: Path, text: str) -> None:
    """Leave a record of what runs in a folder, as a supervisor does."""
    folder.mkdir(parents=True, exist_ok=True)
    Path(claim(folder), "state.json").write_bytes(text.encode(errors="surrogateescape"))


def find_root(start: Path) -> Path | None:
    """Return the project of a folder as a path."""
    root = find_root_as_text(start)
    return None if root is None else Path(root)


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
        write("devinit.toml", BACKEND)
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
        on_record(root, RUNNING)
        assert find_root(settings) == root
        assert find_root(settings.parent) == root

    def test_is_the_folder_where_services_were_started(self, root: Path, write: Callable[..., Path]) -> None:
        on_record(root, RUNNING)
        inside = write("src/main.py").parent

        assert find_root(inside) == root


class TestARecordOfWhatRuns:
    @pytest.mark.parametrize("record", [STOPPED, "", "{}", "oops", "\udcff", '{"services":{}}'])
    def test_without_services_captures_nothing(
        self, root: Path, write: Callable[..., Path], record: str
    ) -> None:
        on_record(root, record)
        inside = write("src/main.py").parent

        assert find_root(inside) is None
        assert find_root(root) is None

    def test_above_is_further_away_than_the_folders_own_backend(
        self, root: Path, write: Callable[..., Path]
    ) -> None:
        on_record(root, RUNNING)
        nearer = write("other/backend/main.py").parent.parent

        assert find_root(nearer) == nearer

    def test_is_nearer_than_a_file_above_it(self, root: Path, write: Callable[..., Path]) -> None:
        write("devinit.toml")
        nearer = root / "other"
        on_record(nearer, RUNNING)

        assert find_root(nearer) == nearer

    def test_is_not_waited_for_when_it_is_a_fifo(self, root: Path) -> None:
        os.mkfifo(Path(claim(root), "state.json"))

        assert find_root(root) is None

    @pytest.mark.parametrize("record", [RUNNING, STOPPED])
    def test_that_came_with_a_repository_is_none(
        self, root: Path, write: Callable[..., Path], record: str
    ) -> None:
        write(".devinit/state.json", record)

        assert find_root(write("src/main.py").parent) is None


class TestAGitRepository:
    @pytest.mark.parametrize("kind", ["devinit.toml", "a record", "frontend/package.json"])
    @pytest.mark.parametrize("marker", [".git/HEAD", ".git"])
    def test_is_not_captured_by_a_folder_around_it(
        self, root: Path, write: Callable[..., Path], kind: str, marker: str
    ) -> None:
        if kind == "a record":
            on_record(root, RUNNING)
        else:
            write(kind)
        write(f"backend/{marker}")

        assert find_root(root) is not None
        assert find_root(root / "backend") is None
        assert find_root(write("backend/app/main.py").parent) is None

    @pytest.mark.parametrize(
        "text",
        [
            BACKEND,
            'services.backend = { command = "x", directory = "./backend/" }',
            "[services.a]\ndirectory = 'backend/app'",
            '[services.a]\n[profiles.ci.services.a]\ndirectory = "backend"',
            '[services.a]\ndirectory = "link"',
        ],
    )
    def test_belongs_to_the_project_above_it_that_has_a_service_in_it(
        self, root: Path, write: Callable[..., Path], text: str
    ) -> None:
        write("devinit.toml", text)
        write("backend/.git/HEAD")
        (root / "link").symlink_to("backend")

        assert find_root(write("backend/app/main.py").parent) == root

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[services.",
            '[services.a]\ncommand = "cd backend && serve"',
            '[services.a]\ndirectory = "backend-2"',
            '[services.a]\ndirectory = "."',
            '# directory = "backend"',
            "[services.a]\ndirectory = 7",
            "services = 'directory'",
            'directory = "backend"',
            "a = " + "[" * 5000 + " # directory",
        ],
    )
    def test_does_not_belong_to_one_that_has_none_in_it(self, write: Callable[..., Path], text: str) -> None:
        write("devinit.toml", text)

        assert find_root(write("backend/.git/HEAD").parent.parent) is None

    def test_wins_over_the_project_above_it_with_a_file_of_its_own(
        self, root: Path, write: Callable[..., Path]
    ) -> None:
        write("devinit.toml", BACKEND)
        write("backend/.git/HEAD")
        own = write("backend/devinit.toml").parent

        assert find_root(own) == own

    def test_named_backend_may_have_a_backend_of_its_own(
        self, root: Path, write: Callable[..., Path]
    ) -> None:
        write("frontend/package.json")
        write("backend/.git/HEAD")
        write("backend/backend/settings.py")

        assert find_root(root / "backend") == root / "backend"

    def test_is_one_when_git_takes_it_for_one(self, root: Path, write: Callable[..., Path]) -> None:
        assert not is_repository(str(root))
        (root / ".git").mkdir()
        assert not is_repository(str(root))
        write(".git/HEAD")
        assert is_repository(str(root))

    def test_is_none_that_is_a_fifo(self, root: Path, write: Callable[..., Path]) -> None:
        write("devinit.toml")
        (root / "inside").mkdir()
        os.mkfifo(root / "inside" / ".git")

        assert find_root(root / "inside") == root


class TestADevinitTomlThatIsNoFile:
    def test_captures_nothing_and_is_not_waited_for(self, root: Path, write: Callable[..., Path]) -> None:
        os.mkfifo(root / "devinit.toml")
        (root / "inside" / "devinit.toml").mkdir(parents=True)
        inside = write("inside/deeper/x").parent

        assert find_root(inside) is None

    def test_leaves_a_folder_with_a_backend_to_be_a_project(
        self, root: Path, write: Callable[..., Path]
    ) -> None:
        os.mkfifo(root / "devinit.toml")
        nearer = write("other/backend/main.py").parent.parent

        assert find_root(nearer) == nearer

    def test_names_no_repository(self, root: Path, write: Callable[..., Path]) -> None:
        (root / "devinit.toml").symlink_to("held")
        os.mkfifo(root / "held")

        assert find_root(write("backend/.git/HEAD").parent.parent) is None


class TestAFolderOfAllUsers:
    def test_captures_nothing_below_it(self, root: Path, write: Callable[..., Path]) -> None:
        write("devinit.toml", BACKEND)
        inside = write("backend/main.py").parent
        root.chmod(0o1777)

        assert find_root(inside) is None
        assert find_root(root) == root

    def test_captures_nothing_when_files_of_others_may_be_deleted_in_it_as_well(
        self, root: Path, write: Callable[..., Path]
    ) -> None:
        write("devinit.toml", BACKEND)
        inside = write("backend/main.py").parent
        root.chmod(0o777)

        assert find_root(inside) is None

    def test_captures_nothing_through_a_link_to_it(
        self, root: Path, write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        write("devinit.toml", BACKEND)
        write("backend/main.py")
        root.chmod(0o1777)
        link = tmp_path_factory.mktemp("links") / "shared"
        link.symlink_to(root)

        assert find_root(link / "backend") is None

    def test_is_a_project_as_before_on_a_disk_without_rights(
        self, root: Path, write: Callable[..., Path]
    ) -> None:
        write("devinit.toml", BACKEND)
        inside = write("backend/main.py").parent
        for folder in (root, inside):
            folder.chmod(0o777)

        assert find_root(inside) == root


class TestAFolderOfAnotherUser:
    """The folder is another user's; a folder in it may be ours."""

    pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can make another user's folder")

    def test_captures_nothing_below_it_that_is_ours(
        self, shared_folder: Path, unprivileged: Unprivileged
    ) -> None:
        theirs = shared_folder / "theirs"
        (theirs / "ours").mkdir(parents=True)
        (theirs / "devinit.toml").write_text(BACKEND)
        os.chown(theirs, SOMEBODY, SOMEBODY)
        os.chown(theirs / "ours", NOBODY, NOBODY)

        assert unprivileged(lambda: find_root_as_text(theirs / "ours")) is None

    def test_is_a_project_from_within_their_own_folders(
        self, shared_folder: Path, unprivileged: Unprivileged
    ) -> None:
        theirs = shared_folder / "theirs"
        (theirs / "backend").mkdir(parents=True)
        (theirs / "devinit.toml").write_text(BACKEND)
        for folder in (theirs, theirs / "backend"):
            os.chown(folder, SOMEBODY, SOMEBODY)

        assert unprivileged(lambda: find_root_as_text(theirs / "backend")) == str(theirs)


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

"""Specifies which git checkout a folder belongs to, with repositories that git itself made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devinit.system.worktrees import Worktree, lists, worktree_of

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git, which makes the checkouts")

AUTHOR = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")


def git(folder: Path, *words: str) -> str:
    command = ["git", *AUTHOR, "-C", str(folder), *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a repository with one commit, on the branch main."""
    path = tmp_path / "shop"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    git(path, "commit", "--quiet", "--allow-empty", "--message=first")
    return path


@pytest.fixture
def feature(shop: Path) -> Path:
    """Return a linked worktree of it, on a branch with a slash."""
    path = shop.parent / "shop-feature"
    git(shop, "worktree", "add", "--quiet", "-b", "feat/cart", str(path))
    return path


class TestAMainCheckout:
    def test_is_known_by_its_top_and_branch(self, shop: Path) -> None:
        assert worktree_of(shop) == Worktree(str(shop), "main", linked=False, main_top=str(shop))

    def test_is_found_from_a_folder_inside(self, shop: Path) -> None:
        inside = shop / "backend" / "app"
        inside.mkdir(parents=True)

        assert worktree_of(inside) == worktree_of(shop)

    def test_is_found_from_a_folder_that_is_gone(self, shop: Path) -> None:
        assert worktree_of(shop / "gone") == worktree_of(shop)

    def test_is_found_through_a_symbolic_link(self, shop: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(shop)

        assert worktree_of(tmp_path / "link") == worktree_of(shop)

    def test_without_a_branch_is_told_by_its_commit(self, shop: Path) -> None:
        commit = git(shop, "rev-parse", "HEAD")
        git(shop, "checkout", "--quiet", "--detach")

        found = worktree_of(shop)

        assert found is not None
        assert found.branch == commit[:10]

    def test_without_a_commit_has_a_branch_already(self, tmp_path: Path) -> None:
        git(tmp_path, "init", "--quiet", "--initial-branch=trunk")

        found = worktree_of(tmp_path)

        assert found is not None
        assert found.branch == "trunk"

    def test_may_keep_its_references_in_a_way_that_is_not_read(self, shop: Path) -> None:
        (shop / ".git" / "HEAD").write_text("ref: refs/heads/.invalid\n")  # git init --ref-format=reftable

        assert worktree_of(shop) == Worktree(str(shop), None, linked=False, main_top=str(shop))


class TestALinkedWorktree:
    def test_names_the_main_checkout(self, shop: Path, feature: Path) -> None:
        assert worktree_of(feature) == Worktree(str(feature), "feat/cart", linked=True, main_top=str(shop))

    def test_inside_the_main_checkout_is_a_checkout_of_its_own(self, shop: Path) -> None:
        inside = shop / ".worktrees" / "fix"
        git(shop, "worktree", "add", "--quiet", "-b", "fix", str(inside))

        assert worktree_of(inside) == Worktree(str(inside), "fix", linked=True, main_top=str(shop))

    def test_may_be_linked_with_relative_paths(self, feature: Path) -> None:
        before = worktree_of(feature)
        pointer = (feature / ".git").read_text().removeprefix("gitdir: ").strip()
        (feature / ".git").write_text(f"gitdir: {os.path.relpath(pointer, feature)}\n")

        assert worktree_of(feature) == before

    def test_of_a_bare_repository_has_no_main_checkout(self, shop: Path, tmp_path: Path) -> None:
        bare, path = tmp_path / "shop.git", tmp_path / "work"
        git(tmp_path, "clone", "--quiet", "--bare", str(shop), str(bare))
        git(bare, "worktree", "add", "--quiet", "-b", "work", str(path))

        assert worktree_of(path) == Worktree(str(path), "work", linked=True, main_top=None)


class TestASubmodule:
    def test_is_the_main_checkout_of_its_own_repository(self, shop: Path, tmp_path: Path) -> None:
        whole = tmp_path / "whole"
        whole.mkdir()
        git(whole, "init", "--quiet")
        git(whole, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(shop), "shop")
        top = whole / "shop"

        assert worktree_of(top) == Worktree(str(top), "main", linked=False, main_top=str(top))


class TestAFolderThatIsNoCheckout:
    def test_belongs_to_none(self, tmp_path: Path) -> None:
        assert worktree_of(tmp_path) is None

    def test_may_hold_an_empty_git_folder(self, shop: Path) -> None:
        (shop / "odd" / ".git").mkdir(parents=True)

        assert worktree_of(shop / "odd") == worktree_of(shop)

    def test_may_hold_a_file_that_leads_nowhere(self, tmp_path: Path) -> None:
        (tmp_path / ".git").write_text("gitdir: /nowhere/at/all\n")

        assert worktree_of(tmp_path) is None

    @pytest.mark.parametrize("text", [b"gitdir: a\0b\n", b"gitdir: " + bytes(64), bytes(64)])
    def test_may_hold_a_file_that_a_power_cut_left_full_of_zeros(self, tmp_path: Path, text: bytes) -> None:
        (tmp_path / ".git").write_bytes(text)

        assert worktree_of(tmp_path) is None


class TestZerosInThePlaceOfAText:
    """A power cut leaves them in files that git had just written."""

    def test_tell_no_branch(self, shop: Path) -> None:
        (shop / ".git" / "HEAD").write_bytes(bytes(21))

        assert worktree_of(shop) is None

    def test_tell_no_main_checkout(self, shop: Path) -> None:
        (shop / ".git" / "commondir").write_bytes(bytes(6))

        assert worktree_of(shop) == Worktree(str(shop), "main", linked=False, main_top=str(shop))

    def test_name_no_linked_worktree(self, shop: Path, feature: Path) -> None:
        (shop / ".git" / "worktrees" / "shop-feature" / "gitdir").write_bytes(bytes(40))

        assert not lists(str(shop), str(feature))


class TestAsking:
    def test_loads_nothing_heavy(self) -> None:
        program = (
            "import sys; import devinit.system.worktrees; "
            "print({'pathlib', 'subprocess', 'msgspec', 'psutil', 'asyncio'} & set(sys.modules))"
        )

        found = subprocess.run(
            [sys.executable, "-S", "-c", program], check=True, capture_output=True, text=True
        )

        assert found.stdout.strip() == "set()"

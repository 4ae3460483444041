"""Specifies `devinit.supervisor.files.patterns`: which files a pattern means."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devinit.supervisor.files.patterns import files_of
from tests.places import deep


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.yml", ".hidden.yml", "x/b.yml", "x/y/c.yml", "x/y/z/d.txt", "q/y/e.yml"):
        (path := tmp_path / "top" / name).parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "above.yml").touch()
    (tmp_path / "top" / "link").symlink_to(tmp_path / "top" / "x")
    return tmp_path / "top"


class TestAPattern:
    @pytest.mark.parametrize(
        "pattern",
        [
            "a.yml", "none.yml", "x", "*.yml", "*/*.yml", "**/*.yml", "x/**/*.yml", "**/y/*", "**/y/**/*.txt",
            "**/**/*.yml", "../*.yml", "../above.yml", "x/../*.yml", "link/*.yml", "l*/*.yml", "[ax]*/*.yml", "?/y/*",
            "./x/*.yml", "**/link/*.yml",
        ],
    )  # fmt: skip
    def test_means_the_files_that_it_means_to_pathlib(self, folder: Path, pattern: str) -> None:
        expected = {path for path in folder.glob(pattern) if path.is_file()}

        assert sorted(files_of(pattern, folder, folder)) == sorted(expected)

    def test_means_no_name_that_is_not_utf_8(self, folder: Path) -> None:
        """The record of a set-up could not hold it."""
        (folder / "x" / os.fsdecode(b"caf\xe9.yml")).touch()

        assert [path.name for path in files_of("x/*.yml", folder, folder)] == ["b.yml"]

    def test_that_ends_with_any_folders_means_all_files_in_them(self, folder: Path) -> None:
        assert sorted(path.name for path in files_of("x/**", folder, folder)) == ["b.yml", "c.yml", "d.txt"]

    @pytest.mark.parametrize("pattern", ["*/*.yml", "l*/x/*.yml", "?*/**/*.yml", "x/*.yml"])
    def test_means_no_file_behind_a_link_out_of_the_repository(self, folder: Path, pattern: str) -> None:
        for name in ("outside/secret.yml", "outside/x/secret.yml"):
            (path := folder.parent / name).parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        (folder / "link").unlink()
        (folder / "link").symlink_to(folder.parent / "outside")
        (folder / "x" / "linked.yml").symlink_to(folder.parent / "outside" / "secret.yml")

        found = [path.name for path in files_of(pattern, folder, folder)]

        assert "secret.yml" not in found
        assert "linked.yml" not in found

    @pytest.mark.timeout(120)
    def test_of_many_times_any_folders_is_searched_once(self, tmp_path: Path) -> None:
        with deep(tmp_path, 150):
            assert list(files_of("**/" * 30 + "zz", tmp_path, tmp_path)) == []

    def test_is_not_searched_deeper_than_anyone_works(self, tmp_path: Path) -> None:
        with deep(tmp_path, 1200):
            (tmp_path / "d" / "zz").touch()

            assert list(files_of("**/zz", tmp_path, tmp_path)) == [tmp_path / "d" / "zz"]

    @pytest.mark.timeout(120)
    def test_is_not_searched_for_ever_through_links_in_a_circle(self, tmp_path: Path) -> None:
        for number in range(20):
            (tmp_path / f"l{number}").symlink_to(tmp_path)

        assert list(files_of("*/" * 20 + "zz", tmp_path, tmp_path)) == []

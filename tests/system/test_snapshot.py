"""Specifies `devinit.system.snapshot`: what is looked at, and what counts as a difference."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from devinit.system import snapshot
from devinit.system.snapshot import NOTHING, Extent, TooManyEntries, differences, is_below, look_again


def extent(root: Path, *, without: str = "-") -> Extent:
    return Extent(str(root), lambda folder: without not in folder, lambda _path: True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "src" / "deep").mkdir(parents=True)
    for name in ("top.py", "src/a.py", "src/deep/b.py"):
        (tmp_path / name).write_text(name)
    return tmp_path


class TestALook:
    def test_sees_every_file_and_folder(self, root: Path) -> None:
        seen = look_again(NOTHING, {""}, (), extent(root))

        assert seen.files.keys() == {"top.py", "src/a.py", "src/deep/b.py"}
        assert seen.folders == {"", "src", "src/deep"}

    def test_leaves_out_what_is_not_reached(self, root: Path) -> None:
        seen = look_again(NOTHING, {""}, (), extent(root, without="deep"))

        assert seen.files.keys() == {"top.py", "src/a.py"}

    def test_passes_over_names_that_are_not_utf_8(self, root: Path) -> None:
        """The library that watches would refuse all folders for one of them."""
        odd = root / os.fsdecode(b"caf\xe9")
        odd.mkdir()
        (odd / "a.py").touch()
        (root / os.fsdecode(b"caf\xe9.py")).touch()

        seen = look_again(NOTHING, {""}, (), extent(root))

        assert seen.files.keys() == {"top.py", "src/a.py", "src/deep/b.py"}
        assert seen.folders == {"", "src", "src/deep"}

    def test_goes_into_the_folder_of_a_link_once(self, root: Path) -> None:
        (root / "src" / "deep" / "again").symlink_to(root / "src")

        seen = look_again(NOTHING, {""}, (), extent(root))

        assert "src/deep/again/deep/b.py" in seen.files
        assert not any("again/deep/again" in path for path in seen.files)

    def test_does_not_follow_a_link_that_is_not_to_be_followed(self, root: Path) -> None:
        (root / "src" / "out").symlink_to("/")

        seen = look_again(
            NOTHING, {""}, (), Extent(str(root), lambda _: True, lambda path: path != f"{root}/src/out")
        )

        assert not any("out/" in path for path in seen.files)

    def test_of_deep_folders_ends(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for _ in range(1200):
            Path("d").mkdir()
            os.chdir("d")

        folders = look_again(NOTHING, {""}, (), extent(tmp_path)).folders
        subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # Python's own recursion ends before

        assert len(folders) == 1201

    def test_is_bounded(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(snapshot, "MOST_ENTRIES", 5)

        with pytest.raises(TooManyEntries):
            look_again(NOTHING, {""}, (), extent(root))

    def test_is_as_new_as_what_was_looked_at_again(self, root: Path) -> None:
        before = look_again(NOTHING, {""}, (), extent(root))
        for name in ("top.py", "src/a.py", "src/deep/b.py"):
            (root / name).write_text("longer than before")
        (root / "new.py").touch()

        after = look_again(before, {"src/deep"}, {"top.py"}, extent(root))

        assert differences(before, after) == {"top.py", "src/deep/b.py"}

    def test_forgets_a_folder_that_is_gone(self, root: Path) -> None:
        before = look_again(NOTHING, {""}, (), extent(root))
        (root / "src").rename(root / "lib")

        after = look_again(before, {"src"}, (), extent(root))

        assert after.files.keys() == {"top.py"}
        assert after.folders == {""}


class TestADifference:
    def test_is_a_file_that_was_replaced_by_one_of_the_same_size_and_time(self, root: Path) -> None:
        before = look_again(NOTHING, {""}, (), extent(root))
        (root / "other").write_text("top.py")
        times = (root / "top.py").stat()
        os.utime(root / "other", ns=(times.st_atime_ns, times.st_mtime_ns))
        (root / "other").replace(root / "top.py")

        assert differences(before, look_again(before, {""}, (), extent(root))) == {"top.py"}

    def test_is_not_what_stayed_as_it_was(self, root: Path) -> None:
        before = look_again(NOTHING, {""}, (), extent(root))

        assert differences(before, look_again(before, {""}, (), extent(root))) == set()


@pytest.mark.parametrize(
    ("path", "folders", "expected"),
    [
        ("src/a.py", {"src"}, True),
        ("src/deep/a.py", {"src"}, True),
        ("src", {"src"}, False),
        ("source/a.py", {"src"}, False),
        ("a.py", {""}, True),
        ("", {""}, False),
        ("a.py", set(), False),
    ],
)
def test_a_path_lies_below_a_folder(path: str, folders: set[str], expected: bool) -> None:
    assert is_below(path, folders) is expected

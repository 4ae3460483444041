"""Specifies the folder `.devinit` of a checkout on a disk without room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from devinit.errors import StateFileError
from devinit.system.own_folder import open_own_folder


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for names alone. Only root may mount one."""
    path = tmp_path / "disk"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0755", "none", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here")
    with suppress(OSError), (path / "ballast").open("ab", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


class TestAFullDisk:
    def test_is_named_and_leaves_no_empty_gitignore(self, full_disk: Path) -> None:
        with pytest.raises(StateFileError, match="No space left on device") as caught:
            open_own_folder(str(full_disk / ".devinit"))

        assert "make room on the disk" in (caught.value.hint or "")
        assert not (full_disk / ".devinit/.gitignore").exists()

    def test_that_has_room_again_gets_the_whole_file(self, full_disk: Path) -> None:
        (full_disk / ".devinit").mkdir(mode=0o700)
        (full_disk / ".devinit/.gitignore").touch()
        (full_disk / "ballast").unlink()

        os.close(open_own_folder(str(full_disk / ".devinit")))

        assert (full_disk / ".devinit/.gitignore").read_text() == "*\n"


def test_a_disk_that_is_read_only_is_named_with_the_ways_out(full_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(full_disk)], check=True)

    with pytest.raises(StateFileError, match="Read-only file system") as caught:
        open_own_folder(str(full_disk / ".devinit"))

    assert caught.value.hint == (
        "the file system is read-only: make it writable; or work in a copy of the checkout on another one"
    )


def test_a_gitignore_of_the_users_stays(tmp_path: Path) -> None:
    own = tmp_path / ".devinit"
    own.mkdir(mode=0o700)
    (own / ".gitignore").write_text("!notes\n")

    os.close(open_own_folder(str(own)))

    assert (own / ".gitignore").read_text() == "!notes\n"


def test_a_gitignore_that_is_a_link_is_not_written_through(tmp_path: Path) -> None:
    own, other = tmp_path / ".devinit", tmp_path / "other"
    own.mkdir(mode=0o700)
    other.touch()
    (own / ".gitignore").symlink_to(other)

    os.close(open_own_folder(str(own)))

    assert other.read_text() == ""

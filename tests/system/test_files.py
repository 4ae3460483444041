"""Specifies `devinit.system.files`."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.errors import StateFileError
from devinit.system.file_lock import FileLock
from devinit.system.files import read_bytes, read_text, remove_torn, write_atomically

if TYPE_CHECKING:
    from tests.system.conftest import Launcher, Unprivileged


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "devinit-test", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a tmpfs is not permitted")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


class TestWritingAFile:
    def test_replaces_the_content(self, tmp_path: Path) -> None:
        path = tmp_path / "state.json"
        path.write_text("old")

        write_atomically(path, "größer")

        assert path.read_text(encoding="utf-8") == "größer"

    def test_takes_bytes_as_they_are(self, tmp_path: Path) -> None:
        write_atomically(tmp_path / "state", b"\xff\0")

        assert (tmp_path / "state").read_bytes() == b"\xff\0"

    def test_puts_a_new_file_in_the_place_of_the_old_one(self, tmp_path: Path) -> None:
        path = tmp_path / "state.json"
        path.write_text("old")

        with path.open() as already_reading:
            write_atomically(path, "new")

            assert already_reading.read() == "old"

    def test_leaves_nothing_else_behind(self, tmp_path: Path) -> None:
        write_atomically(tmp_path / "state.json", "new")

        assert names_in(tmp_path) == ["state.json"]

    def test_is_never_readable_for_others_when_asked_for_0600(self, tmp_path: Path) -> None:
        path = tmp_path / ".env.runtime"
        path.write_text("old")
        path.chmod(0o644)

        write_atomically(path, "PASSWORD=x", mode=0o600)

        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_keeps_a_link_that_leads_to_another_place_in_the_checkout(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / ".env.runtime").symlink_to("real/env")

        write_atomically(tmp_path / ".env.runtime", "A=1", inside=tmp_path)

        assert (tmp_path / ".env.runtime").is_symlink()
        assert (tmp_path / "real" / "env").read_text() == "A=1"

    def test_works_for_a_name_of_255_bytes(self, tmp_path: Path) -> None:
        write_atomically(tmp_path / ("n" * 255), "x")

        assert read_text(tmp_path / ("n" * 255)) == "x"

    def test_is_whole_for_a_reader_at_any_moment(self, tmp_path: Path) -> None:
        path = tmp_path / "state.json"
        contents = {letter * 100_000 for letter in "abc"}
        write_atomically(path, "a" * 100_000)

        def write(content: str) -> None:
            for _ in range(20):
                write_atomically(path, content)

        writers = [threading.Thread(target=write, args=(content,)) for content in contents]
        for writer in writers:
            writer.start()
        seen = {read_text(path) for _ in range(200)}
        for writer in writers:
            writer.join()

        assert seen <= contents


class TestAFileThatCannotBeWritten:
    def test_survives_a_full_disk(self, small_disk: Path) -> None:
        path = small_disk / "state.json"
        write_atomically(path, "old")

        with pytest.raises(StateFileError, match=r"state\.json cannot be written: No space left") as caught:
            write_atomically(path, "n" * 100_000)

        assert path.read_text() == "old"
        assert names_in(small_disk) == ["state.json"]
        assert str(caught.value.hint).startswith("make room on the disk: ")
        assert str(caught.value.hint).endswith("; the file is as it was before")

    def test_survives_a_folder_that_is_not_ours(
        self, shared_folder: Path, unprivileged: Unprivileged
    ) -> None:
        path = shared_folder / "my state.json"
        path.write_text("old")
        shared_folder.chmod(0o555)

        def refused() -> tuple[str, str | None]:
            with pytest.raises(StateFileError) as caught:
                write_atomically(path, "new")
            return caught.value.message, caught.value.hint

        message, hint = unprivileged(refused)

        assert message == f"{path} cannot be written: Permission denied"
        if os.geteuid() == 0:
            assert hint == f"check who owns it: ls -ld {shared_folder} '{path}'"
        else:
            assert hint == f"give yourself the right: chmod u+rwx {shared_folder}"
        assert path.read_text() == "old"
        assert names_in(shared_folder) == ["my state.json"]

    def test_is_named_when_a_directory_has_its_name(self, tmp_path: Path) -> None:
        (tmp_path / "state.json").mkdir()

        with pytest.raises(StateFileError, match=r"state\.json is a directory, not a file") as caught:
            write_atomically(tmp_path / "state.json", "new")

        assert names_in(tmp_path) == ["state.json"]
        assert caught.value.hint == "move it away, and put a file there if needed"

    def test_is_named_when_it_is_mounted_by_itself(self, tmp_path: Path) -> None:
        """As a container's single-file bind mount is: no other file can take its place."""
        path, other = tmp_path / "ports.json", tmp_path / "other"
        path.touch()
        other.touch()
        command = ["mount", "--bind", str(other), str(path)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("nothing can be mounted here")
        try:
            with pytest.raises(StateFileError, match="busy") as caught:
                write_atomically(path, "new")
        finally:
            subprocess.run(["umount", str(path)], check=True)

        assert "it is mounted by itself" in (caught.value.hint or "")

    def test_is_named_when_its_folder_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(StateFileError, match="No such file or directory") as caught:
            write_atomically(tmp_path / "gone" / "state.json", "new")

        assert caught.value.hint == f"create its folder: mkdir -p {tmp_path}/gone"


class TestWhatARepositoryShips:
    """Under the names that devinit uses: links out of the checkout, pipes, devices."""

    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        folder = tmp_path / "shop"
        folder.mkdir()
        return folder

    @pytest.mark.parametrize("target", ["../precious.txt", "/etc/hostname", "../shop-2/file"])
    def test_a_link_out_of_the_checkout_is_neither_read_nor_replaced(
        self, checkout: Path, target: str
    ) -> None:
        precious = checkout.parent / "precious.txt"
        precious.write_text("precious")
        link = checkout / ".ports.json"
        link.symlink_to(target)

        refusal = r"\.ports\.json is a link to .*, outside of .*/shop"
        with pytest.raises(StateFileError, match=refusal):
            read_text(link, inside=checkout)
        with pytest.raises(StateFileError, match=refusal):
            write_atomically(link, "{}", inside=checkout)

        assert precious.read_text() == "precious"
        assert link.is_symlink()

    def test_a_link_is_not_followed_where_no_folder_is_named(self, checkout: Path) -> None:
        (checkout / "state.json").symlink_to("other")

        with pytest.raises(StateFileError, match=r"state\.json is a symbolic link"):
            write_atomically(checkout / "state.json", "{}")

        assert not (checkout / "other").exists()

    def test_a_named_pipe_keeps_nothing_waiting(self, checkout: Path) -> None:
        os.mkfifo(checkout / "devinit.toml")

        refusal = r"devinit\.toml is a named pipe, not a file"
        with pytest.raises(StateFileError, match=refusal):
            read_bytes(checkout / "devinit.toml")
        with pytest.raises(StateFileError, match=refusal):
            write_atomically(checkout / "devinit.toml", "x")

    def test_a_device_is_neither_read_nor_replaced(self) -> None:
        with pytest.raises(StateFileError, match=r"/dev/zero is a device, not a file"):
            read_bytes("/dev/zero")
        with pytest.raises(StateFileError, match=r"/dev/null is a device, not a file"):
            write_atomically("/dev/null", "x")

    def test_a_file_of_gigabytes_is_refused_by_name_before_it_is_read(self, checkout: Path) -> None:
        with (checkout / ".ports.json").open("wb") as file:
            file.truncate(20 * 2**30)

        with pytest.raises(
            StateFileError, match=r"\.ports\.json is too large to be read: 21,474,836,480 bytes"
        ):
            read_bytes(checkout / ".ports.json")


class TestANamedPipeOfASecretManager:
    def test_is_refused_when_it_has_no_end(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / ".env")
        with subprocess.Popen(["/bin/sh", "-c", 'exec cat /dev/zero > "$0"', tmp_path / ".env"]) as writer:
            with pytest.raises(StateFileError, match=r"\.env is too large to be read"):
                read_text(tmp_path / ".env", pipe_seconds=10, most=100_000)
            # Nothing reads the pipe any more.
            writer.wait()

    def test_is_read_until_its_writer_closes_it(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / ".env")
        writer = threading.Thread(target=lambda: (tmp_path / ".env").write_text("A=1\n" * 20_000))
        writer.start()

        assert read_text(tmp_path / ".env", pipe_seconds=10) == "A=1\n" * 20_000
        writer.join()

    def test_is_named_when_nothing_writes_to_it(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / ".env")

        with pytest.raises(
            StateFileError, match=r"\.env is a named pipe that nothing writes to \(0\.1 s waited\)"
        ):
            read_text(tmp_path / ".env", pipe_seconds=0.1)


class TestAFileThatWasNeverFinished:
    @pytest.fixture
    def gone(self) -> int:
        """The number of a process that has ended."""
        ended = subprocess.Popen(["true"])
        ended.wait()
        return ended.pid

    def test_is_removed_when_its_writer_is_gone(self, tmp_path: Path, gone: int) -> None:
        torn = tmp_path / f".state.json.{gone}.0011aabb.tmp"
        torn.touch()

        assert remove_torn(tmp_path, ["state.json"]) == [str(torn)]
        assert not torn.exists()

    def test_is_left_to_a_writer_that_still_runs(self, tmp_path: Path) -> None:
        (tmp_path / f".state.json.{os.getpid()}.0011aabb.tmp").touch()

        assert remove_torn(tmp_path, ["state.json"]) == []

    def test_is_nobody_elses_file(self, tmp_path: Path, gone: int) -> None:
        names = [f".other.{gone}.0011aabb.tmp", f".state.json.{gone}.tmp", "state.json", ".tmp", "x.tmp"]
        for name in names:
            (tmp_path / name).touch()

        assert remove_torn(tmp_path, ["state.json"]) == []
        assert sorted(names_in(tmp_path)) == sorted(names)


class TestReadingAFile:
    def test_gives_its_text(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes("grün\r\n".encode())

        assert read_text(tmp_path / "a") == "grün\r\n"

    def test_gives_none_when_there_is_none(self, tmp_path: Path) -> None:
        assert read_text(tmp_path / "a") is None

    def test_drops_the_mark_that_editors_on_windows_put_in_front(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"\xef\xbb\xbf{}")

        assert read_text(tmp_path / "a") == "{}"

    def test_refuses_what_is_not_utf_8_and_leaves_it(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"{\xff}")

        with pytest.raises(StateFileError, match=r"/a is not UTF-8 text \(byte 1\)"):
            read_text(tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == b"{\xff}"

    def test_refuses_a_directory(self, tmp_path: Path) -> None:
        with pytest.raises(StateFileError, match="is a directory, not a file"):
            read_text(tmp_path)

    def test_refuses_what_may_not_be_read(self, shared_folder: Path, unprivileged: Unprivileged) -> None:
        (shared_folder / "a").touch(mode=0o000)

        def refused() -> str:
            with pytest.raises(StateFileError) as caught:
                read_text(shared_folder / "a")
            return caught.value.message

        assert unprivileged(refused) == f"{shared_folder}/a cannot be read: Permission denied"


class TestALock:
    def test_is_had_by_one(self, tmp_path: Path) -> None:
        first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")

        with first:
            assert not second.acquire(blocking=False)
            assert (first.held, second.held) == (True, False)

    def test_can_be_taken_again_after_its_release(self, tmp_path: Path) -> None:
        first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
        first.acquire(blocking=False)
        first.release()

        assert second.acquire(blocking=False)
        second.release()

    def test_taken_twice_by_the_same_object_stays_one(self, tmp_path: Path) -> None:
        lock = FileLock(tmp_path / "lock")

        assert lock.acquire(blocking=False)
        assert lock.acquire(blocking=False)
        lock.release()

        assert not lock.held

    def test_leaves_its_file(self, tmp_path: Path) -> None:
        with FileLock(tmp_path / "lock"):
            pass

        assert (tmp_path / "lock").exists()

    def test_is_waited_for(self, tmp_path: Path) -> None:
        first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
        first.acquire(blocking=False)
        waiter = threading.Thread(target=second.acquire, kwargs={"blocking": True})
        waiter.start()

        first.release()
        waiter.join(10)

        assert second.held
        second.release()

    def test_goes_with_the_process_that_held_it(self, tmp_path: Path, start: Launcher) -> None:
        code = (
            "import sys, signal; from devinit.system.file_lock import FileLock;"
            "lock = FileLock(sys.argv[1]); print(lock.acquire(blocking=False), flush=True); signal.pause()"
        )
        holder = start.python(code, str(tmp_path / "lock"))
        assert holder.line() == "True"
        lock = FileLock(tmp_path / "lock")
        assert not lock.acquire(blocking=False)

        holder.process.send(signal.SIGKILL)
        holder.process.wait(10)

        assert lock.acquire(blocking=False)
        lock.release()

    def test_stays_with_a_service_that_was_handed_the_descriptor(
        self, tmp_path: Path, start: Launcher
    ) -> None:
        lock = FileLock(tmp_path / "lock")
        lock.acquire(blocking=False)
        service = start("sleep", "1000", keep=(lock.fileno(),))

        lock.release()

        assert not lock.acquire(blocking=False)
        service.process.send(signal.SIGKILL)
        service.process.wait(10)
        assert lock.acquire(blocking=False)
        lock.release()

    def test_excludes_also_after_its_file_was_deleted_under_a_waiter(self, tmp_path: Path) -> None:
        first, waiting, late = (FileLock(tmp_path / "lock") for _ in range(3))
        first.acquire(blocking=False)
        waiter = threading.Thread(target=waiting.acquire, kwargs={"blocking": True})
        waiter.start()
        (tmp_path / "lock").unlink()

        first.release()
        waiter.join(10)

        assert waiting.held
        assert not late.acquire(blocking=False)
        waiting.release()

    def test_has_no_descriptor_before_it_is_held(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="is not held"):
            FileLock(tmp_path / "lock").fileno()

    def test_is_refused_by_name_without_its_folder(self, tmp_path: Path) -> None:
        with pytest.raises(StateFileError, match=r"gone/lock cannot be written: No such file"):
            FileLock(tmp_path / "gone" / "lock").acquire(blocking=False)

    def test_does_not_follow_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "lock").symlink_to("/etc/hostname")

        with pytest.raises(StateFileError, match="symbolic links"):
            FileLock(tmp_path / "lock").acquire(blocking=False)

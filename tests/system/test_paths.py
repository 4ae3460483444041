"""Specifies `devinit.system.paths`."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.errors import StateFileError
from devinit.system import paths

if TYPE_CHECKING:
    from tests.conftest import Machine


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, shared_folder: Path) -> Path:
    """A machine without XDG_RUNTIME_DIR and /run/user, and its temporary directory."""
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(paths, "_RUN_USER", "/nowhere")
    monkeypatch.setattr(paths, "_TEMPORARY", str(shared_folder))
    return shared_folder


class TestTheStateDirectory:
    def test_is_in_xdg_state_home(self, machine: Machine) -> None:
        assert paths.state_directory() == machine.state / "devinit"

    def test_is_in_local_state_of_the_home_otherwise(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("XDG_STATE_HOME")
        monkeypatch.setenv("HOME", str(tmp_path))

        assert paths.state_directory() == tmp_path / ".local/state/devinit"

    def test_passes_over_a_relative_xdg_state_home(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", "state")
        monkeypatch.setenv("HOME", str(tmp_path))

        assert paths.state_directory() == tmp_path / ".local/state/devinit"

    def test_is_created_for_the_user_alone_with_its_missing_parents(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "a" / "b"))

        created = paths.state_directory()

        assert [mode_of(created), mode_of(created.parent), mode_of(created.parent.parent)] == [0o700] * 3

    def test_is_refused_by_name_when_a_file_is_in_the_way(self, machine: Machine) -> None:
        (machine.state / "devinit").touch()

        with pytest.raises(StateFileError, match=r"/devinit is not a folder"):
            paths.state_directory()

    def test_is_refused_with_another_place_when_the_file_in_the_way_is_another_users(
        self, machine: Machine
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can give a file away")
        (machine.state / "devinit").symlink_to(machine.state / "nothing")
        os.chown(machine.state / "devinit", 65534, 65534, follow_symlinks=False)

        with pytest.raises(StateFileError, match="it belongs to another user") as refused:
            paths.state_directory()

        assert refused.value.hint == "set XDG_STATE_HOME to a folder of your own"

    def test_is_refused_by_name_where_nothing_can_be_created(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", "/proc/nothing/here")

        with pytest.raises(StateFileError, match=r"/proc/nothing cannot be used") as refused:
            paths.state_directory()

        assert refused.value.hint == "set XDG_STATE_HOME to a folder of your own that you can write"

    @pytest.mark.parametrize("mode", [0o770, 0o777, 0o1777])
    def test_is_refused_when_others_can_write_into_it(self, machine: Machine, mode: int) -> None:
        (machine.state / "devinit").mkdir()
        (machine.state / "devinit").chmod(mode)

        with pytest.raises(StateFileError, match=r"/devinit cannot hold .*: other users can write into it"):
            paths.state_path()

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can make another user's folder")
    def test_is_refused_when_it_is_another_users(self, machine: Machine) -> None:
        (machine.state / "devinit").mkdir(mode=0o700)
        os.chown(machine.state / "devinit", 12345, 12345)

        with pytest.raises(
            StateFileError, match=r"/devinit cannot hold .*: it belongs to another user \(uid 12345\)"
        ):
            paths.state_path()


class TestTheRuntimeDirectory:
    def test_is_in_xdg_runtime_dir_for_the_user_alone(self, machine: Machine) -> None:
        created = paths.runtime_directory()

        assert (created, mode_of(created)) == (machine.runtime / "devinit", 0o700)

    def test_is_the_same_for_a_cron_job_that_lacks_the_variable(
        self, monkeypatch: pytest.MonkeyPatch, temporary: Path
    ) -> None:
        monkeypatch.setattr(paths, "_RUN_USER", str(temporary))
        own = temporary / str(os.getuid())
        own.mkdir(mode=0o700)

        assert paths.runtime_directory() == own / "devinit"

    def test_is_a_private_one_in_the_temporary_directory_otherwise(self, temporary: Path) -> None:
        created = paths.runtime_directory()

        assert created == temporary / f"devinit-{os.getuid()}"
        assert mode_of(created) == 0o700

    def test_passes_over_a_variable_whose_directory_is_gone(
        self, temporary: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/of-somebody-who-left")

        assert paths.runtime_directory().parent == temporary

    def test_passes_over_the_directory_of_another_user(
        self, temporary: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # What `sudo -E` and `su` without a login leave in the environment; root may write everywhere.
        monkeypatch.setenv("XDG_RUNTIME_DIR", "/proc" if os.getuid() else str(self.of_nobody(temporary)))

        assert paths.runtime_directory().parent == temporary

    @staticmethod
    def of_nobody(temporary: Path) -> Path:
        folder = temporary / "nobody"
        folder.mkdir()
        os.chown(folder, 65534, 65534)
        return folder

    @pytest.mark.parametrize("mode", [0o770, 0o777, 0o1777])
    def test_passes_over_a_directory_in_which_others_could_replace_it(
        self, temporary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int
    ) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        tmp_path.chmod(mode)

        assert paths.runtime_directory().parent == temporary

    def test_is_refused_when_it_is_a_symbolic_link(self, temporary: Path, tmp_path: Path) -> None:
        (temporary / f"devinit-{os.getuid()}").symlink_to(tmp_path)

        with pytest.raises(StateFileError, match="it is a symbolic link") as caught:
            paths.runtime_directory()
        assert caught.value.hint == "remove it, or set XDG_RUNTIME_DIR to a folder of your own"

    @pytest.mark.parametrize("prepared", ["folder", "file", "link", "link to nothing"])
    def test_of_another_user_is_refused_with_the_only_way_out(
        self, temporary: Path, tmp_path: Path, prepared: str
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can give a file away")
        path = temporary / f"devinit-{os.getuid()}"
        match prepared:
            case "folder":
                path.mkdir(mode=0o700)
            case "file":
                path.touch()
            case "link":
                path.symlink_to(tmp_path)
            case _:
                path.symlink_to(tmp_path / "nothing")
        os.chown(path, 65534, 65534, follow_symlinks=False)

        with pytest.raises(StateFileError, match=f"{path} ") as caught:
            paths.runtime_directory()

        assert "it belongs to another user (uid 65534)" in caught.value.message
        # Where everybody may write, as in /tmp, nobody moves another's file away.
        assert caught.value.hint == "set XDG_RUNTIME_DIR to a folder of your own"

    def test_of_another_user_is_passed_by_where_the_way_out_is_taken(
        self, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (temporary / f"devinit-{os.getuid()}").touch()
        (own := tmp_path / "own").mkdir(mode=0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(own))

        assert paths.runtime_directory() == own / "devinit"

    def test_is_refused_when_others_may_enter_it(self, temporary: Path) -> None:
        (temporary / f"devinit-{os.getuid()}").mkdir(mode=0o755)

        with pytest.raises(StateFileError, match="other users may enter it"):
            paths.runtime_directory()

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
    def test_is_refused_when_another_user_made_it(self, temporary: Path) -> None:
        folder = temporary / "devinit-0"
        folder.mkdir(mode=0o700)
        os.chown(folder, 65534, 65534)

        with pytest.raises(StateFileError, match="it belongs to another user"):
            paths.runtime_directory()


class TestAProjectId:
    def test_is_the_folders_name_and_a_digest_of_its_path(self) -> None:
        assert paths.project_id("/home/ada/shop").startswith("shop-")
        assert len(paths.project_id("/home/ada/shop")) == len("shop-") + 10

    def test_differs_between_worktrees_with_the_same_name(self) -> None:
        assert paths.project_id("/home/ada/shop") != paths.project_id("/home/ada/feature/shop")

    def test_is_the_same_through_a_symbolic_link(self, tmp_path: Path) -> None:
        (tmp_path / "shop").mkdir()
        (tmp_path / "link").symlink_to("shop")

        assert paths.project_id(tmp_path / "link") == paths.project_id(tmp_path / "shop")

    @pytest.mark.parametrize(
        ("folder", "slug"),
        [
            ("My Shop (2)", "my-shop-2"),
            ("a" * 50, "a" * 20),
            ("größe", "gr-e"),
            ("商店", "project"),
            ("..hidden..", "hidden"),
            ("abcdefghijklmnopqrs-tuv", "abcdefghijklmnopqrs"),
            ("with\nnewline", "with-newline"),
        ],
    )
    def test_holds_only_letters_digits_and_dashes(self, folder: str, slug: str) -> None:
        assert paths.project_id(f"/home/ada/{folder}").rpartition("-")[0] == slug

    def test_exists_for_a_folder_whose_name_is_not_utf_8(self) -> None:
        assert paths.project_id(os.fsdecode(b"/home/ada/\xff")).startswith("project-")


class TestTheSocketPath:
    def test_is_in_the_runtime_directory(self, machine: Machine) -> None:
        root = Path("/home/ada/shop")

        assert paths.socket_path(root) == machine.runtime / "devinit" / f"{paths.project_id(root)}.sock"

    def test_moves_to_the_temporary_directory_when_it_would_be_too_long(
        self, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deep = tmp_path / ("d" * 90)
        deep.mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))

        assert paths.socket_path("/home/ada/shop").parent == temporary / f"devinit-{os.getuid()}"

    def test_of_a_terminal_moves_by_its_own_length(
        self, machine: Machine, temporary: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root, short = "/home/ada/shop", machine.runtime
        of_supervisor = len(f"{short}//devinit/{paths.project_id(root)}.sock")
        deep = short / ("d" * (paths.LONGEST_SOCKET_PATH - of_supervisor))
        deep.mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))

        assert len(paths.socket_address(root)) == paths.LONGEST_SOCKET_PATH
        assert Path(paths.terminal_address(root, "web")).parent == temporary / f"devinit-{os.getuid()}"

    def test_can_be_bound(self) -> None:
        address = paths.socket_address("/home/ada/" + "long" * 40)

        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(address)


class TestTheFastCommands:
    HEAVY = frozenset({"asyncio", "ctypes", "hashlib", "msgspec", "psutil", "socket", "subprocess", "typing"})

    @pytest.mark.parametrize("module", ["paths", "files", "checkout", "watch"])
    def test_load_nothing_heavy_with(self, module: str) -> None:
        code = f"import devinit.system.{module}, sys; print(*sys.modules)"
        loaded = subprocess.run(
            [sys.executable, "-S", "-c", code],
            cwd=Path(paths.__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()

        assert self.HEAVY.isdisjoint(loaded)

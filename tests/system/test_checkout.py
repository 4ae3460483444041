"""Specifies `devinit.system.checkout`: where the logs, data and records of a checkout lie."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.errors import StateFileError
from devinit.system import checkout, state_folders, unused_state
from devinit.system.checkout import claim
from devinit.system.file_lock import FileLock
from devinit.system.paths import SUPERVISOR_LOCK, project_id
from devinit.system.state_folders import state_folder
from tests.places import require_birth, require_git
from tests.system.conftest import NOBODY

if TYPE_CHECKING:
    from tests.conftest import Machine
    from tests.system.conftest import Unprivileged


def mode_of(path: Path | str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A checkout in which devinit was never started."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def used(root: Path) -> Path:
    """Return the state folder of a checkout that has a log."""
    folder = Path(claim(root))
    (folder / "web.log").write_text(f"printed in {root.name}\n")
    return folder


class TestTheStateFolder:
    def test_lies_in_the_users_state_directory(self, shop: Path, machine: Machine) -> None:
        folder = Path(claim(shop))

        assert folder.parent == machine.state / "devinit" / "checkouts"
        assert folder.name.startswith("shop-")
        assert mode_of(folder) == 0o700

    def test_is_named_before_it_exists(self, shop: Path) -> None:
        assert not Path(state_folder(shop)).exists()
        assert state_folder(shop) == claim(shop)

    def test_is_refused_by_name_when_a_file_is_where_the_state_directory_should_be(
        self, shop: Path, machine: Machine
    ) -> None:
        claim(shop)
        shutil.rmtree(machine.state / "devinit")
        (machine.state / "devinit").touch()

        assert not Path(state_folder(shop)).exists()
        with pytest.raises(StateFileError, match="devinit/checkouts cannot be used: Not a directory"):
            claim(shop)

    def test_is_refused_by_name_when_the_state_directory_cannot_be_listed(
        self, shop: Path, machine: Machine
    ) -> None:
        claim(shop)
        folders = machine.state / "devinit" / "checkouts"
        shutil.rmtree(folders)
        folders.symlink_to(folders)

        with pytest.raises(StateFileError, match="devinit/checkouts cannot be used: Too many levels"):
            state_folder(shop)

    def test_is_refused_with_the_way_out_when_a_file_is_in_its_place(self, shop: Path) -> None:
        folder = Path(state_folder(shop))
        folder.parent.mkdir(parents=True)
        folder.touch()

        with pytest.raises(StateFileError, match=f"{folder} is not a folder") as refused:
            claim(shop)

        assert refused.value.hint is not None
        assert refused.value.hint.endswith(f"mv {folder} {folder}.old")

    def test_leaves_only_an_identity_in_the_checkout(self, shop: Path) -> None:
        claim(shop)

        assert {path.name for path in (shop / ".devinit").iterdir()} == {".gitignore", "identity"}
        assert (shop / ".devinit" / ".gitignore").read_text() == "*\n"
        assert mode_of(shop / ".devinit") == 0o700

    def test_changes_nothing_in_the_checkout_when_it_is_claimed_again(self, shop: Path) -> None:
        claim(shop)
        before = {
            path: path.stat().st_mtime_ns for path in (shop / ".devinit", *(shop / ".devinit").iterdir())
        }

        claim(shop)

        assert {path: path.stat().st_mtime_ns for path in before} == before

    def test_is_the_same_through_a_link_to_the_checkout(self, shop: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("shop")

        assert claim(tmp_path / "link") == claim(shop)

    def test_survives_git_clean(self, shop: Path) -> None:
        require_git()
        folder = used(shop)
        subprocess.run(["git", "init", "-q", shop], check=True)
        subprocess.run(["git", "-C", shop, "clean", "-fdxq"], check=True)
        assert not (shop / ".devinit").exists()

        assert claim(shop) == str(folder)
        assert (folder / "web.log").exists()

    def test_keeps_a_gitignore_that_the_developer_changed(self, shop: Path) -> None:
        claim(shop)
        (shop / ".devinit" / ".gitignore").write_text("*\n!notes\n")

        claim(shop)

        assert (shop / ".devinit" / ".gitignore").read_text() == "*\n!notes\n"

    @pytest.mark.parametrize("mode", [0o777, 0o750, 0o701])
    def test_closes_the_folder_in_the_checkout_to_others(self, shop: Path, mode: int) -> None:
        (shop / ".devinit").mkdir()
        (shop / ".devinit").chmod(mode)

        claim(shop)

        assert mode_of(shop / ".devinit") == 0o700

    def test_is_one_for_claims_at_the_same_time(self, shop: Path) -> None:
        claimed: list[str] = []
        threads = [threading.Thread(target=lambda: claimed.append(claim(shop))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert set(claimed) == {state_folder(shop)}
        assert len(state_folders.folders()) == 1


class TestACheckoutThatIsMoved:
    def test_takes_its_state_along(self, shop: Path, tmp_path: Path) -> None:
        before = used(shop)
        shop.rename(tmp_path / "market")

        folder = Path(claim(tmp_path / "market"))

        assert (folder / "web.log").read_text() == "printed in shop\n"
        assert folder.name.startswith("market-")
        assert not before.exists()

    def test_shows_its_state_before_it_is_started_again(self, shop: Path, tmp_path: Path) -> None:
        before = used(shop)
        shop.rename(tmp_path / "market")

        assert state_folder(tmp_path / "market") == str(before)

    def test_takes_it_along_after_git_clean_as_well(self, shop: Path, tmp_path: Path) -> None:
        require_birth(shop)
        before = used(shop)
        shutil.rmtree(shop / ".devinit")
        shop.rename(tmp_path / "market")

        shown = state_folder(tmp_path / "market")
        folder = Path(claim(tmp_path / "market"))

        assert shown == str(before)
        assert (folder / "web.log").read_text() == "printed in shop\n"
        assert not before.exists()
        assert claim(tmp_path / "market") == str(folder)
        origin = state_folders.origin_of(str(folder))
        assert origin is not None
        assert (tmp_path / "market" / ".devinit" / "identity").read_text().strip() == origin.identity

    def test_takes_it_along_after_git_clean_when_another_one_took_its_old_place(
        self, shop: Path, tmp_path: Path
    ) -> None:
        require_birth(shop)
        used(shop)
        shutil.rmtree(shop / ".devinit")
        shop.rename(tmp_path / "market")
        shop.mkdir()

        fresh = Path(claim(shop))

        assert not (fresh / "web.log").exists()
        assert (Path(claim(tmp_path / "market")) / "web.log").exists()

    def test_is_not_known_by_an_inode_alone(self, shop: Path, tmp_path: Path) -> None:
        """Another disk has the same ones, and some file systems keep no time of birth."""
        folder = used(shop)
        identity, known, root = (folder / "checkout").read_text().split("\n")
        (folder / "checkout").write_text("\n".join((identity, f"{known.partition('.')[0]}.0", root)))
        shutil.rmtree(shop / ".devinit")
        shop.rename(tmp_path / "market")

        assert not (Path(claim(tmp_path / "market")) / "web.log").exists()

    def test_keeps_it_when_another_one_takes_its_old_place(self, shop: Path, tmp_path: Path) -> None:
        used(shop)
        shop.rename(tmp_path / "market")
        shop.mkdir()

        fresh = Path(claim(shop))
        moved = Path(claim(tmp_path / "market"))

        assert not (fresh / "web.log").exists()
        assert (moved / "web.log").read_text() == "printed in shop\n"

    def test_waits_until_its_services_have_stopped(self, shop: Path, tmp_path: Path) -> None:
        folder = used(shop)
        lock = FileLock(folder / SUPERVISOR_LOCK)
        lock.acquire(blocking=False)
        shop.rename(tmp_path / "market")
        releasing = threading.Timer(0.2, lock.release)
        releasing.start()

        moved = Path(claim(tmp_path / "market"))

        releasing.join()
        assert (moved / "web.log").exists()

    def test_is_refused_while_its_supervisor_does_not_end(
        self, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(checkout, "STOPPING_SECONDS", 0.1)
        with FileLock(used(shop) / SUPERVISOR_LOCK):
            shop.rename(tmp_path / "market")

            with pytest.raises(StateFileError, match="still used by the supervisor"):
                claim(tmp_path / "market")


class TestACopyOfACheckout:
    def test_has_a_state_of_its_own(self, shop: Path, tmp_path: Path) -> None:
        original = used(shop)
        shutil.copytree(shop, tmp_path / "copy")

        copy = Path(claim(tmp_path / "copy"))

        assert copy != original
        assert not (copy / "web.log").exists()
        assert (original / "web.log").exists()

    def test_without_an_identity_takes_nothing_of_an_original_that_is_gone(
        self, shop: Path, tmp_path: Path
    ) -> None:
        folder = used(shop)
        shutil.copytree(shop, tmp_path / "copy", ignore=shutil.ignore_patterns(".devinit"))
        shutil.rmtree(shop)

        assert not (Path(claim(tmp_path / "copy")) / "web.log").exists()
        assert (folder / "web.log").exists()

    def test_gets_an_identity_of_its_own(self, shop: Path, tmp_path: Path) -> None:
        claim(shop)
        shutil.copytree(shop, tmp_path / "copy")

        claim(tmp_path / "copy")

        one, other = (root / ".devinit" / "identity" for root in (shop, tmp_path / "copy"))
        assert one.read_text() != other.read_text()

    def test_does_not_take_the_state_of_an_original_that_was_cleaned(
        self, shop: Path, tmp_path: Path
    ) -> None:
        used(shop)
        shutil.copytree(shop, tmp_path / "copy")
        shutil.rmtree(shop / ".devinit")

        assert not (Path(claim(tmp_path / "copy")) / "web.log").exists()


class TestAnotherCheckoutInTheSamePlace:
    def test_begins_with_nothing(self, shop: Path) -> None:
        used(shop)
        shutil.rmtree(shop)
        shop.mkdir()

        assert not (Path(claim(shop)) / "web.log").exists()

    def test_puts_the_state_of_the_earlier_one_aside(self, shop: Path) -> None:
        folder = used(shop)
        shutil.rmtree(shop)
        shop.mkdir()

        claim(shop)

        assert Path(f"{folder}.1", "web.log").exists()

    def test_removes_what_was_put_aside_long_ago(self, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = used(shop)
        for _ in range(2):
            shutil.rmtree(shop)
            shop.mkdir()
            claim(shop)
        later = time.time() + checkout.ASIDE_SECONDS + 60
        monkeypatch.setattr(time, "time", lambda: later)
        shutil.rmtree(shop)
        shop.mkdir()

        claim(shop)

        assert not Path(f"{folder}.1").exists()


class TestWhatARepositoryShips:
    """Git keeps links, and an archive keeps anything."""

    def test_a_link_in_place_of_the_folder_is_refused_by_name(self, shop: Path, tmp_path: Path) -> None:
        (shop / ".devinit").symlink_to("..")

        with pytest.raises(StateFileError, match=r"shop/\.devinit is a symbolic link") as refused:
            claim(shop)

        assert refused.value.hint is not None
        assert f"rm {shop}/.devinit" in refused.value.hint
        assert not (tmp_path / ".gitignore").exists()

    def test_a_file_in_place_of_the_folder_is_refused_by_name(self, shop: Path) -> None:
        (shop / ".devinit").touch()

        with pytest.raises(StateFileError, match="is no folder"):
            claim(shop)

    def test_a_link_in_place_of_the_identity_is_replaced_and_not_followed(
        self, shop: Path, tmp_path: Path
    ) -> None:
        precious = tmp_path / "precious.txt"
        precious.write_text("a" * 32 + "\n")
        (shop / ".devinit").mkdir()
        (shop / ".devinit" / "identity").symlink_to(precious)

        claim(shop)

        assert precious.read_text() == "a" * 32 + "\n"
        assert not (shop / ".devinit" / "identity").is_symlink()

    def test_a_named_pipe_in_place_of_the_identity_keeps_nothing_waiting(self, shop: Path) -> None:
        (shop / ".devinit").mkdir()
        os.mkfifo(shop / ".devinit" / "identity")

        assert Path(claim(shop)).is_dir()

    def test_a_folder_in_place_of_the_identity_is_refused_with_the_way_out(self, shop: Path) -> None:
        identity = shop / ".devinit" / "identity"
        identity.mkdir(parents=True)

        with pytest.raises(StateFileError, match=f"{identity} is a folder") as refused:
            claim(shop)

        assert refused.value.hint is not None
        assert refused.value.hint.endswith(f"mv {identity} {identity}.old")
        assert {path.name for path in identity.parent.iterdir()} == {".gitignore", "identity"}

    def test_the_identity_of_another_checkout_that_exists_opens_nothing(
        self, shop: Path, tmp_path: Path
    ) -> None:
        used(shop)
        evil = tmp_path / "evil"
        (evil / ".devinit").mkdir(parents=True)
        shutil.copy(shop / ".devinit" / "identity", evil / ".devinit" / "identity")

        assert not (Path(claim(evil)) / "web.log").exists()

    @pytest.mark.parametrize("text", ["../../precious", "", "\0" * 32, "A" * 32, "a" * 31, "a" * 5000])
    def test_an_identity_that_devinit_did_not_write_is_replaced(self, shop: Path, text: str) -> None:
        (shop / ".devinit").mkdir()
        (shop / ".devinit" / "identity").write_text(text)

        claim(shop)

        assert (shop / ".devinit" / "identity").read_text().strip() not in ("", text)


class TestAnotherUsersFolder:
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_is_refused_by_name(self, shop: Path) -> None:
        claim(shop)
        os.chown(shop / ".devinit", 65534, 65534)

        with pytest.raises(StateFileError, match=r"\.devinit belongs to another user \(uid 65534\)"):
            claim(shop)

    def test_says_how_to_get_the_checkout_back_from_root(
        self, shared_folder: Path, unprivileged: Unprivileged
    ) -> None:
        shared_folder.chmod(0o555)

        def refused() -> tuple[str, str | None]:
            with pytest.raises(StateFileError) as caught:
                claim(shared_folder)
            return caught.value.message, caught.value.hint

        message, hint = unprivileged(refused)

        assert message == f"{shared_folder}/.devinit cannot be used: Permission denied"
        assert hint is not None
        # Without root it is the user's own folder that is closed.
        helps = "sudo chown -R nobody" if os.geteuid() == 0 else "chmod u+rwx"
        assert hint.endswith(f"{helps} {shared_folder}")


class TestTheFolderOfRootsServers:
    """Root has started the same checkout, in a container or with sudo: it keeps data outside of its home."""

    @pytest.fixture
    def outside(self, shared_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(state_folders, "OUTSIDE", str(shared_folder / "lib"))
        (shared_folder / "lib").mkdir(mode=0o755)
        return shared_folder / "lib"

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can make root's folder")
    def test_is_no_part_of_what_another_user_moves_and_deletes(
        self,
        shop: Path,
        shared_folder: Path,
        outside: Path,
        unprivileged: Unprivileged,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        claim(shop)  # it loads what nobody may not read
        theirs = shared_folder / "theirs"
        theirs.mkdir()
        os.chown(theirs, NOBODY, NOBODY)
        monkeypatch.setenv("XDG_STATE_HOME", str(theirs))
        first, moved = theirs / "shop", theirs / "moved"
        for checkout_of_both in (first, moved):
            (outside / project_id(checkout_of_both)).mkdir(mode=0o755)

        def move_and_remove() -> tuple[str, str]:
            first.mkdir()
            before = claim(first)
            first.rename(moved)
            after = claim(moved)
            unused_state.remove(after)
            return before, after

        before, after = unprivileged(move_and_remove)

        assert before != after
        assert not Path(before).exists()
        assert not Path(after).exists()
        assert len(list(outside.iterdir())) == 2

    @pytest.mark.skipif(os.getuid() != 0, reason="it is root's")
    def test_is_deleted_with_the_state_folder_by_root(self, shop: Path, outside: Path) -> None:
        folder = claim(shop)
        (Path(state_folders.parts_of(folder)[1]) / "postgres").mkdir(parents=True)

        unused_state.remove(folder)

        assert not list(outside.iterdir())

    @pytest.mark.skipif(os.getuid() != 0, reason="it is root's")
    def test_is_that_of_one_state_folder(
        self, shop: Path, outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, first = state_folders.parts_of(claim(shop))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
        _, second = state_folders.parts_of(claim(shop))

        assert first != second
        assert {Path(first).parent, Path(second).parent} == {outside}

    @pytest.mark.skipif(os.getuid() != 0, reason="it is root's")
    def test_follows_a_checkout_that_is_moved(self, shop: Path, tmp_path: Path, outside: Path) -> None:
        (cluster := Path(state_folders.parts_of(claim(shop))[1]) / "postgres").mkdir(parents=True)
        shop.rename(tmp_path / "moved")

        assert Path(state_folders.parts_of(claim(tmp_path / "moved"))[1]) / "postgres" == cluster

    @pytest.mark.skipif(os.getuid() != 0, reason="it is root's")
    def test_of_an_earlier_version_is_put_aside_with_the_checkout_that_used_it(
        self, shop: Path, outside: Path
    ) -> None:
        folder = used_by_postgres(Path(claim(shop)), outside)
        shutil.rmtree(shop)
        shop.mkdir()

        claim(shop)

        _, aside = state_folders.parts_of(f"{folder}.1")
        assert (Path(aside) / "postgres" / "pg15" / "PG_VERSION").is_file()
        assert not Path(state_folders.parts_of(str(folder))[1]).exists()

    @pytest.mark.skipif(os.getuid() != 0, reason="it is root's")
    def test_of_an_earlier_version_is_deleted_with_the_state_folder_that_used_it(
        self, shop: Path, outside: Path
    ) -> None:
        folder = used_by_postgres(Path(claim(shop)), outside)
        (outside / folder.name / "other").mkdir()

        unused_state.remove(str(folder))

        assert [path.name for path in outside.rglob("*")] == [folder.name, "other"]


def used_by_postgres(folder: Path, outside: Path) -> Path:
    """Let PostgreSQL have been used in a state folder whose data an earlier version kept outside."""
    home = outside / folder.name / "postgres"
    (home / "pg15").mkdir(parents=True)
    (home / "pg15" / "PG_VERSION").write_text("15\n")
    (folder / "data" / "postgres").mkdir(parents=True)
    (folder / "data" / "postgres" / "program.json").write_text("{}")
    return folder

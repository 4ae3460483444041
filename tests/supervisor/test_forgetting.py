"""Specifies `devinit forget`: what the machine remembers of a stopped project is dropped, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devinit.config.slots import slotted
from devinit.control import checkouts, forgetting
from devinit.control.forgetting import forget
from devinit.errors import StateFileError
from devinit.ports.leases import LeaseStore, root_name
from devinit.system.checkout import claim
from devinit.system.file_lock import FileLock
from devinit.system.paths import state_directory
from tests.places import require_birth, require_git, state_of
from tests.supervisor.conftest import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.supervisor.conftest import FreePorts, MakeShop


def devinit(*words: str, folder: Path | str = "/") -> subprocess.CompletedProcess[str]:
    """Run a command in any folder."""
    return subprocess.run(
        [sys.executable, "-m", "devinit", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    """Return what was printed; Any: JSON."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ports_on_record(root: Path) -> list[int]:
    owners = LeaseStore(state_directory() / "leases").owners()
    return [port for port, owner, _ in owners if owner.root == root_name(root)]


def listed(root: Path) -> bool:
    """Tell whether a project is on the list, where its supervisor puts it after the answer to a start."""
    deadline = time.monotonic() + 30
    while checkouts.recorded_at(root) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)  # a file that is replaced by another process wakes nobody here
    return True


@pytest.fixture
def stopped(shop: Shop, port: int) -> Shop:
    """A project that ran on a port that was chosen by hand, and was stopped."""
    shop.service("web", port=port)
    shop("ports", "set", "web", str(port + 2))
    shop.up()
    assert listed(shop.root)
    shop("stop")
    assert ports_on_record(shop.root) == [port + 2]
    return shop


class TestItsLogsAndData:
    def test_stay_with_a_project_that_is_still_there(self, stopped: Shop) -> None:
        devinit("forget", str(stopped.root))

        assert (state_of(stopped.root) / "logs" / "web.log").exists()

    def test_are_deleted_on_demand(self, stopped: Shop) -> None:
        folder = state_of(stopped.root)

        done = answer(devinit("forget", str(stopped.root), "--data", "--json"))

        assert done["folders"] == [str(folder)]
        assert done["bytes"] > 0
        assert not folder.exists()
        stopped.up()

    def test_are_deleted_with_a_project_that_is_gone(self, stopped: Shop) -> None:
        folder = state_of(stopped.root)
        shutil.rmtree(stopped.root)

        done = devinit("forget", str(stopped.root))

        assert "its logs and data (" in done.stderr
        assert not folder.exists()

    def test_stay_with_a_project_that_was_moved_when_another_one_lies_at_its_path(
        self, stopped: Shop, tmp_path: Path
    ) -> None:
        moved = stopped.root.rename(tmp_path / "moved")
        stopped.root.mkdir()

        assert devinit("forget", str(stopped.root)).returncode == 0

        assert list((state_of(moved) / "logs").iterdir())

    @pytest.mark.parametrize("is_cleaned", [False, True])
    def test_stay_with_a_project_that_was_moved_beside_its_place(
        self, stopped: Shop, tmp_path: Path, is_cleaned: bool
    ) -> None:
        folder = state_of(stopped.root)
        if is_cleaned:
            require_birth(stopped.root)
            shutil.rmtree(stopped.root / ".devinit")
        moved = stopped.root.rename(tmp_path / "moved")

        examined = devinit("doctor").stdout
        done = devinit("forget", str(stopped.root))

        assert f"{stopped.root} was moved to {moved}; its logs and data are still in {folder}" in examined
        assert "devinit forget" not in examined
        assert done.stderr.endswith(f"; its logs and data stay: it was moved to {moved}\n")
        assert list((state_of(moved) / "logs").iterdir())

    def test_stay_with_a_project_that_was_moved_after_another_one_was_at_its_place(
        self, stopped: Shop, tmp_path: Path
    ) -> None:
        moved = stopped.root.rename(tmp_path / "moved")
        stopped.root.mkdir()
        other = Path(claim(stopped.root))
        shutil.rmtree(stopped.root)

        for words in ((), ("--data",)):
            assert devinit("forget", str(stopped.root), *words).returncode == 0

        assert not other.exists()
        assert list((state_of(moved) / "logs").iterdir())

    def test_are_listed_by_doctor_when_the_project_is_gone(self, stopped: Shop) -> None:
        folder = state_of(stopped.root)
        shutil.rmtree(stopped.root)

        said = devinit("doctor").stdout

        assert f"{stopped.root} is gone; its logs and data are still in {folder}" in said
        assert f"if it was deleted: `devinit forget {stopped.root}`" in said
        assert "if it was moved, `devinit start` in its new place finds them" in said

    def test_stay_while_it_runs(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()

        refused = devinit("forget", str(shop.root), "--data")

        assert refused.returncode != 0
        assert shop.status()["web"]["phase"] == "ready"
        assert (state_of(shop.root) / "logs" / "web.log").exists()


class TestAStartAtTheSameMoment:
    """Its data is either deleted as a whole before, or is in use and stays as a whole."""

    @pytest.fixture
    def with_data(self, stopped: Shop) -> Path:
        data = state_of(stopped.root) / "data" / "db" / "base"
        data.mkdir(parents=True)
        (data / "1").write_text("rows")
        return data

    def test_has_a_new_folder_while_the_old_one_is_deleted(
        self, stopped: Shop, with_data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        delete, begun = shutil.rmtree, list[str]()

        def meanwhile(path: str) -> None:
            if not begun:
                begun.append(path)
                assert not with_data.exists()
                stopped.up()
            delete(path)

        monkeypatch.setattr(shutil, "rmtree", meanwhile)

        done = forget(str(stopped.root), data=True)

        assert done.folders == (str(state_of(stopped.root)),)
        assert stopped.status()["web"]["phase"] == "ready"
        assert (state_of(stopped.root) / "logs" / "web.log").exists()
        assert listed(stopped.root)
        assert not list(state_of(stopped.root).parent.glob("*.[0-9]"))

    def test_keeps_the_data_where_it_comes_between_the_two_looks(
        self, stopped: Shop, with_data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(forgetting, "_wait_for_the_supervisor", lambda _path: stopped.up())

        with pytest.raises(StateFileError, match="is in use, so its logs and data were not deleted"):
            forget(str(stopped.root), data=True)

        assert (with_data / "1").read_text() == "rows"

    def test_is_waited_for_while_it_launches_a_supervisor(
        self, stopped: Shop, with_data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(forgetting, "LEAVING_SECONDS", 0.1)

        with (
            FileLock(state_of(stopped.root) / "launch.lock"),
            pytest.raises(StateFileError, match="another command starts a supervisor"),
        ):
            forget(str(stopped.root), data=True)

        assert (with_data / "1").read_text() == "rows"

    def test_leaves_the_data_of_a_server_that_runs_out_of_sight(self, stopped: Shop, with_data: Path) -> None:
        with (
            FileLock(with_data.parent / "in-use-base.lock"),
            pytest.raises(StateFileError, match="is in use"),
        ):
            forget(str(stopped.root), data=True)

        assert (with_data / "1").read_text() == "rows"

    def test_is_no_reason_for_half_a_deletion_that_fails(
        self, stopped: Shop, with_data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(path: str) -> None:
            raise OSError(39, "Directory not empty", path)

        with monkeypatch.context() as patched:
            patched.setattr(shutil, "rmtree", fails)
            with pytest.raises(StateFileError, match="cannot be deleted: Directory not empty"):
                forget(str(stopped.root), data=True)
        assert not with_data.exists()  # set aside as a whole: the next start has a new one

        assert forget(str(stopped.root), data=True).bytes > 0
        assert not list(state_of(stopped.root).parent.glob("*.[0-9]"))


class TestAStoppedProject:
    def test_is_not_on_record_any_more(self, stopped: Shop, port: int) -> None:
        done = devinit("forget", str(stopped.root))

        assert done.returncode == 0
        assert ports_on_record(stopped.root) == []
        assert checkouts.recorded_at(stopped.root) is None
        assert done.stderr == (
            f"dropped the records of {stopped.root}: port {port + 2}, the ports chosen by hand, "
            "its place on the list of projects\n"
        )

    def test_is_told_to_programs(self, stopped: Shop, port: int) -> None:
        assert answer(devinit("forget", str(stopped.root), "--json")) == {
            "root": str(stopped.root), "ports": [port + 2], "listed": True, "slot": None, "chosen": True,
            "folders": [], "bytes": 0, "moved_to": None,
        }  # fmt: skip

    def test_is_the_one_in_the_current_folder_when_none_is_named(self, stopped: Shop) -> None:
        inside = stopped.root / "deeper"
        inside.mkdir()

        assert answer(devinit("forget", "--json", folder=inside))["root"] == str(stopped.root)

    def test_keeps_its_own_files_and_starts_as_before(self, stopped: Shop, port: int) -> None:
        before = (stopped.root / ".ports.json").read_text()

        devinit("forget", str(stopped.root))

        assert (stopped.root / ".ports.json").read_text() == before
        stopped.up()
        assert stopped.status()["web"]["port"] == port + 2

    def test_that_was_deleted_can_be_forgotten_by_its_path(self, stopped: Shop) -> None:
        shutil.rmtree(stopped.root)

        assert answer(devinit("forget", str(stopped.root), "--json"))["listed"] is True
        assert checkouts.recorded_at(stopped.root) is None

    def test_that_is_not_on_record_is_no_error(self, tmp_path: Path) -> None:
        done = devinit("forget", str(tmp_path / "never"))

        assert (done.returncode, done.stderr) == (0, f"nothing is on record about {tmp_path / 'never'}\n")

    def test_leaves_the_records_of_others_alone(
        self, stopped: Shop, make_shop: MakeShop, free_ports: FreePorts
    ) -> None:
        other = make_shop("other")
        other.service("web", port=free_ports(1)[0])
        other.up()
        other("stop")
        before = ports_on_record(other.root)

        devinit("forget", str(stopped.root))

        assert ports_on_record(other.root) == before != []


class TestAProjectThatRuns:
    def test_is_refused_by_name_and_nothing_is_dropped(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        assert listed(shop.root)

        done = devinit("forget", str(shop.root))

        assert done.returncode == 1
        assert done.stderr.startswith("error: shop runs, so nothing was forgotten: web\n")
        assert f"devinit -C {shop.root} stop" in done.stderr
        assert ports_on_record(shop.root) == [port]
        assert checkouts.recorded_at(shop.root) is not None

    def test_without_a_port_is_refused_as_well(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.1})
        shop.up()

        assert "so nothing was forgotten: worker" in devinit("forget", str(shop.root)).stderr

    def test_although_its_supervisor_was_killed_is_refused(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()

        assert devinit("forget", str(shop.root)).returncode == 1
        assert shop.status()["web"]["phase"] == "ready"

    def test_in_a_folder_that_was_deleted_is_refused(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()
        shutil.rmtree(shop.root)

        assert devinit("forget", str(shop.root)).returncode == 1
        assert ports_on_record(shop.root) == [port]

    def test_that_was_lost_in_a_restart_of_the_machine_is_stopped(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        pids = shop.pids("web")
        shop.kill_supervisor()
        for pid in pids:
            shop.end_process(pid)
        state = state_of(shop.root) / "state.json"
        text = json.loads(state.read_text())
        state.write_text(json.dumps({**text, "boot_id": "an earlier one"}, separators=(",", ":")))

        assert answer(devinit("forget", str(shop.root), "--json"))["ports"] == [port]


class TestALinkedWorktree:
    @pytest.fixture
    def linked(self, shop: Shop, free_ports: FreePorts, tmp_path: Path) -> Iterator[Shop]:
        require_git()
        shop.service("web", port=free_ports(12)[0])
        git = ["git", "-C", str(shop.root), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "begin"]):
            subprocess.run([*git, *words], check=True)
        folder = tmp_path / "linked"
        subprocess.run([*git, "worktree", "add", "--quiet", "-b", "feature", str(folder)], check=True)
        other = Shop.at(folder)
        yield other
        other.finish()

    def test_gives_its_number_up(self, linked: Shop) -> None:
        linked.up()
        assert listed(linked.root)
        linked("stop")

        assert answer(devinit("forget", str(linked.root), "--json"))["slot"] == 1
        assert slotted(linked.root) is None

    def test_keeps_its_number_while_another_project_in_it_is_on_the_list(self, linked: Shop) -> None:
        linked.up()
        assert listed(linked.root)
        linked("stop")
        inner = linked.root / "tools"
        inner.mkdir()
        checkouts.record(os.fspath(inner), "tools")

        assert answer(devinit("forget", str(linked.root), "--json"))["slot"] is None
        assert slotted(linked.root) == (os.path.realpath(linked.root), 1)

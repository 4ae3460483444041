"""Specifies what happens when a checkout is deleted, moved or copied while its services run."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devinit.system.paths import socket_path
from tests.places import require_git, state_of
from tests.supervisor.conftest import Shop, end, wait_for_end

At = Callable[[Path], Shop]


@pytest.fixture
def running(shop: Shop, port: int) -> Shop:
    """A project with a service that listens and one that does not."""
    shop.service("web", port=port)
    shop.service("worker", ready={"after": 0.05})
    shop.up()
    return shop


@pytest.fixture
def at() -> Iterator[At]:
    """Work on a project that is in a folder already."""
    shops: list[Shop] = []

    def find(root: Path) -> Shop:
        shops.append(Shop.at(root))
        return shops[-1]

    yield find
    for shop in shops:
        shop.finish()


def expect_all_over(shop: Shop, supervisor: int) -> None:
    wait_for_end(supervisor)
    assert shop.every_pid() == []
    assert shop.leases() == []
    assert not socket_path(shop.root).exists()


class TestACheckoutThatIsDeleted:
    def test_takes_its_services_and_its_supervisor_along(self, running: Shop) -> None:
        supervisor = running.supervisor()

        shutil.rmtree(running.root)

        expect_all_over(running, supervisor)
        assert not running.root.exists()

    def test_does_so_also_with_the_folder_above_it(self, running: Shop, tmp_path: Path) -> None:
        supervisor = running.supervisor()

        shutil.rmtree(tmp_path)

        expect_all_over(running, supervisor)

    def test_as_a_linked_worktree_does_so_too(self, running: Shop, tmp_path: Path, at: At) -> None:
        require_git()
        git = ["git", "-C", str(running.root)]
        author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        subprocess.run([*git, "init", "--quiet"], check=True)
        subprocess.run([*git, "add", "devinit.toml", "service.py"], check=True)
        subprocess.run([*git, *author, "commit", "--quiet", "-m", "begin"], check=True)
        linked = tmp_path / "linked"
        subprocess.run([*git, "worktree", "add", "--quiet", "-b", "feature", str(linked)], check=True)
        other = at(linked)
        other.up()
        supervisor = other.supervisor()

        subprocess.run([*git, "worktree", "remove", "--force", str(linked)], check=True)

        wait_for_end(supervisor)
        assert not linked.exists()
        assert other.pids("web") == []
        assert running.status()["web"]["phase"] == "ready"


class TestAnotherFolderInPlaceOfACheckoutThatRan:
    @pytest.mark.parametrize("left_out", [".*", ""], ids=["a clone", "a copy with everything in it"])
    def test_is_started_anew_and_what_ran_there_is_stopped(
        self, running: Shop, tmp_path: Path, left_out: str
    ) -> None:
        supervisor, before = running.supervisor(), running.status()["web"]["pid"]
        ignored = shutil.ignore_patterns(left_out)
        other = shutil.copytree(running.root, tmp_path / "other", ignore=ignored)

        shutil.rmtree(running.root)
        other.rename(running.root)
        running.up()

        wait_for_end(supervisor)
        wait_for_end(before)
        assert running.status()["web"]["phase"] == "ready"


class TestACheckoutThatIsMoved:
    def test_is_stopped_and_can_be_started_where_it_is_now(
        self, running: Shop, tmp_path: Path, at: At
    ) -> None:
        supervisor = running.supervisor()

        moved = at(running.root.rename(tmp_path / "moved"))

        expect_all_over(running, supervisor)
        text = (moved.root / "devinit.toml").read_text()
        (moved.root / "devinit.toml").write_text(text.replace(str(running.root), str(moved.root)))
        moved.up()
        assert moved.status()["web"]["phase"] == "ready"
        assert moved("stop").returncode == 0

    def test_is_stopped_also_when_a_folder_above_it_is_moved(self, running: Shop, tmp_path: Path) -> None:
        supervisor = running.supervisor()

        tmp_path.rename(tmp_path.with_name(tmp_path.name + "-moved"))

        expect_all_over(running, supervisor)

    def test_and_moved_back_at_once_runs_on(self, running: Shop, tmp_path: Path) -> None:
        away = tmp_path / "away"
        with running.subscribe() as events:
            before = running.status()["web"]["pid"]

            running.root.rename(away).rename(running.root)
            events.ask("ping")

        assert running.status()["web"]["pid"] == before


class TestAFolderThatWasCopied:
    def test_has_nothing_to_do_with_the_supervisor_of_the_original(
        self, running: Shop, tmp_path: Path, at: At
    ) -> None:
        socket_path(running.root).rename(tmp_path / "elsewhere.sock")
        (state_of(running.root) / "socket").write_text(f"{tmp_path / 'elsewhere.sock'}\n")
        shutil.copytree(running.root, tmp_path / "copy")
        copy = at(tmp_path / "copy")

        assert copy.status()["web"]["phase"] == "stopped"
        assert running.status()["web"]["phase"] == "ready"


class TestADatabaseWhoseFolderWasDeleted:
    @pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs a redis-server")
    def test_is_not_begun_anew_behind_everybodys_back(self, shop: Shop, port: int) -> None:
        shop.write(more=f'[services.cache]\nprovider = "redis"\nport = {port}\n')
        shop.up()
        pid = shop.status()["cache"]["pid"]
        with shop.subscribe() as events:
            shutil.rmtree(state_of(shop.root))

            end(pid, signal.SIGKILL)

            failed = events.until(type="phase", service="cache", phase="failed")
        assert f"{state_of(shop.root)} was deleted while cache ran" in failed["reason"]
        assert not (state_of(shop.root) / "data").exists()

        shop.up()
        assert shop.status()["cache"]["phase"] == "ready"
        shop("stop")

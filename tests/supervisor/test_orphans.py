"""Specifies services that run although nobody looks after them and nothing is on record."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import state_of
from tests.supervisor.conftest import FreePorts, Shop


@pytest.fixture
def orphaned(shop: Shop, free_ports: FreePorts) -> Shop:
    """A project whose supervisor was killed, and whose `.devinit` was deleted."""
    web, debugger = free_ports(2)
    shop.service("web", port=web, extra_ports={"debugger": debugger})
    shop.service("worker", "stubborn", ready={"after": 0.05}, stop={"grace": 0.2})
    shop.up()
    shop.kill_supervisor()
    shutil.rmtree(state_of(shop.root))
    return shop


class TestServicesThatNobodyHasOnRecord:
    def test_are_told_by_status(self, orphaned: Shop) -> None:
        port = orphaned.ports()["web"]

        web = orphaned.status()["web"]

        assert (web["phase"], web["port"]) == ("orphaned", port)
        assert "`devinit stop` ends it" in web["reason"]
        assert "⚠ Orphaned: runs without a supervisor" in orphaned("status").stdout

    def test_are_ended_by_stop(self, orphaned: Shop) -> None:
        done = orphaned("stop", "--json")

        assert json.loads(done.stdout.splitlines()[-1])["services"] == ["web", "worker"]
        orphaned.expect_nothing_left()
        assert orphaned("stop").stderr == "nothing runs\n"

    def test_are_ended_one_by_one_when_one_is_named(self, orphaned: Shop) -> None:
        assert orphaned("stop", "web").returncode == 0

        assert orphaned.pids("web") == []
        assert len(orphaned.pids("worker")) == 1

    def test_without_a_port_are_ended_too(self, orphaned: Shop) -> None:
        orphaned("stop", "web")

        assert orphaned("stop").returncode == 0

        orphaned.expect_nothing_left()

    def test_are_ended_although_the_configuration_is_broken(self, orphaned: Shop) -> None:
        (orphaned.root / "devinit.toml").write_text("[services")

        assert orphaned("stop").returncode == 0

        assert orphaned.pids("web") == []

    def test_are_replaced_by_a_start(self, orphaned: Shop) -> None:
        [before] = orphaned.pids("web")

        orphaned.up()

        assert before not in orphaned.pids("web")
        assert orphaned.status()["web"]["phase"] == "ready"


class TestServicesOfADeletedFolderWithoutASupervisor:
    @pytest.fixture
    def deleted(self, orphaned: Shop) -> Shop:
        shutil.rmtree(orphaned.root)
        return orphaned

    def test_are_listed_with_the_way_out(self, deleted: Shop, tmp_path: Path) -> None:
        answer = elsewhere(tmp_path, "status", "--all", "--json")

        [project] = json.loads(answer.stdout)["projects"]
        assert (project["state"], project["project"]) == ("gone", "shop")
        assert {each["name"]: each["phase"] for each in project["services"]}["web"] == "orphaned"
        assert f"devinit -C {deleted.root} stop" in project["advice"]

    def test_are_ended_by_a_stop_in_that_folder(self, deleted: Shop, tmp_path: Path) -> None:
        done = deleted("stop")

        assert done.returncode == 0, done.stderr
        assert "stopped web" in done.stderr
        assert deleted.pids("web") == []
        assert not deleted.root.exists()
        assert json.loads(elsewhere(tmp_path, "status", "--all", "--json").stdout) == {"projects": []}

    def test_are_not_invented_for_a_folder_that_never_was(self, shop: Shop, tmp_path: Path) -> None:
        done = elsewhere(tmp_path, "-C", str(tmp_path / "nowhere"), "stop")

        assert done.returncode == 2
        assert "there is no such folder" in done.stderr
        assert "devinit status --all" in done.stderr


def elsewhere(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command outside of any project."""
    return subprocess.run(
        [sys.executable, "-m", "devinit", *words],
        cwd=folder,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class TestARedisOfADeletedFolder:
    def test_is_ended_although_it_writes_its_title_over_its_mark(
        self, shop: Shop, port: int, tmp_path: Path
    ) -> None:
        shop.server("redis", provider="redis", port=port)
        shop.up()
        assert shop.leases() == [port]
        shop.kill_supervisor()
        shutil.rmtree(shop.root)
        other = Shop(tmp_path / "other")

        ended = other("doctor", "--fix")

        assert "ended redis" in ended.stderr
        assert shop.leases() == []


class TestWhy:
    def test_says_as_status_does_that_a_service_runs_without_a_supervisor(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()
        (state_of(shop.root) / "state.json").unlink()

        report = json.loads(shop("why", "web", "--json").stdout)

        assert report["phase"] == "orphaned"
        assert report["reason"] == "it runs without a supervisor: `devinit stop web` ends it"

"""Specifies what happens when somebody cleans, edits or borrows a checkout while its services run."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.system.paths import socket_path
from tests.places import state_of
from tests.supervisor.conftest import end, wait_for_end

if TYPE_CHECKING:
    from tests.conftest import Machine
    from tests.supervisor.conftest import FreePorts, Shop

AS_ROOT = os.geteuid() == 0
NOBODY = 65534


class TestACheckoutThatWasCleaned:
    def test_while_the_supervisor_runs_can_still_be_restarted(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shutil.rmtree(state_of(shop.root))

        assert shop("restart", "web").returncode == 0

        assert shop.status()["web"]["phase"] == "ready"

    def test_after_the_supervisor_was_killed_runs_nothing_twice(self, shop: Shop) -> None:
        shop.service("worker", "note=notes", "say=noted", ready={"log": "noted"})
        shop.up()
        before = shop.status()["worker"]["pid"]
        shop.kill_supervisor()
        shutil.rmtree(state_of(shop.root))

        shop.up()

        assert len(shop.pids("worker")) == 1
        assert not Path(f"/proc/{before}").exists() or before not in shop.pids("worker")


class TestASocketThatVanished:
    def test_is_made_again_by_the_next_command(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        supervisor, before = shop.supervisor(), shop.status()["web"]["pid"]
        socket_path(shop.root).unlink()

        assert shop.status()["web"]["pid"] == before

        assert shop.supervisors() == [supervisor]
        assert socket_path(shop.root).exists()

    def test_together_with_its_folder_is_made_again(self, shop: Shop, port: int, machine: Machine) -> None:
        shop.service("web", port=port)
        shop.up()
        supervisor = shop.supervisor()
        shutil.rmtree(machine.runtime)

        assert shop("stop").returncode == 0

        wait_for_end(supervisor)
        shop.expect_nothing_left()

    def test_does_not_disturb_who_is_connected_already(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        with shop.subscribe() as events:
            socket_path(shop.root).unlink()

            assert shop("restart", "web").returncode == 0

            events.until(type="phase", service="web", phase="ready")

    def test_is_not_replaced_where_another_supervisor_listens_by_now(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        path, supervisor = socket_path(shop.root), shop.supervisor()
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))

            end(supervisor, signal.SIGTERM)

            assert path.exists()

    def test_of_a_supervisor_that_is_stuck_is_told_with_its_pid(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        supervisor = shop.supervisor()
        socket_path(shop.root).unlink()
        os.kill(supervisor, signal.SIGSTOP)

        done = shop("status")

        os.kill(supervisor, signal.SIGCONT)
        assert done.returncode == 5
        assert f"another supervisor (pid {supervisor})" in done.stderr
        assert f"kill -9 {supervisor}" in done.stderr


class TestAFixedPort:
    def test_that_was_edited_counts_from_the_next_restart_on(self, shop: Shop, free_ports: FreePorts) -> None:
        old, new = free_ports(2)
        shop.service("web", port=old, strict_port=True)
        shop.up()
        shop.service("web", port=new, strict_port=True)

        assert shop("restart", "web").returncode == 0

        assert shop.status()["web"]["port"] == new


class TestAnEditedService:
    def test_that_runs_already_is_told_to_be_as_it_was(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.service("web", port=port, env={"COLOUR": "red"})

        done = shop("start", "web")

        assert "web runs as it was configured before: `devinit restart web`" in done.stderr


class TestAnAddressThatChanged:
    def test_is_told_to_those_that_run_already(self, shop: Shop, free_ports: FreePorts) -> None:
        api, web = free_ports(2)
        shop.service("api", port=api)
        shop.service("web", port=web, depends_on=["api"])
        shop.up("api")
        before = shop.status()["api"]["pid"]

        done = shop("start", "web", WEB_PORT=str(web + 50))

        assert done.returncode == 0
        assert shop.status()["web"]["port"] == web + 50
        assert shop.status()["api"]["pid"] != before
        assert f"http://localhost:{web + 50}" in shop.environment()["CORS_ORIGINS"]
        assert shop.ports().get("web") != web + 50  # what a variable asks for holds for this start only


@pytest.mark.skipif(not AS_ROOT, reason="only root can be somebody else's trouble")
class TestAnotherUser:
    def test_who_runs_the_checkout_is_not_replaced_by_root(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()
        os.chown(shop.root / ".devinit", NOBODY, NOBODY)

        done = shop("status")

        assert done.returncode == 5
        assert "was started by user nobody" in done.stderr
        assert shop.supervisors() == []
        os.chown(shop.root / ".devinit", 0, 0)

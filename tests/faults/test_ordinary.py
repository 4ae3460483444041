"""Faults that every process manager meets: codes, folders, programs, clocks and signals."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from devinit.model.service import RestartPolicy
from devinit.model.status import Phase
from devinit.supervisor.lifecycle import BecameReady, Exited, LifecycleState, Wait, advance

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop


class TestAOneShot:
    @pytest.mark.parametrize(("code", "exit_code", "phase"), [(0, 0, "exited"), (1, 1, "failed")])
    def test_counts_by_its_exit_code(self, shop: Shop, code: int, exit_code: int, phase: str) -> None:
        shop.service("work", f"exit={code}")

        assert shop.begin("start").finish() == exit_code
        assert shop.status()["work"]["phase"] == phase

    def test_that_never_ends_is_a_worker_that_stays_up(self, shop: Shop) -> None:
        shop.service("work", "never", ready={"after": 0.1})

        shop.up()

        assert shop.status()["work"]["phase"] == "ready"

    def test_that_did_its_work_lets_its_dependants_go(self, shop: Shop, port: int) -> None:
        shop.service("work", "exit=0")
        shop.service("web", port=port, depends_on=["work"])

        shop.up()


class TestACommandThatCannotBeRun:
    def test_for_its_folder_vanished_is_told(self, shop: Shop, port: int) -> None:
        (shop.root / "web").mkdir()
        shop.service("web", port=port, directory="web")
        shop.up()
        assert shop("stop").returncode == 0
        (shop.root / "web").rmdir()

        answer = shop("start")

        assert answer.returncode == 2
        assert f"{shop.root}/web does not exist" in answer.stderr

    def test_for_it_is_not_executable_is_told(self, shop: Shop, port: int) -> None:
        (shop.root / "server").write_text("#!/bin/sh\n")
        shop.service("web", port=port, command="./server")

        assert shop.begin("start").finish() == 1
        assert "server" in shop.status()["web"]["reason"]

    def test_for_its_interpreter_is_missing_is_told(self, shop: Shop, port: int) -> None:
        (shop.root / "server").write_text("#!/no/such/interpreter\n")
        (shop.root / "server").chmod(0o755)
        shop.service("web", port=port, command="./server")

        assert shop.begin("start").finish() == 1
        assert "server" in shop.status()["web"]["reason"]


class TestAClockThatGoesBackwards:
    def test_does_not_make_a_restart_wait_for_ever(self) -> None:
        """Time is monotonic; even if it were not, a delay follows from counts, never from a difference of times."""
        ready, _ = advance(LifecycleState(phase=Phase.STARTING), BecameReady(), 1000.0, RestartPolicy())

        state, actions = advance(ready, Exited(1), 10.0, RestartPolicy())

        assert state.phase is Phase.BACKOFF
        assert [action.seconds for action in actions if isinstance(action, Wait)] == [0.0]


class TestASignalToTheSupervisor:
    @pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTSTP, signal.SIGWINCH])
    def test_from_a_terminal_changes_nothing(self, shop: Shop, port: int, number: signal.Signals) -> None:
        shop.service("web", port=port)
        shop.up()
        before = shop.status()["web"]["pid"]
        supervisor = shop.supervisor()

        os.kill(supervisor, number)
        os.kill(supervisor, signal.SIGCONT)

        assert shop.supervisor() == supervisor
        assert shop.status()["web"]["pid"] == before

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_to_end_leaves_the_services_running(self, shop: Shop, port: int, number: signal.Signals) -> None:
        shop.service("web", port=port)
        shop.up()
        before = shop.status()["web"]["pid"]

        shop.kill_supervisor(number)

        assert shop.status()["web"]["pid"] == before


class TestCommandsAtTheSameMoment:
    def test_stop_during_a_restart_leaves_nothing(self, shop: Shop, port: int) -> None:
        shop.service("web", "stubborn", port=port, stop={"grace": 0.5})
        shop.up()
        restart = shop.begin("restart", "web")
        restart.until(type="phase", service="web", phase="stopping")

        assert shop("stop").returncode == 0

        restart.finish()
        shop.expect_nothing_left()

    def test_start_during_a_stop_brings_up_one(self, shop: Shop, port: int) -> None:
        shop.service("web", "stubborn", "note=notes", port=port, stop={"grace": 0.5})
        shop.up()
        stop = shop.begin("stop")
        stop.until(type="phase", service="web", phase="stopping")

        shop.up()

        assert stop.finish() == 0
        assert len(shop.pids("web")) == 1
        assert len(shop.notes()) == 2

    def test_restarts_from_two_terminals_never_lead_to_two(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("base", port=ports[0])
        shop.service("web", port=ports[1], depends_on=["base"])
        shop.up()

        restarts = [shop.begin("restart", name) for name in ("web", "base", "web", "all")]

        assert {restart.finish() for restart in restarts} == {0}
        assert [len(shop.pids(name)) for name in ("base", "web")] == [1, 1]

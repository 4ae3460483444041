"""Specifies what survives a supervisor that is killed, and commands that come at the wrong moment."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import msgspec
import pytest

from devinit.supervisor.record.state_file import read_state, write_state
from devinit.system.listeners import tcp_listeners
from tests.places import state_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import FreePorts, Shop, Stranger, Until

HELD = "cat held"
"""Reads a FIFO: keeps a service from starting until the test writes to it."""


def is_on_record(private: Path) -> bool:
    """Whether the process of a service called web is on record."""
    web = read_state(private).services.get("web")
    return web is not None and web.identity is not None


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


class TestASupervisorThatWasKilled:
    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_is_replaced_by_one_that_takes_its_services_over(
        self, shop: Shop, free_ports: FreePorts, number: signal.Signals
    ) -> None:
        ports = free_ports(2)
        shop.service("web", "note=notes", port=ports[0])
        shop.service("other", "note=notes", port=ports[1])
        shop.up()
        with shop.subscribe() as events:
            kill(shop.status()["web"]["pid"])
            events.until(type="phase", service="web", phase="ready")
        before = shop.status()

        shop.kill_supervisor(number)

        after = shop.status()
        for name in ("web", "other"):
            for key in ("pid", "port", "phase", "restarts"):
                assert after[name][key] == before[name][key]
        assert after["web"]["restarts"] == 1
        assert len(shop.notes()) == 3
        assert len(shop.supervisors()) == 1

    def test_leaves_services_that_answer_write_logs_and_keep_their_leases(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", port=port)
        shop.up()

        shop.kill_supervisor()

        assert [listener.port for listener in tcp_listeners(port)] == [port]
        assert shop.leases() == [port]

    def test_can_be_followed_by_a_stop(self, shop: Shop, port: int) -> None:
        shop.service("web", "fork", port=port)
        shop.up()
        shop.kill_supervisor()

        assert shop("stop").returncode == 0

        shop.expect_nothing_left()

    def test_can_be_followed_by_a_start_that_starts_nothing(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port)
        shop.up()
        shop.kill_supervisor()

        shop.up()

        assert len(shop.notes()) == 1

    def test_does_not_hide_that_a_service_died_meanwhile(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port)
        shop.up()
        before = shop.status()["web"]["pid"]
        shop.kill_supervisor()
        kill(before)

        shop.up()

        after = shop.status()["web"]
        assert (after["phase"], after["restarts"], after["port"]) == ("ready", 1, port)
        assert len(shop.notes()) == 2

    def test_while_a_service_starts_hands_the_same_process_over(
        self, shop: Shop, port: int, until: Until
    ) -> None:
        shop.service("web", "say=up", "note=notes", port=port, ready={"exec": "test -e allowed"})
        command = shop.begin("start")
        command.until(type="phase", service="web", phase="starting")
        until(lambda: len(shop.notes()) == 1, shop.root / "notes")
        private = state_of(shop.root)
        until(lambda: is_on_record(private), private / "state.json")
        shop.kill_supervisor()
        command.finish()

        (shop.root / "allowed").touch()
        shop.up()

        assert shop.status()["web"]["pid"] == shop.notes()[0]["pid"]
        assert len(shop.notes()) == 1

    def test_while_a_service_starts_leaves_nobody_who_knows_how_long_that_took(
        self, shop: Shop, port: int, until: Until
    ) -> None:
        shop.service("web", port=port, ready={"exec": "test -e allowed"})
        command = shop.begin("start")
        command.until(type="phase", service="web", phase="starting")
        private = state_of(shop.root)
        until(lambda: is_on_record(private), private / "state.json")
        shop.kill_supervisor()
        command.finish()

        command = shop.begin("start")
        command.until(type="plan")
        (shop.root / "allowed").touch()

        assert command.until(type="phase", service="web", phase="ready")["ready_seconds"] is None

    def test_while_a_service_waits_goes_on_with_the_start(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("db", "note=notes", port=ports[0], before_start=HELD)
        shop.service("web", "note=notes", port=ports[1], depends_on=["db"])
        os.mkfifo(shop.root / "held")
        command = shop.begin("start")
        command.until(type="progress", service="db", message=f"running {HELD}")
        shop.kill_supervisor()
        command.finish()

        assert shop.status()["web"]["phase"] == "waiting"
        (shop.root / "held").write_text("go")
        shop.up()

        assert [note["DEVINIT_RUN"].partition("/")[2].partition("@")[0] for note in shop.notes()] == [
            "db",
            "web",
        ]

    def test_during_a_back_off_does_not_forget_the_service(self, shop: Shop, port: int) -> None:
        shop.service("web", "fails-while=broken", port=port, restart={"failures": 50})
        shop.up()
        (shop.root / "broken").touch()
        with shop.subscribe() as events:
            kill(shop.status()["web"]["pid"])
            for _ in range(4):
                events.until(type="phase", service="web", phase="backoff")
        (shop.root / "broken").unlink()
        shop.kill_supervisor()

        shop.up()

        assert shop.status()["web"]["restarts"] >= 1

    def test_during_a_stop_is_followed_by_the_rest_of_it(self, shop: Shop, port: int) -> None:
        shop.service("web", "stubborn", port=port, stop={"grace": 1})
        shop.up()
        supervisor = shop.supervisor()
        command = shop.begin("stop")
        command.until(type="phase", service="web", phase="stopping")
        kill(supervisor)
        command.finish()

        assert shop("stop").returncode == 0

        shop.expect_nothing_left()

    def test_leaves_a_bystander_with_a_recycled_number_alone(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        before = shop.status()["web"]["pid"]
        shop.kill_supervisor()
        kill(before)
        bystander = stranger(port + 5)
        state = read_state(state_of(shop.root))
        record = state.services["web"]
        assert record.identity is not None
        identity = msgspec.structs.replace(record.identity, pid=bystander)
        services = {"web": msgspec.structs.replace(record, identity=identity)}
        write_state(state_of(shop.root), msgspec.structs.replace(state, services=services))

        assert shop("stop").returncode == 0

        assert [listener.port for listener in tcp_listeners(port + 5)] == [port + 5]

    def test_before_the_machine_was_started_again_starts_nothing(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port)
        shop.up()
        before = shop.status()["web"]["pid"]
        shop.kill_supervisor()
        kill(before)
        state = read_state(state_of(shop.root))
        write_state(state_of(shop.root), msgspec.structs.replace(state, boot_id="another"))

        assert shop.status()["web"]["phase"] == "stopped"
        assert len(shop.notes()) == 1

    def test_and_a_broken_ports_file_still_let_the_services_be_stopped(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()
        (shop.root / ".ports.json").write_text("{")

        assert shop("stop").returncode == 0

        shop.expect_nothing_left()

    def test_and_a_broken_configuration_still_let_the_services_be_stopped(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()
        (shop.root / "devinit.toml").write_text("[services")

        assert shop("stop").returncode == 0

        shop.expect_nothing_left()

    def test_and_a_state_file_that_cannot_be_read_are_told_by_its_name(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()
        state = state_of(shop.root) / "state.json"
        state.write_text('{"services": {"web": 1}}')

        answer = shop("start")

        assert answer.returncode == 5
        assert f"{state} cannot be read" in answer.stderr
        assert state.read_text() == '{"services": {"web": 1}}'

    def test_and_a_lost_state_file_do_not_lead_to_a_second_instance(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        before = shop.status()["web"]["pid"]
        shop.kill_supervisor()
        (state_of(shop.root) / "state.json").unlink()

        shop.up()

        after = shop.status()["web"]
        assert after["port"] == port
        assert shop.pids("web") == [after["pid"]] != [before]


class TestABrokenConfiguration:
    def test_does_not_keep_what_runs_from_being_looked_at_and_stopped(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        (shop.root / "devinit.toml").write_text("[services")

        refused = shop("start")

        assert refused.returncode == 2
        assert "devinit.toml, line 1" in refused.stderr
        assert shop.status()["web"]["phase"] == "ready"
        assert shop("stop").returncode == 0
        shop.expect_nothing_left()

    def test_in_a_template_leaves_everything_as_it_was(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.service("extra", port=port + 1)
        shop.write(more='[environment]\nX = "${NO_SUCH_NAME}"')

        refused = shop("start")

        assert refused.returncode == 2
        assert "NO_SUCH_NAME" in refused.stderr
        assert shop.status()["web"]["phase"] == "ready"

    def test_in_a_template_does_not_stop_what_has_left_the_configuration(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(2)
        shop.service("web", port=ports[0])
        shop.service("gone", port=ports[1])
        shop.up()
        shop.remove("gone")
        shop.write(more='[environment]\nX = "${NO_SUCH_NAME}"')

        assert shop("start").returncode == 2

        assert {name: each["phase"] for name, each in shop.status().items()} == {
            "web": "ready",
            "gone": "ready",
        }

    def test_without_a_service_that_runs_stops_it_at_the_next_start(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(2)
        shop.service("web", port=ports[0])
        shop.service("gone", port=ports[1])
        shop.up()

        shop.remove("gone")
        shop.up()

        assert list(shop.status()) == ["web"]
        assert shop.pids("gone") == []
        assert shop.leases() == [ports[0]]

    def test_that_was_deleted_still_lets_what_runs_be_stopped(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        (shop.root / "devinit.toml").unlink()

        assert shop("stop").returncode == 0

        shop.expect_nothing_left()


class TestAFileThatCannotBeWritten:
    @pytest.mark.parametrize("name", [".env.runtime", ".ports.json"])
    def test_refuses_the_start_by_its_name_and_leaves_nothing(self, shop: Shop, port: int, name: str) -> None:
        shop.service("web", port=port)
        (shop.root / name).mkdir()

        answer = shop("start")

        assert answer.returncode == 2
        assert str(shop.root / name) in answer.stderr
        shop.expect_nothing_left()


class TestTwoCommandsAtOnce:
    def test_a_start_while_a_failed_run_still_ends_waits_for_that(self, shop: Shop, port: int) -> None:
        shop.service(
            "web",
            "never",
            "stubborn",
            "note=notes",
            port=port,
            ready={"timeout": 0.3},
            stop={"grace": 0.5},
        )
        assert shop.begin("start").finish() == 4

        assert shop.begin("start").finish() == 4

        assert len(shop.notes()) == 2
        assert shop("stop").returncode == 0
        shop.expect_nothing_left()

    def test_that_start_lead_to_one_supervisor_and_one_process_each(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(2)
        shop.service("db", "note=notes", port=ports[0])
        shop.service("web", "note=notes", port=ports[1], depends_on=["db"])

        commands = [shop.begin("start") for _ in range(4)]

        assert [command.finish() for command in commands] == [0] * 4
        assert len(shop.supervisors()) == 1
        assert len(shop.notes()) == 2

    def test_a_stop_during_a_start_wins(self, shop: Shop, port: int) -> None:
        shop.service("web", "never", port=port)
        start = shop.begin("start")
        start.until(type="phase", service="web", phase="starting")

        assert shop("stop").returncode == 0

        assert start.finish() == 1
        shop.expect_nothing_left()

    def test_a_stop_during_before_start_ends_that_command(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, before_start="exec sleep 1000")
        start = shop.begin("start")
        start.until(type="progress", service="web", message="running exec sleep 1000")

        assert shop("stop").returncode == 0

        assert start.finish() == 1
        shop.expect_nothing_left()

    def test_a_stop_during_set_up_ends_that_command(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, setup=["exec sleep 1000"])
        start = shop.begin("start")
        start.until(type="progress", service="web", message="setting up: exec sleep 1000")

        assert shop("stop").returncode == 0

        assert start.finish() == 1
        shop.expect_nothing_left()

    def test_a_start_during_a_stop_waits_for_its_end(self, shop: Shop, port: int) -> None:
        shop.service("web", "stubborn", "note=notes", port=port, stop={"grace": 0.5})
        shop.up()
        stop = shop.begin("stop")
        stop.until(type="phase", service="web", phase="stopping")

        shop.up()

        assert stop.finish() == 0
        assert shop.status()["web"]["phase"] == "ready"
        assert len(shop.pids("web")) == 1
        assert len(shop.notes()) == 2

    def test_a_restart_of_what_waits_for_another_leads_to_one_process(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(2)
        shop.service("db", port=ports[0], before_start=HELD)
        shop.service("web", "note=notes", port=ports[1], depends_on=["db"])
        os.mkfifo(shop.root / "held")
        start = shop.begin("start")
        start.until(type="phase", service="db", phase="starting")

        restart = shop.begin("restart", "web")
        restart.until(type="plan")
        (shop.root / "held").write_text("go")

        assert restart.finish() == 0
        assert start.finish() == 0
        assert len(shop.notes()) == 1

    def test_restarts_of_one_service_lead_to_one_process(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port)
        shop.up()

        commands = [shop.begin("restart", "web") for _ in range(4)]

        assert [command.finish() for command in commands] == [0] * 4
        assert shop.pids("web") == [shop.status()["web"]["pid"]]

    def test_stops_and_starts_again_and_again_never_fail(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        for _ in range(8):
            shop.up()
            stop, start = shop.begin("stop"), shop.begin("start")

            assert (stop.finish(), start.finish()) in [(0, 0), (0, 1)]
            assert shop("stop").returncode == 0


class TestCtrlC:
    def test_stops_what_this_start_was_bringing_up_and_nothing_else(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(2)
        shop.service("db", port=ports[0])
        shop.service("web", "never", port=ports[1], depends_on=["db"])
        shop.up("db")
        start = shop.begin("start")
        start.until(type="phase", service="web", phase="starting")

        start.process.send_signal(signal.SIGINT)

        assert start.finish() == 130
        assert {name: each["phase"] for name, each in shop.status().items()} == {
            "db": "ready",
            "web": "stopped",
        }

    def test_before_its_turn_has_come_begins_nothing(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("old", "stubborn", port=ports[0], stop={"grace": 1})
        shop.service("web", port=ports[1])
        shop.up("old")
        stop = shop.begin("stop", "old")
        stop.until(type="phase", service="old", phase="stopping")
        start = shop.begin("start", "web")
        start.until(type="progress", service="old")

        start.process.send_signal(signal.SIGINT)

        assert start.finish() == 130
        assert stop.finish() == 0
        assert shop.status()["web"]["phase"] == "stopped"


class TestASupervisor:
    def test_keeps_nothing_open_that_its_caller_had_open(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        readable, writable = os.pipe()
        command = [*shop.program(), "start"]
        subprocess.run(command, pass_fds=[writable], capture_output=True, check=True)

        os.close(writable)

        with os.fdopen(readable, "rb") as pipe:
            assert pipe.read() == b""

    def test_lets_services_react_to_a_closed_terminal_as_they_like(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, stop={"signal": "HUP", "grace": 20})
        shop.up()

        assert shop("stop").returncode == 0

        assert "still running" not in shop.log("supervisor")

    def test_survives_a_closed_terminal(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        before = shop.supervisor()

        os.kill(before, signal.SIGHUP)

        assert shop.supervisor() == before

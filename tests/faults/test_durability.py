"""Faults of the supervision itself: it is killed, stopped, or finds on record what is not true any more."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from devinit.supervisor.record.state_file import ServiceRecord, read_state, write_state
from devinit.system.listeners import tcp_listeners
from devinit.system.paths import socket_path
from devinit.system.processes import identity_of
from tests.places import state_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.supervisor.conftest import FreePorts, Shop, Stranger

MOMENTS = 12


def rewrite(shop: Shop, **changes: object) -> None:
    """Change what is on record of the service, as another run would have left it."""
    private = state_of(shop.root)
    state = read_state(private)
    web: ServiceRecord = msgspec.structs.replace(state.services["web"], **changes)
    write_state(private, msgspec.structs.replace(state, services={"web": web}))


class TestASupervisorThatWasKilled:
    def test_is_followed_by_one_that_knows_pid_uptime_restarts_and_lease(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        with shop.subscribe() as events:
            shop.end_process(shop.status()["web"]["pid"])
            events.until(type="phase", service="web", phase="ready")
        before = shop.status()["web"]
        shop.kill_supervisor()
        seen = time.time()

        after = shop.status()["web"]

        assert (after["pid"], after["port"], after["restarts"]) == (before["pid"], port, 1)
        assert before["uptime_seconds"] < after["uptime_seconds"]
        assert after["uptime_seconds"] < before["uptime_seconds"] + time.time() - seen + 5
        assert shop.leases() == [port]
        shop.kill_supervisor()
        assert shop.leases() == [port]

    def test_is_followed_by_one_that_knows_for_how_long_a_service_is_ready(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        first = time.monotonic()
        before = json.loads(shop("why", "web", "--json").stdout)["since_seconds"]
        told = time.monotonic()
        shop.kill_supervisor()
        asked = time.monotonic()

        after = json.loads(shop("why", "web", "--json").stdout)["since_seconds"]

        assert before + asked - told <= after <= before + time.monotonic() - first

    def test_is_followed_by_one_that_knows_what_does_not_run(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.service("worker")
        shop.up("web")
        before = {name: each["phase"] for name, each in shop.status().items()}
        shop.kill_supervisor()

        after = {name: each["phase"] for name, each in shop.status().items()}

        assert after == before == {"web": "ready", "worker": "stopped"}

    def test_at_any_moment_leaves_a_record_that_can_be_read_and_nothing_twice(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        chance = random.Random(34)  # noqa: S311  the same moments again and again
        ports = free_ports(2)
        shop.service("db", port=ports[0])
        shop.service("web", port=ports[1], depends_on=["db"])
        for _ in range(MOMENTS):
            command = shop.begin(*chance.choice((("start",), ("stop",), ("restart",), ("restart", "db"))))
            time.sleep(chance.uniform(0, 0.6))
            for pid in shop.supervisors():
                os.kill(pid, signal.SIGKILL)
            command.finish()
            read_state(state_of(shop.root))
            assert len(shop.supervisors()) <= 1

        shop.up()

        for name, number in zip(("db", "web"), ports, strict=True):
            assert shop.pids(name) == [shop.status()[name]["pid"]]
            assert shop.ports()[name] == number
        assert not [*shop.root.glob(".*.tmp"), *state_of(shop.root).glob(".*.tmp")]
        assert shop("stop").returncode == 0
        shop.expect_nothing_left()

    def test_in_the_middle_of_a_write_leaves_no_half_file_for_good(self, shop: Shop, port: int) -> None:
        gone = subprocess.Popen(["true"])
        gone.wait()
        private = state_of(shop.root)
        private.mkdir(parents=True)
        torn = [
            private / f".state.json.{gone.pid}.0123abcd.tmp",
            shop.root / f"..env.runtime.{gone.pid}.0123abcd.tmp",
        ]
        others = [
            shop.root / f"..env.runtime.{os.getpid()}.0123abcd.tmp",
            shop.root / f".notes.{gone.pid}.0123abcd.tmp",
            shop.root / ".env.runtime.tmp",
        ]
        for path in (*torn, *others):
            path.write_text("SECRET=")
        shop.service("web", port=port)

        shop.up()

        assert [path.exists() for path in torn] == [False, False]
        assert [path.exists() for path in others] == [True, True, True]


class TestAServiceThatDiedWhileItsSupervisorWasDead:
    def test_stays_down_where_that_is_the_policy_and_says_so(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port, restart="never")
        shop.up()
        pid = shop.status()["web"]["pid"]
        shop.kill_supervisor()
        shop.end_process(pid)

        status = shop.status()["web"]

        assert (status["phase"], status["pid"], status["restarts"]) == ("failed", None, 0)
        assert status["reason"]
        assert len(shop.notes()) == 1
        shop.up()
        assert len(shop.notes()) == 2

    def test_without_a_port_is_started_again(self, shop: Shop) -> None:
        shop.service("worker", "note=notes", "say=noted", ready={"log": "noted"})
        shop.up()
        pid = shop.status()["worker"]["pid"]
        shop.kill_supervisor()
        shop.end_process(pid)

        shop.up()

        status = shop.status()["worker"]
        assert (status["phase"], status["restarts"]) == ("ready", 1)
        assert shop.pids("worker") == [status["pid"]] != [pid]


class TestANumberThatTheKernelGaveToABystander:
    def test_is_not_taken_for_the_service_and_the_bystander_never_signalled(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        shop.service("web", "note=notes", port=port)
        shop.up()
        record = read_state(state_of(shop.root)).services["web"]
        assert record.identity is not None
        shop.kill_supervisor()
        shop.end_process(record.identity.pid)
        bystander = stranger(port + 5)
        before = identity_of(bystander)
        rewrite(shop, identity=msgspec.structs.replace(record.identity, pid=bystander))

        shop.up()

        status = shop.status()["web"]
        assert (status["phase"], status["restarts"]) == ("ready", 1)
        assert status["pid"] != bystander
        assert shop("restart").returncode == shop("stop", "--force").returncode == 0
        assert identity_of(bystander) == before
        assert [listener.port for listener in tcp_listeners(port + 5)] == [port + 5]


class TestAClockThatWasSet:
    @pytest.mark.parametrize("hours", [-2, 2])
    def test_between_two_supervisors_makes_no_other_process_of_a_service(
        self, shop: Shop, port: int, hours: int
    ) -> None:
        shop.service("web", "note=notes", port=port)
        shop.up()
        pid = shop.status()["web"]["pid"]
        shop.kill_supervisor()
        rewrite(shop, started_at=time.time() + hours * 3600)

        status = shop.status()["web"]

        assert (status["pid"], status["phase"], status["restarts"]) == (pid, "ready", 0)
        assert status["uptime_seconds"] >= 0
        assert len(shop.notes()) == 1


@pytest.fixture
def containers(shop: Shop) -> Iterator[list[subprocess.Popen[str]]]:
    """Containers as far as processes see it: numbers of their own, and an end with the first process."""
    begun: list[subprocess.Popen[str]] = []
    yield begun
    for each in begun:
        end_container(each)


def begin_container(shop: Shop, *words: str) -> subprocess.Popen[str]:
    """Run a command of devinit in a container, which says how that ended and stays."""
    script = f"{' '.join((*shop.program(), *words))} >&2; echo $?; exec sleep 1000"
    container = subprocess.Popen(
        ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert container.stdout is not None
    if not (code := container.stdout.readline()):
        _, said = container.communicate()
        pytest.skip(f"no process namespace can be made here: {said.strip()}")
    assert code == "0\n"
    return container


def end_container(container: subprocess.Popen[str]) -> None:
    container.kill()
    container.wait()
    for stream in (container.stdout, container.stderr):
        if stream is not None:
            stream.close()


class TestARecordOfAnEarlierBoot:
    def test_starts_nothing_and_is_forgotten_by_the_next_start(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port)
        shop.up()
        pid = shop.status()["web"]["pid"]
        shop.kill_supervisor()
        shop.end_process(pid)
        state = read_state(state_of(shop.root))
        write_state(state_of(shop.root), msgspec.structs.replace(state, boot_id="an earlier one"))

        assert shop.status()["web"]["phase"] == "stopped"
        assert len(shop.notes()) == 1

        shop.up()
        status = shop.status()["web"]
        assert (status["phase"], status["restarts"], status["port"]) == ("ready", 0, port)

    def test_of_a_container_starts_nothing_in_the_next_one(
        self, shop: Shop, port: int, containers: list[subprocess.Popen[str]]
    ) -> None:
        shop.service("web", "note=notes", port=port)
        containers.append(begin_container(shop, "start", "--detach"))
        assert len(shop.notes()) == 1
        end_container(containers.pop())

        containers.append(begin_container(shop, "status", "--json"))

        assert len(shop.notes()) == 1
        assert shop.status()["web"]["phase"] == "stopped"


class TestASupervisorThatWasStopped:
    def test_is_named_to_who_waits_and_goes_on_with_what_happened_meanwhile(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", "note=notes", port=port)
        shop.up()
        supervisor, before = shop.supervisor(), shop.status()["web"]["pid"]
        with shop.subscribe() as events:
            os.kill(supervisor, signal.SIGSTOP)
            shop.end_process(before)

            refused = shop("start")

            assert refused.returncode == 5
            assert f"kill -CONT {supervisor}" in refused.stderr
            os.kill(supervisor, signal.SIGCONT)
            events.until(type="phase", service="web", phase="ready")
        status = shop.status()["web"]
        assert (shop.supervisor(), status["restarts"]) == (supervisor, 1)
        assert shop.pids("web") == [status["pid"]]
        assert len(shop.notes()) == 2


class TestASocketThatIsLeftOver:
    def test_with_somebody_else_who_listens_there_is_told_and_harms_nothing(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", "note=notes", port=port)
        shop.up()
        shop.kill_supervisor()
        path = socket_path(shop.root)
        path.unlink()
        with socket.socket(socket.AF_UNIX) as squatter:
            squatter.bind(str(path))
            squatter.listen()

            told = shop("status")

            assert told.returncode == 5
            assert f"(pid {os.getpid()}) does not answer" in told.stderr
        # Its file stays behind, and nobody listens on it.
        assert path.exists()
        shop.up()
        assert len(shop.notes()) == 1


class TestASupervisorThatWasKilledDuringAStop:
    def test_is_followed_by_one_that_starts_again_what_it_finds_half_stopped(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", "stubborn", port=port, stop={"grace": 2})
        shop.up()
        with shop.subscribe() as events:
            stop = shop.begin("stop")
            events.until(type="phase", service="web", phase="stopping")
        shop.kill_supervisor()
        stop.finish()

        assert shop("start").returncode == 0

        assert shop.status()["web"]["phase"] == "ready"
        assert len(shop.pids("web")) == 1


class TestALockWithNonsenseInIt:
    def test_still_leads_to_the_supervisor_that_holds_it(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        pid, before = shop.supervisor(), shop.status()["web"]["pid"]
        (state_of(shop.root) / "supervisor.lock").write_text("[1, 2]\n")
        socket_path(shop.root).unlink()

        assert shop("start").returncode == 0

        assert shop.supervisor() == pid
        assert shop.status()["web"]["pid"] == before

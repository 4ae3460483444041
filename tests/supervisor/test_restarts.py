"""Specifies restarts: whatever becomes of the client, the question or the supervisor, what ran runs again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from devinit.control.async_client import connected
from devinit.control.client import RemoteError
from devinit.control.launch import connect_or_start
from devinit.dashboard.link import SupervisorLink
from devinit.system.paths import socket_path

if TYPE_CHECKING:
    from tests.supervisor.conftest import Event, FreePorts, Shop, Stranger, Subscription

SLOW = {"grace": 1}
"""With a service that ignores TERM: its restart is in the middle of the stop for a second."""


class Client:
    """A client that only orders, and goes away when a test says so."""

    def __init__(self, shop: Shop) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(socket_path(shop.root)))

    def order(self, method: str, **params: object) -> None:
        params = {"environ": dict(os.environ), **params}
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self._socket.sendall(json.dumps(request).encode() + b"\n")

    def go_away(self) -> None:
        self._socket.close()


def until_ready(events: Subscription, *services: str) -> None:
    """Wait until services were stopped and are ready again, in whatever order."""
    waited = set(services)
    while waited:
        waited.discard(events.until(type="phase", phase="ready")["service"])


def pids(shop: Shop) -> dict[str, int | None]:
    return {name: each["pid"] for name, each in shop.status().items()}


@pytest.fixture
def slow(shop: Shop, free_ports: FreePorts) -> Shop:
    """Two services that run and take a second to stop."""
    ports = free_ports(12)
    shop.service("db", "stubborn", port=ports[0], stop=SLOW)
    shop.service("web", "stubborn", port=ports[6], stop=SLOW, depends_on=["db"])
    shop.up()
    return shop


class TestARestartWhoseClientGoesAway:
    def test_while_the_service_stops_completes(self, slow: Shop) -> None:
        before, client = pids(slow), Client(slow)
        with slow.subscribe() as events:
            client.order("restart", services=["web"])
            events.until(type="phase", service="web", phase="stopping")

            client.go_away()

            until_ready(events, "web")
        assert pids(slow)["web"] not in (None, before["web"])
        assert pids(slow)["db"] == before["db"]

    def test_at_once_completes(self, slow: Shop) -> None:
        before, client = pids(slow), Client(slow)
        with slow.subscribe() as events:
            client.order("restart", services=["web"])
            client.go_away()

            until_ready(events, "web")
        assert pids(slow)["web"] != before["web"]

    def test_of_several_services_completes_for_each(self, slow: Shop) -> None:
        before, client = pids(slow), Client(slow)
        with slow.subscribe() as events:
            client.order("restart")
            events.until(type="phase", service="web", phase="stopped")

            client.go_away()

            until_ready(events, "db", "web")
        after = pids(slow)
        assert all(after[name] not in (None, before[name]) for name in ("db", "web"))

    def test_of_what_changed_completes(self, slow: Shop) -> None:
        before, client = pids(slow), Client(slow)
        slow.write(more='[environment]\nNEW = "1"\n')
        with slow.subscribe() as events:
            client.order("restart", only_changed=True)
            events.until(type="phase", service="db", phase="stopping")

            client.go_away()

            until_ready(events, "db", "web")
        assert not {*pids(slow).values()} & {*before.values()}

    def test_before_its_turn_has_come_completes(self, slow: Shop) -> None:
        before, client = pids(slow), Client(slow)
        with slow.subscribe() as events:
            stop = slow.begin("stop", "web")
            events.until(type="phase", service="web", phase="stopping")
            client.order("restart", services=["db"])

            client.go_away()

            assert stop.finish() == 0
            until_ready(events, "db")
        after = pids(slow)
        assert after["web"] is None
        assert after["db"] != before["db"]

    def test_starts_nothing_that_did_not_run(self, slow: Shop) -> None:
        with slow.subscribe() as events:
            assert slow("stop", "web").returncode == 0
            stop, client = slow.begin("stop", "db"), Client(slow)
            events.until(type="phase", service="db", phase="stopping")
            client.order("restart", services=["web"])

            client.go_away()

            assert stop.finish() == 0
            assert events.stays_silent(0.3, type="phase", service="web")

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP], ids=["killed", "its terminal closed"])
    def test_because_the_command_was_ended_completes(self, slow: Shop, number: int) -> None:
        with slow.subscribe() as events:
            command = slow.begin("restart")
            events.until(type="phase", service="web", phase="stopping")

            command.process.send_signal(number)
            command.process.wait()

            until_ready(events, "db", "web")

    def test_because_the_dashboard_was_left_at_once_completes(self, slow: Shop) -> None:
        async def order_and_leave() -> None:
            link = SupervisorLink(slow.root, dict(os.environ), None)
            order = asyncio.ensure_future(link.order("restart", {"services": ["web"]}))
            await asyncio.sleep(0)
            await link.until_sent()
            order.cancel()
            await asyncio.wait([order])

        with slow.subscribe() as events:
            asyncio.run(order_and_leave())

            until_ready(events, "web")

    def test_after_a_second_ctrl_c_completes(self, slow: Shop) -> None:
        with slow.subscribe() as events:
            command = slow.begin("restart")
            events.until(type="phase", service="web", phase="stopping")

            # The first one waits until it is decided what this restart brings up.
            while command.process.poll() is None:
                command.process.send_signal(signal.SIGINT)
                events.stays_silent(0.05)

            until_ready(events, "db", "web")

    def test_after_one_ctrl_c_during_the_stop_completes(self, slow: Shop) -> None:
        before = pids(slow)
        with slow.subscribe() as events:
            command = slow.begin("restart", "web")
            command.until(type="phase", service="web", phase="stopping")

            command.process.send_signal(signal.SIGINT)

            assert command.finish() == 130
            until_ready(events, "web")
        assert pids(slow)["web"] not in (None, before["web"])
        assert "the restart goes on without this command" in command.errors()

    def test_after_ctrl_c_while_the_service_comes_up_again_completes(self, shop: Shop) -> None:
        shop.service("web", ready={"after": 1})
        shop.up()
        with shop.subscribe() as events:
            command = shop.begin("restart", "web")
            command.until(type="phase", service="web", phase="starting")

            command.process.send_signal(signal.SIGINT)

            assert command.finish() == 130
            until_ready(events, "web")

    def test_stops_only_what_did_not_run_before_after_ctrl_c(self, shop: Shop, port: int) -> None:
        shop.service("db", port=port)
        shop.service("web", depends_on=["db"])
        shop.up()
        assert shop("stop", "db").returncode == 0
        shop.service("db", "never", port=port)
        command = shop.begin("restart", "web")
        command.until(type="phase", service="db", phase="starting")

        command.process.send_signal(signal.SIGINT)

        assert command.finish() == 130
        status = shop.status()
        assert status["db"]["phase"] == "stopped"
        assert status["web"]["phase"] == "waiting"


class TestARestartThatTakesItsTime:
    def test_is_up_for_no_time_before_its_process_is_there(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        os.mkfifo(shop.root / "held")
        shop.service("web", port=port, before_start=f"cat {shop.root}/held")
        restart = shop.begin("restart", "web")
        restart.until(type="phase", service="web", phase="starting")

        row = shop.status()["web"]

        (shop.root / "held").write_text("go")
        assert restart.finish() == 0
        assert (row["phase"], row["pid"], row["uptime_seconds"]) == ("starting", None, None)
        assert shop.status()["web"]["uptime_seconds"] is not None


class TestARestartOfAStoppedService:
    def test_starts_it_and_finds_no_leftover_in_its_own_preparation(self, shop: Shop, port: int) -> None:
        shop.service("other", "stubborn", stop=SLOW)
        shop.service("web", port=port)
        shop.up()
        assert shop("stop", "web").returncode == 0

        restart = shop.begin("restart", "web")

        assert restart.finish() == 0
        assert [event["message"] for event in restart.seen if event["type"] == "note"] == []


class TestARestartWithoutASupervisor:
    def test_starts_the_service(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)

        restart = shop("restart", "web")

        assert restart.returncode == 0, restart.stderr
        assert shop.status()["web"]["phase"] == "ready"

    def test_of_what_changed_does_not_call_new_what_is_only_stopped(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        assert shop("stop").returncode == 0

        restart = shop("restart", "--changed")

        assert restart.returncode == 0
        assert "new in the configuration" not in restart.stderr
        assert "nothing runs" in restart.stderr


class TestARestartOfAServiceThatIsNewInTheFile:
    def test_starts_it(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("web", port=ports[0])
        shop.up()
        shop.service("admin", port=ports[1])

        restart = shop("restart", "admin")

        assert restart.returncode == 0, restart.stderr
        assert shop.status()["admin"]["phase"] == "ready"


class TestARestartWithAQuestion:
    def ask(self, shop: Shop, port: int) -> list[Event]:
        """Order a restart with another port, which is taken, and hang up on the question."""
        client = connect_or_start(str(shop.root))
        asking = {"environ": dict(os.environ), "can_answer": True, "on_conflict": "ask"}
        try:
            with pytest.raises(RemoteError) as raised:
                client.call("restart", {**asking, "services": ["web"]})
        finally:
            client.close()
        conflicts: list[Event] = raised.value.data["conflicts"]
        assert [each["port"] for each in conflicts] == [port]
        return conflicts

    def test_that_nobody_answers_has_stopped_nothing(
        self, shop: Shop, free_ports: FreePorts, stranger: Stranger
    ) -> None:
        ports = free_ports(12)
        shop.service("web", port=ports[0])
        shop.up()
        before = pids(shop)
        stranger(ports[6])
        shop.service("web", port=ports[6], range=f"{ports[6]}-{ports[8]}")

        self.ask(shop, ports[6])

        status = shop.status()["web"]
        assert (status["phase"], status["pid"], status["port"]) == ("ready", before["web"], ports[0])
        assert shop("stop").returncode == 0
        shop.expect_nothing_left()

    def test_moves_once_it_is_answered(self, shop: Shop, free_ports: FreePorts, stranger: Stranger) -> None:
        ports = free_ports(12)
        shop.service("web", port=ports[0])
        shop.up()
        stranger(ports[6])
        shop.service("web", port=ports[6], range=f"{ports[6]}-{ports[8]}")
        self.ask(shop, ports[6])
        client = connect_or_start(str(shop.root))
        move = {"service": "web", "port": ports[6], "kind": "move"}
        order = {"environ": dict(os.environ), "on_conflict": "ask", "resolutions": [move]}

        told: list[Event] = []
        client.call("restart", order, told.append)

        client.close()
        [moved] = [event for event in told if event["type"] == "port"]
        assert (moved["moved_from"], moved["port"]) == (ports[6], ports[7])
        assert shop.status()["web"]["port"] == ports[7]
        assert shop.leases() == [ports[7]]
        assert shop.ports() == {"web": ports[7]}

    def test_that_ends_the_holder_says_whom_it_ended(
        self, shop: Shop, free_ports: FreePorts, stranger: Stranger
    ) -> None:
        ports = free_ports(12)
        shop.service("web", port=ports[0])
        shop.up()
        holder = stranger(ports[6])
        shop.service("web", port=ports[6])

        restart = shop.begin("restart", "--force")

        assert restart.finish() == 0
        [told] = [event for event in restart.seen if event["type"] == "port"]
        assert str(holder) in told["killed"][0]
        assert shop.status()["web"]["port"] == ports[6]


class TestARestartOnAnotherPort:
    def test_gives_up_the_port_that_the_service_had_moved_to(
        self, shop: Shop, free_ports: FreePorts, stranger: Stranger
    ) -> None:
        ports = free_ports(2)
        shop.service("web", port=ports[0])
        holder = stranger(ports[0])
        shop.up()
        assert shop.ports() == {"web": ports[1]}
        shop.end_process(holder)
        assert shop("ports", "reset").returncode == 0

        assert shop("restart").returncode == 0

        listed = json.loads(shop("ports", "--all", "--json").stdout)["ports"]
        assert [each["port"] for each in listed if each["port"] in ports] == [ports[0]]


class TestARestartThatMovesAnAddress:
    def test_waits_for_those_that_are_restarted_because_of_it_and_lists_them(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(3)
        shop.service("backend", port=ports[0])
        shop.service("frontend", port=ports[1], ready={"exec": "test ! -e held"})
        shop.up()
        (shop.root / "held").touch()
        shop.service("backend", port=ports[2])
        with shop.subscribe() as events:
            restart = shop.begin("restart", "backend")
            events.until(type="phase", service="frontend", phase="starting")
            (shop.root / "held").unlink()

        assert restart.finish() == 0
        rows = {row["service"]: row["phase"] for row in restart.seen[-1]["services"]}
        assert rows == {"backend": "ready", "frontend": "ready"}


class TestTwoServicesThatSwapTheirPorts:
    def test_are_restarted_without_a_question(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        for name, port in (("a", ports[0]), ("b", ports[1])):
            shop.service(name, port=port, strict_port=True)
        shop.up()
        for name, port in (("a", ports[1]), ("b", ports[0])):
            shop.service(name, port=port, strict_port=True)

        assert shop("restart", "--on-conflict", "fail").returncode == 0

        assert {name: each["port"] for name, each in shop.status().items()} == {"a": ports[1], "b": ports[0]}


class TestARestartThatIsRefused:
    def test_for_a_port_that_must_not_move_leaves_the_service_running(
        self, shop: Shop, free_ports: FreePorts, stranger: Stranger
    ) -> None:
        ports = free_ports(12)
        shop.service("web", port=ports[0])
        shop.up()
        before = pids(shop)
        stranger(ports[6])
        shop.service("web", port=ports[6], strict_port=True)

        refused = shop("restart")

        assert refused.returncode == 3
        assert pids(shop) == before

    def test_for_a_template_that_is_broken_leaves_the_service_running(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        before = pids(shop)
        shop.service("web", port=port, before_start="echo ${NOWHERE}")

        refused = shop("restart")

        assert refused.returncode == 2
        assert pids(shop) == before

    @pytest.mark.parametrize("words", [("restart", "web"), ("start", "late")])
    def test_for_an_unreadable_env_file_does_not_even_stop_what_left_the_configuration(
        self, shop: Shop, free_ports: FreePorts, words: tuple[str, ...]
    ) -> None:
        ports = free_ports(3)
        shop.service("web", port=ports[0])
        shop.service("gone", port=ports[1])
        shop.up()
        before = pids(shop)
        shop.service("late", port=ports[2])
        shop.remove("gone")
        (shop.root / ".env").write_text("NAME='no end\n")

        refused = shop(*words)

        assert refused.returncode == 2
        assert pids(shop) == {**before, "late": None}

    def test_by_itself_for_an_unreadable_env_file_leaves_the_service_running(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", port=port, watch=["*.txt"])
        shop.up()
        before = pids(shop)
        (shop.root / ".env").write_text("NAME='no end\n")
        with shop.subscribe() as events:
            (shop.root / "seen.txt").touch()
            told = events.until(type="note", service="web")

        assert told["message"].startswith("web is not restarted (")
        assert pids(shop) == before

    def test_is_not_for_a_configuration_that_was_broken_after_it_began(self, slow: Shop) -> None:
        with slow.subscribe() as events:
            restart = slow.begin("restart")
            events.until(type="phase", service="web", phase="stopping")

            (slow.root / "devinit.toml").write_text("[services.web\n")

            assert restart.finish() == 0


class TestARestartWhoseSupervisorEnds:
    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "let go"])
    def test_in_the_middle_of_the_stop_leaves_a_service_that_is_started_again(
        self, slow: Shop, number: int
    ) -> None:
        slow.service("web", "stubborn", port=slow.ports()["web"], stop={"grace": 5}, depends_on=["db"])
        slow.up()
        assert slow("restart", "web").returncode == 0
        before = pids(slow)
        with slow.subscribe() as events:
            restart = slow.begin("restart", "web")
            # It says for whom it waits after a second: what happens is on record long since.
            events.until(type="progress", service="web")
        slow.kill_supervisor(number)
        restart.finish()
        slow.status()

        with slow.subscribe() as events:
            slow.end_process(before["web"] or 0)
            events.until(type="phase", service="web", phase="backoff")
            until_ready(events, "web")

        after = pids(slow)
        assert after["db"] == before["db"]
        assert after["web"] not in (None, before["web"])


class TestARestartThatCannotGoOnAfterTheStop:
    """What was checked before has changed while the service took its time to end."""

    def test_says_why_the_service_has_failed_although_its_client_has_gone(self, slow: Shop) -> None:
        client = Client(slow)
        with slow.subscribe() as events:
            client.order("restart", services=["web"])
            events.until(type="phase", service="web", phase="stopping")
            (slow.root / ".env").write_text("NAME='no end\n")

            client.go_away()

            failed = events.until(type="phase", service="web", phase="failed")
        assert "/.env, line 1: cannot read" in failed["reason"]
        assert slow.status()["web"]["reason"] == failed["reason"]
        assert ".env, line 1: cannot read" in slow("why", "web").stdout
        assert ".env, line 1: cannot read" in slow("events").stdout

    def test_fails_only_for_the_service_that_is_concerned(self, slow: Shop, free_ports: FreePorts) -> None:
        (slow.root / "web.env").write_text("NAME=ada\n")
        slow.service(
            "web", "stubborn", port=slow.ports()["web"], stop=SLOW, depends_on=["db"], env_file=["web.env"]
        )
        with slow.subscribe() as events:
            restart = slow.begin("restart")
            events.until(type="phase", service="web", phase="stopping")
            (slow.root / "web.env").write_text("NAME='no end\n")

            code = restart.finish()

        assert code != 0
        found = slow.status()
        assert (found["db"]["phase"], found["web"]["phase"]) == ("ready", "failed")
        assert "/web.env, line 1: cannot read" in found["web"]["reason"]

    def test_for_a_file_that_cannot_be_written_says_so_with_the_service(self, slow: Shop) -> None:
        client = Client(slow)
        with slow.subscribe() as events:
            client.order("restart", services=["web"])
            events.until(type="phase", service="web", phase="stopping")
            (slow.root / ".env.runtime").unlink()
            (slow.root / ".env.runtime").mkdir()

            client.go_away()

            failed = events.until(type="phase", service="web", phase="failed")
        assert ".env.runtime" in failed["reason"]


class TestTwoOrders:
    async def test_on_two_connections_are_decided_in_the_order_in_which_they_arrive(self, slow: Shop) -> None:
        async with AsyncExitStack() as open_clients:
            clients = [await connected(slow.root, start=False) for _ in range(3)]
            before, first, second = [
                await open_clients.enter_async_context(client) for client in clients if client is not None
            ]
            environ = dict(os.environ)

            # It takes a second, in which the others wait for their turn.
            decides = asyncio.ensure_future(before.call("stop", {"services": ["db"]}))
            await before.call("ping")
            stops = asyncio.ensure_future(first.call("stop", {"services": ["web"]}))
            await first.call("ping")
            restarts = asyncio.ensure_future(
                second.call("restart", {"services": ["web"], "environ": environ})
            )
            await asyncio.gather(decides, stops, restarts)

        assert slow.status()["web"]["phase"] == "ready"

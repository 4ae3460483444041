"""Specifies starting, looking and stopping, through the real command line and a real supervisor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from devinit.system.listeners import tcp_listeners
from devinit.system.paths import run_mark

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop


def chain(shop: Shop, free_ports: FreePorts) -> range:
    """Describe three services, each of which depends on the one before."""
    ports = free_ports(3)
    shop.service("frontend", "note=notes", port=ports[2], depends_on=["backend"])
    shop.service("backend", "note=notes", port=ports[1], depends_on=["redis"])
    shop.service("redis", "note=notes", port=ports[0])
    return ports


class TestAStart:
    def test_brings_everything_up_in_order(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = chain(shop, free_ports)

        command = shop.up()

        phases = command.phases()
        for first, second in (("redis", "backend"), ("backend", "frontend")):
            assert phases.index((first, "ready")) < phases.index((second, "starting"))
        status = shop.status()
        assert {name: each["phase"] for name, each in status.items()} == dict.fromkeys(status, "ready")
        assert {name: each["port"] for name, each in status.items()} == {
            "redis": ports[0],
            "backend": ports[1],
            "frontend": ports[2],
        }

    def test_tells_everybody_all_addresses_before_the_first_begins(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = chain(shop, free_ports)

        shop.up()

        for environment in shop.notes():
            assert environment["FRONTEND_URL"] == f"http://localhost:{ports[2]}"
        assert [environment["PORT"] for environment in shop.notes()] == [str(port) for port in ports]
        assert shop.environment()["REDIS_PORT"] == str(ports[0])
        assert shop.ports() == {"redis": ports[0], "backend": ports[1], "frontend": ports[2]}

    def test_of_one_service_brings_up_what_it_depends_on_and_nothing_else(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        chain(shop, free_ports)

        shop.up("backend")

        phases = {name: each["phase"] for name, each in shop.status().items()}
        assert phases == {"redis": "ready", "backend": "ready", "frontend": "stopped"}

    def test_of_what_runs_already_is_success_and_leaves_it_alone(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port)
        shop.up()
        before = shop.status()["web"]["pid"]

        command = shop.up()

        assert command.seen[0]["starting"] == []
        assert shop.status()["web"]["pid"] == before
        assert len(shop.notes()) == 1

    def test_ends_with_a_summary(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)

        summary = shop.up().seen[-1]

        assert (summary["type"], summary["exit_code"]) == ("summary", 0)
        [row] = summary["services"]
        assert (row["service"], row["phase"], row["port"], row["log_tail"]) == ("web", "ready", port, [])
        assert 0 < row["ready_seconds"] <= summary["seconds"]

    def test_of_a_service_without_a_port_waits_until_it_has_stayed_up(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.05})

        shop.up()

        assert shop.status()["worker"]["phase"] == "ready"

    def test_of_a_command_that_does_its_work_and_ends_is_success(self, shop: Shop, port: int) -> None:
        shop.service("seed", "exit=0")
        shop.service("web", port=port, depends_on=["seed"])

        command = shop.up()

        assert ("seed", "exited") in command.phases()
        assert shop.status()["web"]["phase"] == "ready"

    def test_gives_a_service_its_own_environment(self, shop: Shop, port: int) -> None:
        (shop.root / ".env").write_text("FROM_FILE=file\nBOTH=file\n")
        shop.service("web", "note=notes", port=port, env={"BOTH": "service", "MINE": "http://x:${PORT}"})

        shop.up(FROM_CALLER="caller", PORT="1")

        [environment] = shop.notes()
        assert environment["FROM_CALLER"] == "caller"
        assert environment["FROM_FILE"] == "file"
        assert environment["BOTH"] == "service"
        assert environment["MINE"] == f"http://x:{port}"
        assert environment["DEVINIT_RUN"] == run_mark(shop.root, "web")


class TestALook:
    def test_at_a_project_at_rest_starts_nothing(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)

        assert shop.status()["web"]["phase"] == "stopped"
        assert shop.supervisors() == []

    def test_explains_a_service(self, shop: Shop, port: int) -> None:
        shop.service("web", "say=hello", port=port)
        shop.up()

        answer = json.loads(shop("why", "web", "--json").stdout)

        assert (answer["phase"], answer["port"], answer["log_tail"]) == ("ready", port, ["hello"])
        assert answer["probe"] == f"accepts connections on 127.0.0.1:{port}"

    def test_at_a_service_that_does_not_exist_names_the_nearest(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)

        answer = shop("start", "wep")

        assert answer.returncode == 2
        assert "there is no service 'wep'" in answer.stderr
        assert "did you mean web?" in answer.stderr


class TestAStop:
    def test_reports_only_services_that_have_run(self, shop: Shop, free_ports: FreePorts) -> None:
        web, broken, crashed = free_ports(3)
        shop.service("web", port=web)
        shop.service("broken", port=broken, command="no-such-program")
        shop.service("crashed", "exit=3", port=crashed)
        assert shop("start").returncode == 1

        answer = json.loads(shop("stop", "--json").stdout.splitlines()[-1])

        assert answer["services"] == ["web", "crashed"]

    def test_ends_everything_in_reverse_order(self, shop: Shop, free_ports: FreePorts) -> None:
        chain(shop, free_ports)
        shop.up()
        command = shop.begin("stop")

        assert command.finish() == 0
        stopped = [name for name, phase in command.phases() if phase == "stopped"]
        assert stopped == ["frontend", "backend", "redis"]

    def test_leaves_no_process_no_listener_and_no_lease(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = chain(shop, free_ports)
        shop.up()
        assert shop.leases() == list(ports)

        assert shop("stop").returncode == 0

        shop.expect_nothing_left()
        assert [listener for port in ports for listener in tcp_listeners(port)] == []

    def test_of_one_service_leaves_the_others(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = chain(shop, free_ports)
        shop.up()

        shop("stop", "frontend")

        phases = {name: each["phase"] for name, each in shop.status().items()}
        assert phases == {"redis": "ready", "backend": "ready", "frontend": "stopped"}
        assert shop.leases() == [ports[0], ports[1]]

    def test_takes_along_what_a_service_started_in_another_session(self, shop: Shop, port: int) -> None:
        shop.service("web", "fork", port=port)
        shop.up()
        assert len(shop.pids("web")) == 2

        shop("stop")

        shop.expect_nothing_left()

    def test_kills_what_does_not_end_and_says_so(self, shop: Shop, port: int) -> None:
        shop.service("web", "stubborn", port=port, stop={"grace": 0.2})
        shop.up()
        [pid] = shop.pids("web")
        command = shop.begin("stop")

        assert (
            command.until(type="progress")["message"]
            == f"still running after 0.2 s: pid {pid} python; sending SIGKILL"
        )
        assert command.finish() == 0
        shop.expect_nothing_left()

    def test_of_nothing_is_success(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)

        assert shop("stop").returncode == 0

    def test_is_followed_by_a_start_on_the_same_port(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        for _ in range(3):
            shop.up()
            assert shop("stop").returncode == 0

        assert shop.ports() == {"web": port}


class TestARestart:
    def test_brings_a_new_process_up_on_the_same_port(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        before = shop.status()["web"]["pid"]

        assert shop("restart", "web").returncode == 0

        after = shop.status()["web"]
        assert (after["port"], after["phase"]) == (port, "ready")
        assert after["pid"] != before

    def test_reads_configuration_and_environment_again(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port, env={"COLOUR": "red", "OLD": "yes"})
        shop.up(SHELL_SAYS="one", GONE="yes")
        shop.service("web", "note=notes", port=port, env={"COLOUR": "blue"})

        assert shop("restart", SHELL_SAYS="two").returncode == 0

        first, second = shop.notes()
        assert (first["COLOUR"], first["SHELL_SAYS"]) == ("red", "one")
        assert (second["COLOUR"], second["SHELL_SAYS"]) == ("blue", "two")
        assert not {"OLD", "GONE"} & second.keys()

    def test_of_what_never_ran_starts_it_and_reports_no_left_over(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)

        answer = shop("restart")

        assert answer.returncode == 0
        assert "without a supervisor" not in answer.stdout + answer.stderr

    def test_of_a_dependency_leaves_its_dependants_up(self, shop: Shop, free_ports: FreePorts) -> None:
        chain(shop, free_ports)
        shop.up()
        before = shop.status()

        assert shop("restart", "redis").returncode == 0

        after = shop.status()
        assert after["redis"]["pid"] != before["redis"]["pid"]
        assert after["backend"]["pid"] == before["backend"]["pid"]

    def test_with_a_broken_configuration_stops_nothing(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        before = shop.status()["web"]["pid"]
        shop.write(more="[services.web.nonsense]")

        answer = shop("restart")

        assert answer.returncode == 2
        assert shop.status()["web"]["pid"] == before

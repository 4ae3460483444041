"""Specifies what becomes of a service whose port is somebody else's, through the real command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from devinit.model.port import LAST_RESORT
from tests.supervisor.conftest import PATIENCE, end

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import FreePorts, MakeShop, Shop, Stranger

CLIENT = r"""
import { readFileSync } from "node:fs";

const { port, host, url, timestamp, process_id } = JSON.parse(readFileSync(process.argv[1], "utf8"));
const age = Date.now() - timestamp * 1000;
if (!(age < 30_000)) throw new Error("the backend is not running");
if (url !== `http://${host}:${port}`) throw new Error(`${url} is another address`);
const answered = await (await fetch(url)).text();
const types = [port, host, url, timestamp, process_id].map((value) => typeof value);
console.log(JSON.stringify({ age, types, answered }));
"""
"""How a frontend looks its backend up."""


class TestAPortThatAStrangerHas:
    def test_is_left_to_it_and_the_next_is_published(self, shop: Shop, port: int, stranger: Stranger) -> None:
        pid = stranger(port)
        shop.service("web", "note=notes", port=port)

        command = shop.up()

        [event] = [event for event in command.seen if event["type"] == "port"]
        assert (event["port"], event["moved_from"]) == (port + 1, port)
        assert event["kind"] == "stranger"
        assert str(pid) in event["reason"]
        assert shop.ports() == {"web": port + 1}
        assert shop.environment()["WEB_URL"] == f"http://localhost:{port + 1}"
        assert shop.notes()[0]["PORT"] == str(port + 1)

    def test_is_not_taken_back_by_the_next_start(self, shop: Shop, port: int, stranger: Stranger) -> None:
        stranger(port)
        shop.service("web", port=port)
        shop.up()
        shop("stop")

        shop.up()

        assert shop.status()["web"]["port"] == port + 1

    def test_is_taken_back_by_a_restart_after_a_reset(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        pid = stranger(port)
        shop.service("web", port=port)
        shop.up()
        end(pid, signal.SIGKILL)
        shop("restart", "web")
        assert shop.status()["web"]["port"] == port + 1  # a restart alone keeps the address

        shop("ports", "reset", "web")
        shop("restart", "web")

        assert shop.status()["web"]["port"] == shop.ports()["web"] == port

    def test_is_taken_back_after_a_reset_whatever_is_started_meanwhile(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        pid = stranger(port)
        shop.service("web", port=port)
        shop.service("other", port=port + 5)
        shop.up()
        end(pid, signal.SIGKILL)

        shop("ports", "reset", "web")
        shop("restart", "other")
        assert "web" not in shop.ports()
        shop("restart", "web")
        shop("restart", "other")

        assert shop.status()["web"]["port"] == shop.ports()["web"] == port

    def test_is_freed_in_force_mode(self, shop: Shop, port: int, stranger: Stranger) -> None:
        pid = stranger(port)
        shop.service("web", port=port)

        command = shop.up(FORCE_MODE="true")

        [event] = [event for event in command.seen if event["type"] == "port"]
        assert event["port"] == port
        assert event["kind"] == "stranger"
        assert str(pid) in event["killed"][0]

    def test_on_the_other_address_family_counts_as_taken(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        stranger(port, "::1")
        shop.service("web", port=port)

        shop.up()

        assert shop.status()["web"]["port"] == port + 1

    def test_is_refused_when_nothing_may_move(self, shop: Shop, port: int, stranger: Stranger) -> None:
        pid = stranger(port)
        shop.service("web", port=port)

        answer = shop("start", "--on-conflict", "fail")

        assert answer.returncode == 3
        assert f"pid {pid}" in answer.stderr
        assert shop.every_pid() == []

    def test_is_refused_when_it_is_fixed(self, shop: Shop, port: int, stranger: Stranger) -> None:
        stranger(port)
        shop.service("web", port=port, strict_port=True)

        answer = shop("start")

        assert answer.returncode == 3
        assert "strict_port" in answer.stderr

    def test_after_a_refusal_leaves_no_supervisor_and_no_lease(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        stranger(port)
        shop.service("web", port=port, strict_port=True)

        shop("start")

        shop.expect_nothing_left()

    def test_is_taken_while_the_service_was_down_so_that_it_moves(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        shop("stop")
        stranger(port)

        shop.up()

        assert shop.status()["web"]["port"] == port + 1


class TestAPortThatIsLostDuringAStart:
    def test_to_an_impostor_on_the_other_family_is_replaced(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        os.mkfifo(shop.root / "held")
        shop.service("web", port=port, before_start="cat held")
        start = shop.begin("start")
        start.until(type="progress", service="web")
        stranger(port, "::1")
        (shop.root / "held").write_text("go")

        assert start.finish() == 0

        assert shop.status()["web"]["port"] == shop.ports()["web"] == port + 1
        assert not [event for event in start.seen if "exclusively" in event.get("message", "")]

    def test_while_nobody_watched_is_replaced(self, shop: Shop, port: int, stranger: Stranger) -> None:
        shop.service("web", port=port)
        shop.up()
        pid = shop.status()["web"]["pid"]
        shop.kill_supervisor()
        os.kill(pid, signal.SIGKILL)
        stranger(port)

        shop.up()

        status = shop.status()["web"]
        assert (status["phase"], status["port"], status["restarts"]) == ("ready", port + 1, 1)
        assert shop.environment()["WEB_PORT"] == str(port + 1)


class TestAServiceThatBindsExclusively:
    def test_gets_its_port_without_our_hold(self, shop: Shop, port: int) -> None:
        shop.service("web", "plain", port=port)

        command = shop.up()

        assert shop.status()["web"]["port"] == port
        notes = [event["message"] for event in command.seen if event["type"] == "note"]
        assert notes == ["web binds exclusively: its port is not held for it any more"]

    def test_is_remembered_as_such(self, shop: Shop, port: int) -> None:
        shop.service("web", "plain", "note=notes", port=port)
        shop.up()

        assert shop("restart").returncode == 0

        assert len(shop.notes()) == 3  # one try over our hold, one without, one after the restart


class TestAServiceThatListensElsewhere:
    def test_is_followed_and_everybody_is_told(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(3)
        shop.service("api", f"elsewhere={ports[2]}", port=ports[0])
        shop.service("web", "note=notes", port=ports[1], depends_on=["api"])

        shop.up()

        assert shop.status()["api"]["port"] == ports[2]
        assert shop.ports()["api"] == ports[2]
        assert shop.environment()["API_PORT"] == str(ports[2])
        [environment] = shop.notes()
        assert environment["API_URL"] == f"http://localhost:{ports[2]}"
        assert ports[2] in shop.leases()

    def test_restarts_those_that_were_told_the_old_address(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(3)
        shop.service("web", "note=notes", port=ports[1])
        shop.service("api", f"elsewhere={ports[2]}", port=ports[0])

        shop.up()

        first, second = shop.notes()
        assert first["API_PORT"] == str(ports[0])
        assert second["API_PORT"] == str(ports[2])
        assert {each["phase"] for each in shop.status().values()} == {"ready"}

    def test_leaves_those_alone_that_follow_addresses_themselves(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(3)
        shop.service("web", "note=notes", port=ports[1], restart_on_move=False)
        shop.service("api", f"elsewhere={ports[2]}", port=ports[0])

        shop.up()

        [only] = shop.notes()
        assert only["API_PORT"] == str(ports[0])
        assert {each["phase"] for each in shop.status().values()} == {"ready"}

    def test_is_refused_when_its_port_is_fixed(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("api", f"elsewhere={ports[1]}", port=ports[0], strict_port=True)

        answer = shop("start")

        assert answer.returncode == 3
        assert f"api listens on {ports[1]}, not on the port that it was given" in answer.stderr


class TestTwoProjects:
    def test_with_the_same_preferred_ports_run_beside_each_other(
        self, make_shop: MakeShop, port: int
    ) -> None:
        shops = [make_shop("one"), make_shop("two")]
        for each in shops:
            each.service("web", port=port)

        commands = [each.begin("start") for each in shops]
        codes = [command.finish() for command in commands]

        assert codes == [0, 0]
        assert sorted(each.status()["web"]["port"] for each in shops) == [port, port + 1]


class TestADiscoveryFile:
    def test_says_where_a_ready_service_listens(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        shop.up()

        file = shop.root / ".backend-port.json"
        found = json.loads(file.read_text())
        assert (found["port"], found["url"]) == (port, f"http://localhost:{port}")
        assert found["process_id"] in shop.pids("backend")
        assert file.stat().st_mode & 0o777 == 0o600

    @pytest.mark.skipif(not shutil.which("node"), reason="needs Node")
    def test_is_fresh_for_a_program_that_multiplies_its_timestamp_by_1000(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("backend", port=port)
        shop.up()

        told = subprocess.run(
            ["node", "--input-type=module", "-e", CLIENT, str(shop.root / ".backend-port.json")],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

        assert told.returncode == 0, told.stderr
        answer = json.loads(told.stdout)
        assert 0 <= answer["age"] < 30_000
        assert answer["types"] == ["number", "string", "string", "number", "number"]
        assert answer["answered"] == "ok"

    def test_is_written_for_each_process_by_choice(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop.write(more="[project]\ndiscovery_per_process = true\n")
        shop.up()
        file = shop.root / ".backend-port.json"
        own = shop.root / f".backend-port.{json.loads(file.read_text())['process_id']}.json"
        assert json.loads(own.read_text()) == json.loads(file.read_text())

        shop("stop")

        assert not file.exists()
        assert not own.exists()

    def test_that_a_repository_has_as_a_link_is_refused_by_name_and_its_target_is_left_alone(
        self, shop: Shop, port: int, tmp_path: Path
    ) -> None:
        (tmp_path / "precious").write_text("precious")
        (shop.root / ".backend-port.json").symlink_to(tmp_path / "precious")
        shop.service("backend", port=port)

        events = shop.up().seen

        assert shop("stop").returncode == 0
        notes = [event["message"] for event in events if event["type"] == "note"]
        assert any(".backend-port.json is a symbolic link, not a file" in note for note in notes)
        assert (tmp_path / "precious").read_text() == "precious"
        assert (shop.root / ".backend-port.json").is_symlink()

    def test_names_the_process_that_listens_also_after_an_adoption(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port, command=f"sh -c '{shop.command()} & wait'")
        shop.up()
        file = shop.root / ".backend-port.json"
        before = json.loads(file.read_text())["process_id"]
        shop.kill_supervisor()
        file.unlink()

        status = shop.status()["backend"]

        assert json.loads(file.read_text())["process_id"] == before != status["pid"]

    def test_is_removed_when_the_service_stops(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop.up()

        shop("stop")

        assert not (shop.root / ".backend-port.json").exists()


class TestAPortThatWasAskedForInTheEnvironment:
    def test_is_used_for_this_start(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, port_env="API_PORT")

        shop.up(WEB_PORT=str(port + 2))

        assert shop.status()["web"]["port"] == port + 2

    @pytest.mark.parametrize("value", ["eighty", "99999"])
    def test_is_ignored_with_a_note_when_it_is_none(self, shop: Shop, port: int, value: str) -> None:
        shop.service("web", port=port)

        command = shop.up(WEB_PORT=value)

        assert shop.status()["web"]["port"] == port
        assert any(f"WEB_PORT={value} ignored" in event.get("message", "") for event in command.seen)


class TestAskingTheSupervisorAboutAPort:
    def test_tells_who_has_it(self, shop: Shop, free_ports: FreePorts, stranger: Stranger) -> None:
        port, taken, free = free_ports(3)
        pid = stranger(taken)
        shop.service("web", port=port)
        shop.up()

        with shop.subscribe() as supervisor:
            own, other, nobody = (supervisor.ask("who", port=each) for each in (port, taken, free))

        assert (own["kind"], own["owner"]["service"]) == ("ours", "web")
        assert [each["identity"]["pid"] for each in own["holders"]] == shop.pids("web")
        assert (other["kind"], other["holders"][0]["identity"]["pid"]) == ("stranger", pid)
        assert nobody is None


class TestARangeThatIsUsedUp:
    def test_is_left_for_any_port_when_the_service_says_so(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        pid = stranger(port)
        stranger(port + 1)
        shop.service("web", port=port, range=f"{port}-{port + 1}", exhausted="any")

        command = shop.up()

        [event] = [event for event in command.seen if event["type"] == "port"]
        assert event["port"] in LAST_RESORT
        assert event["used_up"] == f"{port}-{port + 1}"
        assert event["reason"].startswith(f"{port}-{port + 1} is used up: {port} is held by ")
        assert str(pid) in event["reason"]
        assert shop.environment()["WEB_URL"] == f"http://localhost:{event['port']}"

    def test_leads_to_the_same_port_at_the_next_start(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        stranger(port)
        shop.service("web", port=port, range=f"{port}-{port}", exhausted="any")
        shop.up()
        before = shop.ports()
        shop("stop")

        command = shop.up()

        assert shop.ports() == before
        assert [event["message"] for event in command.seen if event["type"] == "note"] == []

    def test_is_an_error_that_names_the_way_out_otherwise(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        stranger(port)
        shop.service("web", port=port, range=f"{port}-{port}")

        answer = shop("start")

        assert answer.returncode == 3
        assert 'or `exhausted = "any"`' in answer.stderr


class TestARememberedPortOutsideOfTheRange:
    """In `.ports.json`, where it was typed, or left over from another configuration."""

    @pytest.fixture
    def elsewhere(self, shop: Shop, port: int) -> Shop:
        shop.service("web", port=port)
        (shop.root / ".ports.json").write_text(f'{{"web": {port - 5}}}')
        return shop

    def test_is_shown_by_no_command_as_what_the_service_gets(self, elsewhere: Shop, port: int) -> None:
        problem = (
            f".ports.json says {port - 5}, which is outside of the range of web, {port}-{port + 99}: ignored"
        )

        [row] = json.loads(elsewhere("ports", "--json").stdout)["ports"]

        assert (row["port"], row["problem"]) == (port, problem)
        assert problem in elsewhere("ports").stderr

    def test_is_shown_alike_to_the_dashboard(self, elsewhere: Shop, port: int) -> None:
        elsewhere.service("idle", port=port + 3)
        elsewhere.up("idle")
        [listed] = [
            row for row in json.loads(elsewhere("ports", "--json").stdout)["ports"] if row["service"] == "web"
        ]

        with elsewhere.subscribe() as supervisor:
            [row] = [row for row in supervisor.ask("ports") if row["service"] == "web"]

        assert (row["port"], row["next_port"]) == (port, port)
        assert (row["port"], row["problem"]) == (listed["port"], listed["problem"])

    def test_is_not_what_the_service_gets(self, elsewhere: Shop, port: int) -> None:
        command = elsewhere.up()

        assert elsewhere.status()["web"]["port"] == port
        assert any("outside of the range of web" in event.get("message", "") for event in command.seen)

    def test_is_told_of_a_fixed_port_as_well(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, strict_port=True)
        (shop.root / ".ports.json").write_text(f'{{"web": {port + 1}}}')

        [row] = json.loads(shop("ports", "--json").stdout)["ports"]

        assert row["port"] == port
        assert (
            row["problem"]
            == f".ports.json says {port + 1}, which is not the fixed port of web, {port}: ignored"
        )

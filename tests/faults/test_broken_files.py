"""Faults of files: cut off, garbage, read-only, on a full disk, written by two at once."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.record.state_file import read_state
from devinit.system.listeners import tcp_listeners
from devinit.system.paths import project_id, state_directory
from tests.places import state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.supervisor.conftest import FreePorts, MakeShop, Shop

HOSTILE = {
    "a number of 5,000 digits": "9" * 5000,
    "a member of 5,000 digits": f'{{"web": {"9" * 5000}, "services": {"9" * 5000}, "profile": {"9" * 5000}}}',
    "half a character": r'{"web": "\ud800", "\udfff": 1, "services": {"\ud800": {}}, "profile": "\ud800"}',
    "a hundred thousand brackets": "[" * 100_000,
    "fifty thousand objects": '{"a":' * 50_000,
    "no finite number": '{"web": 1e999, "services": 1e999, "started_at": 1e999, "slots": {"a": {"b": 1e999}}}',
    "other types": '{"web": [], "services": 7, "profile": [1], "root": 3, "project": {}, "started_at": "now"}',
}
"""What is JSON, or nearly, and nobody would write."""
GARBAGE = [b"{", b"<<<<<<< HEAD\n", b"\xff\xfe\x00", b"[1, 2]\n", b'{"web": "x"}\n']


def fill(folder: Path) -> None:
    """Leave no byte free on the disk of a folder."""
    with suppress(OSError), (folder / "ballast").open("ab", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk. Only root may mount one."""
    path = tmp_path / "disk"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0755", "none", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture(params=["checkout", "everything"])
def small_shop(
    disk: Path, make_shop: MakeShop, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Shop:
    """A project on a small disk, alone or with the user's state directory."""
    if request.param == "everything":
        monkeypatch.setenv("XDG_STATE_HOME", str(disk / "state"))
    return make_shop(str(disk / "shop"))


class TestAStateFile:
    @pytest.mark.parametrize("garbage", [each for each in GARBAGE if each != b'{"web": "x"}\n'])
    def test_that_is_garbage_is_refused_by_name_and_kept_and_services_run_on(
        self, shop: Shop, port: int, garbage: bytes
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        pid = shop.status()["web"]["pid"]
        shop.kill_supervisor()
        state = state_of(shop.root) / "state.json"
        state.write_bytes(garbage)

        refused = shop("start")

        assert refused.returncode == 5
        assert str(state) in refused.stderr
        assert "move it away" in refused.stderr or "delete it" in refused.stderr
        assert state.read_bytes() == garbage
        assert shop.pids("web") == [pid]
        state.unlink()
        assert shop("stop").returncode == 0
        shop.expect_nothing_left()

    def test_that_was_cut_off_is_refused_by_name_and_services_run_on(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        pid = shop.status()["web"]["pid"]
        shop.kill_supervisor()
        state = state_of(shop.root) / "state.json"
        os.truncate(state, state.stat().st_size // 2)

        refused = shop("status")

        assert refused.returncode == 5
        assert f"{state} cannot be read" in refused.stderr
        assert shop.pids("web") == [pid]

    def test_that_lost_its_content_does_not_lead_to_a_second_instance(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()
        os.truncate(state_of(shop.root) / "state.json", 0)

        shop.up()

        status = shop.status()["web"]
        assert status["port"] == port
        assert shop.pids("web") == [status["pid"]]

    def test_that_somebody_overwrites_while_the_supervisor_runs_is_written_anew(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        (state_of(shop.root) / "state.json").write_text("{")

        assert shop("restart").returncode == 0

        assert list(read_state(state_of(shop.root)).services) == ["web"]


class TestASupervisorThatCannotStart:
    def test_is_told_as_any_other_error_with_every_hint_indented(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        private = state_of(shop.root)
        private.mkdir(parents=True)
        (private / "state.json").write_text("garbage")

        first, *hints = shop("start").stderr.splitlines()

        assert first.startswith(
            f"error: the supervisor could not start: {private / 'state.json'} cannot be read"
        )
        assert hints == [
            "  move it away and run the command again; what still runs is found by its ports",
            f"  see {private / 'supervisor.log'}",
        ]


class TestAPortsFile:
    @pytest.mark.parametrize("garbage", GARBAGE)
    def test_that_is_garbage_is_refused_by_name_and_kept_and_nothing_is_started(
        self, shop: Shop, port: int, garbage: bytes
    ) -> None:
        shop.service("web", port=port)
        path = shop.root / ".ports.json"
        path.write_bytes(garbage)

        refused = shop("start")

        assert refused.returncode == 2
        assert str(path) in refused.stderr
        assert path.read_bytes() == garbage
        shop.expect_nothing_left()
        path.unlink()
        shop.up()

    def test_that_many_write_at_once_has_what_each_of_them_wrote(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(8)
        for number, port in enumerate(ports):
            shop.service(f"web{number}", port=port, range=f"{ports[0]}-{ports[-1]}")
        state_of(shop.root).mkdir(parents=True)
        chosen = {f"web{number}": port for number, port in enumerate(reversed(ports))}

        writers = [
            subprocess.Popen([*shop.program(), "ports", "set", name, str(port)], stdout=subprocess.DEVNULL)
            for name, port in chosen.items()
        ]

        assert [writer.wait(60) for writer in writers] == [0] * len(writers)
        assert json.loads((shop.root / ".ports.json").read_text()) == chosen


class TestAFolderThatCannotBeWritten:
    @pytest.fixture
    def remount(self, disk: Path) -> Iterator[Callable[[str], None]]:
        def remount(how: str) -> None:
            subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True, capture_output=True)

        yield remount
        remount("rw")

    def test_refuses_a_start_by_its_name_and_leaves_nothing(
        self, small_shop: Shop, port: int, remount: Callable[[str], None]
    ) -> None:
        small_shop.service("web", port=port)
        remount("ro")

        refused = small_shop("start")

        assert refused.returncode == 2
        assert f"{small_shop.root}/.devinit cannot be used: Read-only file system" in refused.stderr
        assert "make it writable" in refused.stderr
        small_shop.expect_nothing_left()
        remount("rw")
        small_shop.up()


class TestAFullDisk:
    def test_refuses_a_start_before_what_an_earlier_one_left_behind_is_ended(
        self, small_shop: Shop, free_ports: FreePorts
    ) -> None:
        first, second = free_ports(2)
        small_shop.service("web", port=first)
        small_shop.up()
        [pid] = small_shop.pids("web")
        small_shop.kill_supervisor()
        (state_of(small_shop.root) / "state.json").unlink()
        assert json.loads(small_shop("why", "web", "--json").stdout)["phase"] == "orphaned"
        small_shop.service("other", port=second)
        fill(small_shop.root)

        refused = small_shop("start")

        assert refused.returncode != 0
        assert "No space left on device" in refused.stderr
        assert small_shop.pids("web") == [pid]
        (small_shop.root / "ballast").unlink()
        small_shop.up()

    def test_refuses_a_start_by_name_and_leaves_nothing(self, small_shop: Shop, port: int) -> None:
        small_shop.service("web", port=port)
        state_of(small_shop.root).mkdir(parents=True)
        fill(small_shop.root)

        refused = small_shop("start")

        assert refused.returncode in (2, 5)
        assert "No space left on device" in refused.stderr
        small_shop.expect_nothing_left()
        (small_shop.root / "ballast").unlink()
        small_shop.up()

    def test_lets_what_runs_go_on_and_be_stopped(self, small_shop: Shop, port: int) -> None:
        small_shop.service("web", port=port)
        small_shop.up()
        with small_shop.subscribe() as events:
            fill(small_shop.root)
            small_shop.end_process(small_shop.status()["web"]["pid"])
            events.until(type="phase", service="web", phase="ready")

        status = small_shop.status()["web"]
        assert (status["restarts"], tcp_listeners(port)[0].port) == (1, port)
        assert list(read_state(state_of(small_shop.root)).services) == ["web"]
        assert small_shop("stop").returncode == 0
        small_shop.expect_nothing_left()

    def test_lets_what_runs_be_stopped_also_after_the_supervisor_was_killed(
        self, small_shop: Shop, port: int
    ) -> None:
        small_shop.service("web", port=port)
        small_shop.up()
        fill(small_shop.root)
        small_shop.kill_supervisor()

        stopped = small_shop("stop")

        assert stopped.returncode == 0, stopped.stderr
        small_shop.expect_nothing_left()

    def test_while_the_supervisor_is_killed_leads_to_no_second_instance(
        self, small_shop: Shop, port: int
    ) -> None:
        small_shop.service("web", port=port)
        small_shop.up()
        with small_shop.subscribe() as events:
            fill(small_shop.root)
            small_shop.end_process(small_shop.status()["web"]["pid"])
            events.until(type="phase", service="web", phase="ready")
        small_shop.kill_supervisor()
        (small_shop.root / "ballast").unlink()

        small_shop.up()

        status = small_shop.status()["web"]
        assert (status["phase"], status["port"]) == ("ready", port)
        assert small_shop.pids("web") == [status["pid"]]
        assert small_shop("stop").returncode == 0
        small_shop.expect_nothing_left()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=[*HOSTILE])
class TestAFileThatSaysSomethingAbsurd:
    """Each in a place where devinit reads JSON; what is asked is answered, or refused by name, and never crashes."""

    def expect_no_defect(self, shop: Shop, *commands: str) -> None:
        for command in commands:
            done = shop(*command.split())
            said = done.stdout + done.stderr
            assert "defect of devinit" not in said, (command, said)
            assert "internal error" not in said, (command, said)
            assert "inside the supervisor" not in said, (command, said)
            assert "Traceback" not in said, (command, said)

    def test_as_ports_file(self, shop: Shop, port: int, text: str) -> None:
        shop.service("web", port=port)
        (shop.root / ".ports.json").write_text(text)

        self.expect_no_defect(
            shop, "ports --json", "start", "env", f"ports set web {port + 1}", "doctor --json", "ports reset"
        )

    def test_as_record_of_what_runs(self, shop: Shop, port: int, text: str) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()
        (state_of(shop.root) / "state.json").write_text(text)

        self.expect_no_defect(shop, "logs -n 1", "status", "doctor --json")

    def test_as_memory_of_a_set_up(self, shop: Shop, port: int, text: str) -> None:
        shop.service("web", port=port, setup="true")
        shop.up()
        (state_of(shop.root) / "setup" / "web.json").write_text(text)
        shop("stop")

        shop.up()

        assert shop.status()["web"]["phase"] == "ready"

    def test_as_package_of_a_frontend(self, shop: Shop, text: str) -> None:
        (shop.root / "frontend").mkdir()
        named = text.replace('"web":', '"name": "\\ud800", "scripts": {"dev": "vite \\ud800"}, "web":')
        (shop.root / "frontend" / "package.json").write_text(named)

        self.expect_no_defect(shop, "init --json", "ports --json", "doctor --json")

    def test_in_the_records_of_the_machine(self, shop: Shop, port: int, text: str) -> None:
        shop.service("web", port=port)
        state = state_directory()
        for name in (
            "worktrees.json",
            f"projects/{project_id(shop.root)}.json",
            f"chosen-ports/{project_id(shop.root)}.json",
            f"leases/{port}.lock",
        ):
            (state / name).parent.mkdir(exist_ok=True)
            (state / name).write_text(text)

        self.expect_no_defect(
            shop, "status --all --json", "ports --all --json", "start", "stop", "forget --json"
        )


class TestANumberOfThousandsOfDigits:
    @pytest.mark.parametrize("words", ["ports who", "ports set web", "logs -n", "start --timeout"])
    def test_is_refused_where_a_number_is_asked_for(self, shop: Shop, port: int, words: str) -> None:
        shop.service("web", port=port)

        refused = shop(*words.split(), "9" * 5000)

        assert refused.returncode == 2
        assert "defect" not in refused.stderr

"""Specifies `devinit.control.launch`: connect to the one supervisor of a project, or start it first."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.control import spawning
from devinit.control.launch import connect_or_start, connect_to, connect_to_running
from devinit.errors import SupervisorError
from devinit.system.checkout import claim
from devinit.system.file_lock import is_locked
from devinit.system.paths import socket_path
from devinit.system.unused_state import remove_unused

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(120)

ASK = """
import sys
from pathlib import Path
from devinit.control.launch import connect_or_start
client = connect_or_start(Path(sys.argv[1]))
print(client.call("ping")["pid"], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A project with one service that is never started."""
    path = tmp_path / "shop with a space and ü"
    path.mkdir()
    (path / "devinit.toml").write_text('[services.web]\ncommand = "sleep 1000"\n')
    yield path
    client = connect_to(path)
    if client is not None:
        pid = client.call("ping")["pid"]
        client.close()
        see_the_end_of(pid)


def see_the_end_of(pid: int) -> None:
    """Wait until a supervisor that nobody needs has gone."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        ready, _, _ = select.select([descriptor], [], [], 30)
        os.close(descriptor)
        assert ready


class TestASupervisor:
    def test_is_started_by_the_first_who_needs_it(self, root: Path) -> None:
        client = connect_or_start(root)

        answer = client.call("ping")
        client.close()

        assert answer["root"] == str(root)
        assert answer["pid"] != os.getpid()

    def test_is_gone_when_nobody_needs_it_any_more(self, root: Path) -> None:
        client = connect_or_start(root)
        pid = client.call("ping")["pid"]

        client.close()

        see_the_end_of(pid)
        assert connect_to(root) is None
        assert not socket_path(root).exists()

    def test_is_one_however_many_need_it_at_once(self, root: Path) -> None:
        asking = [
            subprocess.Popen(
                [sys.executable, "-c", ASK, str(root)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(8)
        ]
        pids = set()
        for process in asking:
            assert process.stdout is not None
            pids.add(process.stdout.readline())
        for process in asking:
            process.communicate()

        assert len(pids) == 1
        assert {process.returncode for process in asking} == {0}

    def test_that_was_begun_by_a_command_which_gave_up_is_in_nobody_s_way(self, root: Path) -> None:
        claim(root)
        spawning.spawn_supervisor(root).close()
        launch = spawning.Launch(root)  # as `begin` does where nobody listens yet
        assert launch.lock.acquire(blocking=False)
        while not socket_path(root).exists():
            pass
        launch.spawn()
        spawning.begun[str(root)] = launch

        # The first answers for the second, and leaves as nobody else asks.
        client = connect_or_start(root)

        assert client.call("ping")["pid"]
        client.close()

    def test_is_launched_while_one_that_leaves_removes_the_unused_folder(self, root: Path) -> None:
        done = threading.Event()

        def leave_again_and_again() -> None:
            while not done.is_set():
                remove_unused(root, claim(root))

        with ThreadPoolExecutor() as threads:
            leaving = threads.submit(leave_again_and_again)
            try:
                for _ in range(200):
                    with spawning.Launch(root) as launch:
                        assert is_locked(launch.lock.path)
            finally:
                done.set()
            leaving.result()

    def test_is_found_by_a_command_with_another_runtime_directory(
        self, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = connect_or_start(root)
        elsewhere = tmp_path / "run"
        elsewhere.mkdir(mode=0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(elsewhere))

        other = connect_to(root)

        assert other is not None
        assert other.call("ping") == client.call("ping")
        other.close()
        client.close()

    def test_outlives_a_socket_of_a_dead_one(self, root: Path) -> None:
        socket_path(root).touch()

        client = connect_or_start(root)

        assert client.call("ping")["root"] == str(root)
        client.close()

    def test_that_cannot_start_says_why(self, root: Path) -> None:
        (Path(claim(root)) / "state.json").write_text("{")

        with pytest.raises(SupervisorError, match=r"state\.json cannot be read") as caught:
            connect_or_start(root)

        assert caught.value.exit_code == 5
        assert str(spawning.log_path(root)) in str(caught.value.hint)

    def test_is_no_part_of_the_service_that_started_it(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DEVINIT_RUN", "other-project/web")
        client = connect_or_start(root)
        pid = client.call("ping")["pid"]

        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123  a file of the kernel
            assert b"DEVINIT_RUN" not in file.read()

        client.close()

    def test_that_is_stopped_is_told_to_whoever_waits(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("devinit.control.client.GREETING_SECONDS", 0.1)
        client = connect_or_start(root)
        pid = client.call("ping")["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(SupervisorError, match="does not answer"):
                connect_to(root)
        finally:
            os.kill(pid, signal.SIGCONT)
            client.close()


class TestLookingAtAProject:
    def test_starts_no_supervisor_when_nothing_runs(self, root: Path) -> None:
        assert connect_to_running(root) is None

    def test_starts_no_supervisor_when_everything_was_stopped(self, root: Path) -> None:
        (Path(claim(root)) / "state.json").write_text('{"version":1,"services":{}}\n')

        assert connect_to_running(root) is None

    def test_starts_one_when_services_are_on_record_without_one(self, root: Path) -> None:
        (Path(claim(root)) / "state.json").write_text('{"services":{"web":{}}}')

        with pytest.raises(SupervisorError, match=r"state\.json cannot be read"):
            connect_to_running(root)


class TestAnAddressThatIsNoText:
    def test_counts_as_none(self, root: Path) -> None:
        (Path(claim(root)) / "socket").write_bytes(b"\xff\xfe\0")

        assert connect_to(root) is None

        client = connect_or_start(root)
        assert client.call("ping")["root"] == str(root)
        client.close()

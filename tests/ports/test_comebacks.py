"""A holder that something starts again: under a small supervisor, under PM2 and under supervisord."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devinit.errors import PortConflict
from devinit.model.port import VerdictKind
from devinit.ports.ending.freeing import free
from devinit.ports.ending.release import COMEBACK_SECONDS, release
from devinit.ports.hold import Refusal
from devinit.ports.holder.lookup import holders_of_port
from devinit.ports.holder.verdict import judge
from devinit.ports.leases import LeaseStore
from tests.ports.conftest import LISTEN, Stranger

KEEPER = f"""
import subprocess, sys
port, starts, times = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for _ in range(times):
    server = subprocess.Popen(
        [sys.executable, "-S", "-c", {LISTEN!r}, str(port), "127.0.0.1"], stdout=subprocess.PIPE, text=True
    )
    print(server.stdout.readline(), end="", flush=True)
    with open(starts, "a") as file:
        file.write(".")
    server.wait()
"""
"""A supervisor that starts its server again at once, so many times in all."""
SERVER = "require('http').createServer((_, answer) => answer.end()).listen(+process.env.PORT, '127.0.0.1')"
BIN = Path(sys.executable).parent
PATIENCE = 30.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="managers are found through /proc")


def run(*words: str, **environment: str) -> str:
    done = subprocess.run(
        words,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def until(condition: Callable[[], object]) -> None:
    """Wait for what another program does in its own time, and tells nobody."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def refusal(port: int) -> PortConflict:
    """End the holder although it is managed, as one does who does not know it."""
    with pytest.raises(PortConflict) as refused:
        release(port, holders_of_port(port).identities)
    return refused.value


def ended_through(command: str, port: int) -> None:
    """Carry out the advice, and see that it is right."""
    run("sh", "-c", command)
    until(lambda: not holders_of_port(port).listeners)


class TestAServerOfASmallSupervisor:
    def test_is_ended_once_and_its_supervisor_is_named(
        self, port: int, stranger: Stranger, tmp_path: Path
    ) -> None:
        starts = tmp_path / "starts"
        keeper = stranger(port, str(starts), "9", program=KEEPER)

        refused = refusal(port)

        assert re.fullmatch(rf"it was started again: stop .* \(pid {keeper.pid}\) first", str(refused.hint))
        assert refused.message == f"port {port} is {holders_of_port(port).reason}"
        until(lambda: len(starts.read_text()) == 2)

    def test_that_gives_up_is_waited_for_no_longer_than_it_lives(
        self, port: int, stranger: Stranger, tmp_path: Path
    ) -> None:
        stranger(port, str(tmp_path / "starts"), "1", program=KEEPER)
        began = time.monotonic()

        freed = release(port, holders_of_port(port).identities)

        assert time.monotonic() - began < COMEBACK_SECONDS
        freed.hold.close()


class TestAServerOfPm2:
    @pytest.fixture
    def home(self, pm2: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        """Return the home of a daemon that ends with the test."""
        home = tmp_path / "pm2"
        monkeypatch.setenv("PM2_HOME", str(home))
        monkeypatch.setenv("PATH", f"{Path(pm2).parent}:{os.environ['PATH']}")
        (tmp_path / "server.js").write_text(SERVER)
        yield home
        daemon = int((home / "pm2.pid").read_text())
        os.kill(daemon, signal.SIGTERM)  # ends its applications first
        until(lambda: not Path(f"/proc/{daemon}/stat").exists())

    @pytest.mark.parametrize("options", [(), ("-i", "2")])
    def test_is_stopped_by_its_name(
        self, home: Path, port: int, tmp_path: Path, store: LeaseStore, options: tuple[str, ...]
    ) -> None:
        """A cluster's port is held by the daemon itself, which runs everything else too."""
        run("pm2", "start", str(tmp_path / "server.js"), "--name", "api", *options, PORT=str(port))
        until(lambda: holders_of_port(port).listeners)
        found = holders_of_port(port)
        command = f"PM2_HOME={home} pm2 stop api"

        with pytest.raises(PortConflict) as refused:
            free(port, root="", store=store, looked_after=False)

        assert judge(found, Refusal.TAKEN, root="").kind is VerdictKind.SUPERVISED
        assert f"`{command}`" in str(refused.value.hint)
        assert holders_of_port(port).identities == found.identities
        ended_through(command, port)

    def test_that_is_ended_all_the_same_comes_back_and_is_not_ended_twice(
        self, home: Path, port: int, tmp_path: Path
    ) -> None:
        run("pm2", "start", str(tmp_path / "server.js"), "--name", "api", PORT=str(port))
        until(lambda: holders_of_port(port).identities)
        [before] = holders_of_port(port).identities

        refused = refusal(port)

        assert refused.hint == f"pm2 started it again: `PM2_HOME={home} pm2 stop api` ends it for good"
        [after] = holders_of_port(port).identities
        assert after != before


class TestAServerOfSupervisord:
    @pytest.fixture
    def program(self, port: int, tmp_path: Path) -> Iterator[None]:
        """Run one program under a supervisord that ends with the test."""
        home = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))  # sockets have short paths
        (home / "supervisord.conf").write_text(f"""
[unix_http_server]
file={home}/s.sock
[supervisord]
nodaemon=true
logfile={home}/s.log
pidfile={home}/s.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:web]
command={sys.executable} -m http.server {port} --bind 127.0.0.1
process_name=%(program_name)s_%(process_num)02d
startsecs=0
""")
        with subprocess.Popen(
            [BIN / "supervisord", "-c", home / "supervisord.conf"],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        ) as supervisord:
            until(lambda: holders_of_port(port).listeners)
            yield
            supervisord.terminate()
        shutil.rmtree(home)

    def test_is_ended_once_and_then_stopped_by_its_name(self, program: None, port: int) -> None:
        refused = refusal(port)

        found = re.fullmatch(
            r"supervisord started it again: `(supervisorctl -s unix://\S+ stop web:web_00)` ends it for good",
            str(refused.hint),
        )
        assert found
        ended_through(f"{BIN}/{found[1]}", port)

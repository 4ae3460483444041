"""Specifies what a stop leaves running: what a person works in, although it was started from a service."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.model.service import StopPolicy
from devinit.supervisor.processes.ending import end_tree
from devinit.system.processes import alive, identity_of, members_of, process_ids

if TYPE_CHECKING:
    from devinit.model.process import ProcessIdentity
    from tests.supervisor.conftest import Launcher, Shop, Until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")

PATIENCE = 20.0
SERVER = """
import os, signal, socket, subprocess, sys
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(os.environ["PORT"])))
server.set_inheritable(True)
subprocess.run(sys.argv[1:], close_fds=False, check=True)
server.listen()
signal.pause()
"""
"""A server that starts something which inherits its socket and its lease."""
SHELL = """
import fcntl, os, signal, sys, termios
if os.fork() == 0:
    os.setsid()
    terminal = os.open(sys.argv[1], os.O_RDWR)
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for descriptor in range(3):
        os.dup2(terminal, descriptor)
    os.execvp("bash", ["bash", "--norc", "-i"])
print("ready", flush=True)
signal.pause()
"""
"""Starts a shell in a terminal that the service does not provide."""
PROVIDES = """
import os, pty, signal
child, _master = pty.fork()
if child == 0:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.execvp("sleep", ["sleep", "1000"])
print(child, flush=True)
signal.pause()
"""
"""Gives its command a terminal, as Turborepo and `script` do."""
OPENS = """
import signal, subprocess, sys
print(subprocess.Popen(sys.argv[1:]).pid, flush=True)
signal.pause()
"""
SOON = StopPolicy(grace_seconds=5)


class Tmux:
    """A tmux server with a socket of its own."""

    def __init__(self, socket: Path) -> None:
        self.words = ["tmux", "-S", str(socket), "-f", "/dev/null"]

    @property
    def start(self) -> list[str]:
        return [*self.words, "new-session", "-d", "cat"]

    def ask(self, *words: str) -> str:
        return subprocess.run(
            [*self.words, *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    def server(self) -> ProcessIdentity:
        return there(int(self.ask("display-message", "-p", "#{pid}")))

    def pane(self) -> ProcessIdentity:
        return there(int(self.ask("display-message", "-p", "#{pane_pid}")))


def there(pid: int) -> ProcessIdentity:
    identity = identity_of(pid)
    assert identity is not None
    return identity


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    running = Tmux(tmp_path / "tmux")
    yield running
    subprocess.run([*running.words, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Make an executable of a name, which does nothing until it is ended."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(name: str) -> str:
        return shutil.copy(shutil.which("sleep") or "", folder / name).__str__()

    yield make
    for pid in process_ids():
        with suppress(OSError):
            if Path(f"/proc/{pid}/exe").readlink().is_relative_to(folder):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def web(shop: Shop, port: int, tmux: Tmux) -> Shop:
    """A service that has started tmux, which keeps its socket and its lease."""
    (shop.root / "web.py").write_text(SERVER)
    command = " ".join([sys.executable, "-S", "web.py", *tmux.start])
    shop.service("web", command=command, port=port)
    shop.up()
    return shop


@needs_tmux
class TestATmuxServerThatAServiceStarted:
    def test_survives_the_stop_with_what_runs_in_it(self, web: Shop, tmux: Tmux) -> None:
        server, pane = tmux.server(), tmux.pane()

        done = web("stop")

        assert done.returncode == 0
        assert alive(server)
        assert alive(pane)
        assert web.pids("web") == []

    def test_is_reported_by_the_stop(self, web: Shop, tmux: Tmux) -> None:
        server = tmux.server()

        said = web("stop").stderr

        assert "web: left running: tmux " in said
        assert f"(pid {server.pid}), a terminal multiplexer; end it by hand if it is not needed" in said

    def test_survives_with_what_left_it_for_the_background(self, web: Shop, tmux: Tmux, until: Until) -> None:
        told = web.root / "background"
        script = f"echo $$ > {told}.new; mv {told}.new {told}; exec sleep 1000"
        tmux.ask("new-window", "-d", f"trap '' HUP; setsid -f sh -c '{script}'")
        until(told.exists, web.root)
        background = there(int(told.read_text()))

        web("stop")

        assert alive(background)
        os.kill(background.pid, signal.SIGKILL)

    def test_keeps_no_lease_of_the_stopped_service(self, web: Shop) -> None:
        web("stop")

        web.expect_nothing_left()

    def test_is_no_service_that_runs_without_a_supervisor(self, web: Shop, tmux: Tmux) -> None:
        server = tmux.server()
        web.kill_supervisor()
        web("stop")

        again = web("stop")

        assert again.stderr == "nothing runs\n"
        assert web.status()["web"]["phase"] == "stopped"
        assert alive(server)

    def test_keeps_its_port_and_the_next_start_moves_and_names_it(
        self, web: Shop, tmux: Tmux, port: int
    ) -> None:
        server = tmux.server()
        web("stop")
        (web.root / "web.py").write_text(SERVER.replace("subprocess.run", "(lambda *_, **__: None)"))

        done = web("start", FORCE_MODE="true")

        assert done.returncode == 0, done.stderr
        assert web.status()["web"]["port"] == port + 1
        assert f"(pid {server.pid})" in done.stderr
        assert alive(server)

    def test_refuses_a_fixed_port_by_name(self, web: Shop, tmux: Tmux, port: int) -> None:
        server = tmux.server()
        web("stop")
        web.service("web", command="true", port=port, strict_port=True)

        done = web("start", "--force")

        assert done.returncode == 3
        assert f"(pid {server.pid})" in done.stderr
        assert "would end every session in that terminal multiplexer" in done.stderr
        assert alive(server)

    def test_survives_a_restart_and_the_crash_of_the_service(self, web: Shop, tmux: Tmux) -> None:
        server = tmux.server()

        web.end_process(web.pids("web")[0])
        web("restart", "web")

        assert alive(server)


class TestASessionWithATerminalOfItsOwn:
    async def test_is_left_running(self, launch: Launcher) -> None:
        master, slave = pty.openpty()
        service = launch.python(SHELL, os.ttyname(slave))
        service.line()
        said: list[str] = []
        os.write(master, b"echo pid=$$=\n")
        shell = there(int(answer(master, rb"pid=(\d+)=")))

        left = await end_tree(service.process.identity, launch.marker, SOON, said.append)

        assert left == []
        what = f"bash --norc -i (pid {shell.pid}), a session with a terminal of its own"
        assert said == [f"left running: {what}; end it by hand if it is not needed"]
        os.write(master, b"echo still $((40 + 2))\n")
        assert answer(master, rb"still (42)") == b"42"
        os.kill(shell.pid, signal.SIGKILL)
        os.close(master)
        os.close(slave)

    async def test_ends_with_a_service_that_provides_the_terminal(self, launch: Launcher) -> None:
        service = launch.python(PROVIDES)
        child = there(int(service.line()))
        said: list[str] = []

        left = await end_tree(service.process.identity, launch.marker, SOON, said.append)

        assert (left, said) == ([], [])
        assert not alive(child)


class TestAProgramThatAPersonWorksIn:
    @pytest.mark.parametrize("name", ["chromium", "firefox-esr", "code", "konsole", "zellij"])
    async def test_is_left_running(self, launch: Launcher, program: Callable[[str], str], name: str) -> None:
        service = launch.python(OPENS, program(name), "1000")
        opened = there(int(service.line()))

        left = await end_tree(service.process.identity, launch.marker, SOON, lambda _text: None)

        assert left == []
        assert alive(opened)

    async def test_is_left_running_when_only_the_mark_tells_whose_it_is(
        self, launch: Launcher, program: Callable[[str], str]
    ) -> None:
        service = launch.python(OPENS, program("chromium"), "1000")
        opened = there(int(service.line()))

        await end_tree(None, launch.marker, SOON, lambda _text: None)

        assert alive(opened)
        assert members_of(None, launch.marker) == []

    @pytest.mark.parametrize("command", ["exec {}", "{}; true"])
    async def test_ends_when_it_is_the_service_itself(
        self, launch: Launcher, program: Callable[[str], str], command: str
    ) -> None:
        service = launch.sh(f"echo $$; {command.format(program('code-server') + ' 1000')}")
        service.line()

        await end_tree(service.process.identity, launch.marker, SOON, lambda _text: None)

        assert members_of(None, launch.marker) == []

    async def test_ends_when_a_program_drives_it(
        self, launch: Launcher, tmp_path: Path, program: Callable[[str], str]
    ) -> None:
        shutil.copy(sys.executable, tmp_path / "chrome")
        words = ["-S", "-c", "import time; time.sleep(1000)", "--headless=new"]
        environment = f"PYTHONHOME={sys.base_prefix}"
        service = launch.python(OPENS, "env", environment, str(tmp_path / "chrome"), *words)
        opened = there(int(service.line()))

        await end_tree(service.process.identity, launch.marker, SOON, lambda _text: None)

        assert not alive(opened)

    async def test_ends_when_it_is_a_script_of_that_name(self, launch: Launcher, tmp_path: Path) -> None:
        script = tmp_path / "cursor"
        script.write_text(f"#!{sys.executable} -S\nimport time\ntime.sleep(1000)\n")
        script.chmod(0o755)
        service = launch.python(OPENS, str(script))
        opened = there(int(service.line()))

        await end_tree(service.process.identity, launch.marker, SOON, lambda _text: None)

        assert not alive(opened)


def answer(master: int, expected: bytes) -> bytes:
    """Read from a terminal until it shows what is expected, and return its first group."""
    seen, deadline = b"", time.monotonic() + PATIENCE
    while (found := re.search(expected, seen)) is None:
        ready, _, _ = select.select([master], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, seen
        seen += os.read(master, 4096)
    return found[1]

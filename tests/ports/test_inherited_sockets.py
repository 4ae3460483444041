"""Specifies what happens to a port whose socket was inherited by a program that a person works in."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from devinit.errors import PortConflict
from devinit.model.port import ConflictPolicy, PortReport, PortRequest, ResolutionKind, VerdictKind
from devinit.model.process import ProcessIdentity
from devinit.ports.ending.freeing import free
from devinit.ports.ending.release import release
from devinit.ports.granting.conflicts import conflict_of
from devinit.ports.granting.grants import Grant, grant
from devinit.ports.holder.lookup import holders_of_port
from devinit.ports.holder.naming import named
from devinit.ports.holder.who import who
from devinit.ports.leases import LeaseStore
from devinit.system.processes import alive, facts_of, identity_of, process_ids
from tests.ports.conftest import Block, Stranger

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

SERVER = """
import os, signal, socket, subprocess, sys
port, _address, *words = sys.argv[1:]
server = socket.create_server(("127.0.0.1", int(port)))
server.set_inheritable(True)
if words[0] == "in a terminal":
    terminal = os.open(words[1], os.O_RDWR | os.O_NOCTTY)
    started = subprocess.Popen(["setsid", "-c", *words[2:]], close_fds=False, **dict.fromkeys(
        ("stdin", "stdout", "stderr"), terminal))
else:
    started = subprocess.Popen(words, close_fds=False, stdout=subprocess.DEVNULL)
if words[0] == "tmux":
    started.wait()
while started.returncode is None and not open(f"/proc/{started.pid}/cmdline").read():
    pass  # Popen returns while the program takes the place of its predecessor, and has no command line for a moment
print("ready", started.pid, flush=True)
signal.pause()
"""
"""A server whose socket is inherited by what it starts, as that of a reloader is."""

Inherits = Callable[..., tuple["subprocess.Popen[str]", ProcessIdentity]]


def there(pid: int) -> ProcessIdentity:
    identity = identity_of(pid)
    assert identity is not None
    return identity


def others(port: int, server: subprocess.Popen[str]) -> list[ProcessIdentity]:
    """Return what holds a port beside the server that listens there, the oldest first."""
    found = [each for each in holders_of_port(port).identities if each.pid != server.pid]
    return sorted(found, key=lambda each: (each.start_time, each.pid))


@pytest.fixture
def tmux(block: Block, stranger: Stranger, tmp_path: Path) -> Iterator[Callable[[int], ProcessIdentity]]:
    """Let a server on a port start tmux."""
    if shutil.which("tmux") is None:
        pytest.skip("needs tmux")
    words = ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]

    def start(port: int) -> ProcessIdentity:
        server = stranger(port, "", *words, "new-session", "-d", "cat", program=SERVER)
        # What it was forked by, or has just forked, has the socket for a moment more.
        for each in others(port, server):
            facts = facts_of(each.pid)
            if facts is not None and facts.name == "tmux: server":
                return each
        raise AssertionError("tmux does not hold the socket")

    yield start
    subprocess.run([*words, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def shell(stranger: Stranger) -> Iterator[Callable[..., ProcessIdentity]]:
    """Let a server on a port start a shell in a terminal."""
    started: list[ProcessIdentity] = []
    master, slave = pty.openpty()

    def start(port: int, *words: str) -> ProcessIdentity:
        server = stranger(port, "", "in a terminal", os.ttyname(slave), *words, program=SERVER)
        # `setsid` becomes the shell; it may still be about to, and has no command line for a moment then.
        found = others(port, server)[0]
        while (facts := facts_of(found.pid)) is not None and (facts.name == "setsid" or not facts.command):
            os.sched_yield()
        started.append(found)
        return found

    yield start
    for each in started:
        with suppress(ProcessLookupError):
            os.kill(each.pid, signal.SIGKILL)
    os.close(master)
    os.close(slave)


def force(root: Path, store: LeaseStore, port: int, *, strict: bool = False) -> Grant:
    request = PortRequest(service="web", preferred=port, first=port, last=port + 99, strict=strict)
    [found] = grant(
        [request],
        root=root,
        project="shop",
        environ={},
        remembered={},
        policy=ConflictPolicy.KILL,
        store=store,
    )
    return found


def seen(port: int, root: Path) -> PortReport:
    report = who(port, root)
    assert report is not None
    return report


class TestASocketThatTmuxInherited:
    def test_makes_force_move_and_no_holder_is_ended(
        self, tmux: Callable[[int], ProcessIdentity], block: Block, root: Path, store: LeaseStore
    ) -> None:
        first, second = block(2)
        server = tmux(first)
        before = (server, holders_of_port(first).identities[0])

        web = force(root, store, first)

        assert web.port == second
        assert (
            f"(pid {server.pid}) would end every session in that terminal multiplexer" in web.granted.reason
        )
        assert all(map(alive, before))
        web.close()

    def test_refuses_a_fixed_port_with_the_name_of_the_multiplexer(
        self, tmux: Callable[[int], ProcessIdentity], port: int, root: Path, store: LeaseStore
    ) -> None:
        server = tmux(port)

        with pytest.raises(PortConflict) as refused:
            force(root, store, port, strict=True)

        assert f"(pid {server.pid})" in refused.value.message
        assert str(refused.value.hint).startswith("ending tmux ")
        assert all(map(alive, holders_of_port(port).identities))

    def test_is_not_offered_to_be_freed(
        self, tmux: Callable[[int], ProcessIdentity], port: int, root: Path
    ) -> None:
        tmux(port)

        report = seen(port, root)

        assert (report.kind, report.killable) == (VerdictKind.PROTECTED, False)
        assert ResolutionKind.KILL not in conflict_of("web", report, move_to=port + 1).choices

    def test_is_not_freed_by_hand_either(
        self, tmux: Callable[[int], ProcessIdentity], port: int, root: Path, store: LeaseStore
    ) -> None:
        server = tmux(port)

        with pytest.raises(PortConflict, match=rf"pid {server.pid}"):
            free(port, root=str(root), store=store, looked_after=False)
        with pytest.raises(PortConflict):
            release(port, holders_of_port(port).identities)

        assert alive(server)


class TestASocketThatAShellInherited:
    @pytest.mark.parametrize("words", [("bash", "--norc", "-i"), ("bash", "--norc"), ("sh",)])
    def test_in_which_a_person_types_makes_force_move(
        self,
        shell: Callable[..., ProcessIdentity],
        block: Block,
        root: Path,
        store: LeaseStore,
        words: tuple[str, ...],
    ) -> None:
        first, second = block(2)
        typed_into = shell(first, *words)

        web = force(root, store, first)

        assert web.port == second
        assert f"(pid {typed_into.pid}) would end what runs in that interactive shell" in web.granted.reason
        assert all(map(alive, holders_of_port(first).identities))
        web.close()

    def test_that_runs_a_script_is_ended_with_the_server(
        self, shell: Callable[..., ProcessIdentity], port: int, root: Path, store: LeaseStore
    ) -> None:
        runner = shell(port, "sh", "-c", "sleep 1000; true")

        web = force(root, store, port)

        assert web.port == port
        assert not alive(runner)
        web.close()


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Make an executable of a name, which does nothing until it is ended."""

    def make(name: str) -> str:
        return str(shutil.copy(shutil.which("sleep") or "", tmp_path / name))

    return make


class TestASocketThatAProgramInheritedInWhichAPersonWorks:
    @pytest.mark.parametrize(
        "name", ["screen", "zellij", "chromium", "firefox-esr", "code", "pycharm", "nvim", "konsole"]
    )
    def test_makes_force_move(  # noqa: PLR0917  fixtures
        self,
        stranger: Stranger,
        block: Block,
        root: Path,
        store: LeaseStore,
        program: Callable[[str], str],
        name: str,
    ) -> None:
        first, second = block(2)
        server = stranger(first, "", program(name), "1000", program=SERVER)
        [opened] = others(first, server)

        web = force(root, store, first)

        assert web.port == second
        assert f"not ended: ending {name} 1000 (pid {opened.pid}) would " in web.granted.reason
        assert all(map(alive, holders_of_port(first).identities))
        web.close()

    def test_is_named_once_where_the_port_is_fixed(
        self,
        stranger: Stranger,
        port: int,
        root: Path,
        store: LeaseStore,
        program: Callable[[str], str],
    ) -> None:
        server = stranger(port, "", program("tmux"), "1000", program=SERVER)
        [opened] = others(port, server)

        with pytest.raises(PortConflict) as refused:
            force(root, store, port, strict=True)

        told = f"{refused.value.message}\n{refused.value.hint}"
        assert told.count(f"ending tmux 1000 (pid {opened.pid}) would end every session") == 1


class TestABrowserInTheProcessGroupOfAHolder:
    def test_is_not_ended_with_it(self, stranger: Stranger, port: int, program: Callable[[str], str]) -> None:
        code = SERVER.replace("close_fds=False, stdout", "stdout")
        server = stranger(port, "", program("chromium"), "1000", program=code)
        [holder] = holders_of_port(port).holders
        [browser] = [
            each
            for pid in process_ids()
            if (each := facts_of(pid)) is not None and each.parent_pid == server.pid
        ]

        freed = release(port, [holder.identity])

        assert freed.ended == (named(holder),)
        assert alive(browser.identity)
        freed.hold.close()

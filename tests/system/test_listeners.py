"""Specifies `devinit.system.listeners` and the two sources of its facts in `devinit.system.sockets`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.system import listeners, sockets
from devinit.system.facts import alive, identity_of
from devinit.system.listeners import (
    holders_of,
    socket_inodes,
    tcp_listeners,
)

if TYPE_CHECKING:
    from tests.system.conftest import Launcher, Unprivileged

MPTCP = 262

LISTEN_AND_FORK = """
import os, signal, socket
server = socket.create_server(("127.0.0.1", 0))
worker = os.fork()
if worker:
    print(server.getsockname()[1], flush=True)
    print(worker, flush=True)
signal.pause()
"""


LISTEN_IN_A_THREAD = """
import ctypes, os, signal, socket, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
CLONE_FILES = 0x400
ready = threading.Event()
def serve():
    if sys.argv[1] == "own table":
        assert libc.unshare(CLONE_FILES) == 0
    global server
    server = socket.create_server(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    ready.set()
    time.sleep(600)
threading.Thread(target=serve).start()
ready.wait()
if sys.argv[1] == "main thread ended":
    libc.pthread_exit(None)
signal.pause()
"""


@pytest.fixture
def opened() -> Iterator[Callable[[socket.socket], socket.socket]]:
    """Close each socket of a test at its end."""
    with ExitStack() as stack:
        yield stack.enter_context


Opened = Callable[[socket.socket], socket.socket]


def bound(
    address: str, *, v6only: bool = False, reuse_port: bool = False, protocol: int = 0
) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        found = socket.socket(family, socket.SOCK_STREAM, protocol)
    except OSError:
        pytest.skip("the kernel lacks this kind of socket")
    if family == socket.AF_INET6:
        found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    if reuse_port:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        found.bind((address, 0))
    except OSError:
        found.close()
        pytest.skip(f"{address} does not exist here")
    return found


def port_of(opened_socket: socket.socket) -> int:
    return int(opened_socket.getsockname()[1])


def answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=10).close()
    except ConnectionRefusedError:
        return False
    return True


def refused(_states: int, _port: int | None) -> Iterator[sockets.Socket]:
    raise PermissionError


def inode_of(opened_socket: socket.socket) -> int:
    return os.fstat(opened_socket.fileno()).st_ino


KINDS = [
    pytest.param(lambda: bound("0.0.0.0"), 4, "0.0.0.0", id="every IPv4 address"),
    pytest.param(lambda: bound("127.0.0.1"), 4, "127.0.0.1", id="127.0.0.1"),
    pytest.param(lambda: bound("127.0.0.2"), 4, "127.0.0.2", id="another loopback address"),
    pytest.param(lambda: bound("::"), 6, "::", id="every address of both families"),
    pytest.param(lambda: bound("::", v6only=True), 6, "::", id="every IPv6 address"),
    pytest.param(lambda: bound("::1"), 6, "::1", id="::1"),
    pytest.param(lambda: bound("::ffff:127.0.0.1"), 4, "127.0.0.1", id="IPv4 through IPv6, as Java does"),
    pytest.param(lambda: bound("127.0.0.1", reuse_port=True), 4, "127.0.0.1", id="SO_REUSEPORT"),
    pytest.param(lambda: bound("127.0.0.1", protocol=MPTCP), 4, "127.0.0.1", id="MPTCP, as Go does"),
]


@pytest.fixture(params=["netlink", "/proc/net/tcp"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both places where listeners can be read; a sandbox may refuse the first."""
    if request.param != "netlink":
        monkeypatch.setattr(listeners, "ask_kernel", refused)


class TestAListener:
    @pytest.mark.usefixtures("source")
    @pytest.mark.parametrize(("make", "family", "address"), KINDS)
    def test_is_told_with_its_family_address_user_and_inode(
        self,
        make: Callable[[], socket.socket],
        family: int,
        address: str,
        opened: Opened,
    ) -> None:
        server = opened(make())
        server.listen()

        (found,) = tcp_listeners(port_of(server))

        assert (found.port, found.family, found.address) == (port_of(server), family, address)
        assert (found.uid, found.inode) == (os.getuid(), inode_of(server))

    @pytest.mark.parametrize(("make", "family", "address"), KINDS)
    def test_is_told_to_serve_ipv4_as_well_exactly_when_it_does(
        self,
        make: Callable[[], socket.socket],
        family: int,
        address: str,
        opened: Opened,
    ) -> None:
        server = opened(make())
        server.listen()

        (found,) = tcp_listeners(port_of(server))

        served = family == 6 and answers("127.0.0.1", port_of(server))
        assert (found.address, found.dual_stack) == (address, served)

    def test_on_every_ipv6_address_is_not_told_to_serve_ipv4_where_the_kernel_does_not_say(
        self, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listeners, "ask_kernel", refused)
        servers = [opened(bound(address)) for address in ("::", "::1", "0.0.0.0")]
        for server in servers:
            server.listen()

        found = [listener.dual_stack for server in servers for listener in tcp_listeners(port_of(server))]

        assert found == [None, False, False]

    def test_is_told_on_each_family_when_two_share_a_port(self, opened: Opened) -> None:
        first = opened(bound("127.0.0.1"))
        first.listen()
        second = opened(socket.socket(socket.AF_INET6))
        try:
            second.bind(("::1", port_of(first)))
        except OSError:
            pytest.skip("no IPv6 here")
        second.listen()

        assert {found.family for found in tcp_listeners(port_of(first))} == {4, 6}

    def test_is_found_among_all(self, opened: Opened) -> None:
        servers = [opened(bound("127.0.0.1")) for _ in range(300)]
        for server in servers:
            server.listen()

        found = {listener.port for listener in tcp_listeners()}

        # More than one message of the kernel holds.
        assert {port_of(server) for server in servers} <= found

    def test_is_no_socket_that_is_only_bound(self, opened: Opened) -> None:
        assert tcp_listeners(port_of(opened(bound("127.0.0.1")))) == []

    def test_is_no_connection_from_the_port(self, opened: Opened) -> None:
        server = opened(bound("127.0.0.1"))
        server.listen()
        client = opened(socket.create_connection(server.getsockname()))

        assert tcp_listeners(port_of(client)) == []

    def test_is_no_connection_to_the_port(self, opened: Opened) -> None:
        server = opened(bound("127.0.0.1"))
        server.listen()
        opened(socket.create_connection(server.getsockname()))
        opened(server.accept()[0])

        assert [found.inode for found in tcp_listeners(port_of(server))] == [inode_of(server)]

    def test_is_told_to_an_ordinary_user_whoever_has_it(
        self, opened: Opened, unprivileged: Unprivileged
    ) -> None:
        server = opened(bound("127.0.0.1"))
        server.listen()

        (found,) = unprivileged(lambda: tcp_listeners(port_of(server)))

        assert (found.uid, found.inode) == (os.getuid(), inode_of(server))


class TestTheTwoSources:
    def test_agree_on_a_connection(self, opened: Opened) -> None:
        server = opened(bound("127.0.0.1"))
        server.listen()
        client = opened(socket.create_connection(server.getsockname()))

        def ours(found: Iterable[sockets.Socket]) -> list[sockets.Socket]:
            # The port may have been another connection's, which is in TIME_WAIT until a minute is over.
            return [each for each in found if each.peer_port == port_of(server)]

        [from_kernel] = ours(sockets.ask_kernel(sockets.ALL_BUT_LISTENING, port_of(client)))
        [from_table] = ours(sockets.read_tables(port_of(client)))

        assert from_kernel == from_table


class TestTheHoldersOfASocket:
    def test_are_all_processes_that_inherited_it(self, start: Launcher) -> None:
        server = start.python(LISTEN_AND_FORK)
        port, worker = int(server.line()), server.pid_said()
        (listener,) = tcp_listeners(port)

        assert holders_of({listener.inode}) == {listener.inode: [server.pid, worker]}

    def test_are_searched_no_further_than_the_processes_that_have_it(self, start: Launcher) -> None:
        server = start.python(LISTEN_AND_FORK)
        port, worker = int(server.line()), server.pid_said()
        (listener,) = tcp_listeners(port)

        assert holders_of({listener.inode}, [worker]) == {listener.inode: [worker]}

    def test_are_all_found_before_a_kill(self, start: Launcher) -> None:
        server = start.python(LISTEN_AND_FORK)
        port, worker = int(server.line()), server.pid_said()
        (listener,) = tcp_listeners(port)

        found = holders_of({listener.inode}, [worker, worker], every=True)

        assert found == {listener.inode: [worker, server.pid]}

    def test_include_a_worker_that_outlived_its_parent(self, start: Launcher) -> None:
        server = start.python(LISTEN_AND_FORK)
        port, worker = int(server.line()), server.pid_said()
        server.process.send(signal.SIGKILL)
        server.process.wait(10)
        (listener,) = tcp_listeners(port)

        assert holders_of({listener.inode}, [server.pid]) == {listener.inode: [worker]}

    def test_are_searched_everywhere_when_the_likely_ones_lack_it(
        self, opened: Opened, start: Launcher
    ) -> None:
        server = opened(bound("127.0.0.1"))
        other = start("sleep", "1000")

        assert holders_of({inode_of(server)}, [other.pid]) == {inode_of(server): [os.getpid()]}

    def test_are_none_when_nobody_visible_has_it(self) -> None:
        assert holders_of({1}) == {1: []}

    def test_are_hidden_from_another_user(self, opened: Opened, unprivileged: Unprivileged) -> None:
        if os.getuid() != 0:
            pytest.skip("there is no other user's process to look at")
        held = opened(bound("127.0.0.1"))
        inode = inode_of(held)

        def search() -> dict[int, list[int]]:
            held.close()  # the fork's own copy
            return holders_of({inode}, every=True)

        assert unprivileged(search) == {inode: []}

    def test_are_none_for_a_process_that_is_gone(self, start: Launcher) -> None:
        gone = start("true")
        gone.process.wait(10)
        gone.process.returncode()

        assert socket_inodes(gone.pid) == set()


class TestTheEphemeralRange:
    def test_holds_the_ports_that_the_kernel_chooses(self, opened: Opened) -> None:
        assert port_of(opened(bound("127.0.0.1"))) in listeners.ephemeral_range()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have descriptors of their own on Linux")
@pytest.mark.parametrize("how", ["own table", "main thread ended"])
def test_a_socket_that_only_a_thread_has_is_its_process_s(how: str) -> None:
    with subprocess.Popen([sys.executable, "-c", LISTEN_IN_A_THREAD, how], stdout=subprocess.PIPE) as program:
        try:
            assert program.stdout is not None
            port = int(program.stdout.readline())
            while (
                how == "main thread ended"
                and "(zombie)" not in Path(f"/proc/{program.pid}/status").read_text()
            ):
                time.sleep(0.01)  # the end of a thread wakes no other process
            [listener] = tcp_listeners(port)

            found = holders_of({listener.inode}, every=True)

            assert found == {listener.inode: [program.pid]}
            identity = identity_of(program.pid)
            assert identity is not None
            assert alive(identity)
        finally:
            program.kill()

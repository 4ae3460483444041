"""Specifies to which servers of this machine processes are connected."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.system import connections, peers
from devinit.system.peers import Peer, client_ends, peers_of
from devinit.system.sockets import Socket

if TYPE_CHECKING:
    from tests.system.conftest import Unprivileged

Opened = Callable[[socket.socket], socket.socket]
ME = os.getpid()


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Close each socket of a test at its end."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture(params=["netlink", "/proc/net/tcp"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both places where TCP sockets can be read; a sandbox may refuse the first."""

    def refused(_states: int, _port: int | None) -> Iterator[Socket]:
        raise PermissionError

    if request.param != "netlink":
        monkeypatch.setattr(connections, "ask_kernel", refused)


def listening(address: str, port: int = 0) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = socket.socket(family)
    if family == socket.AF_INET6 and address != "::":
        found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        found.bind((address, port))
    except OSError:
        found.close()
        pytest.skip(f"{address} does not exist here")
    found.listen()
    return found


def seen(pid: int = ME) -> frozenset[Peer]:
    return peers_of({"web": [pid]}, client_ends())["web"]


def inode_of(opened_socket: socket.socket) -> int:
    return os.fstat(opened_socket.fileno()).st_ino


@pytest.mark.usefixtures("source")
class TestAConnectionOverTcp:
    @pytest.mark.parametrize(
        ("bound", "to"),
        [
            ("127.0.0.1", "127.0.0.1"),
            ("0.0.0.0", "127.0.0.2"),
            ("::1", "::1"),
            ("::", "::1"),
            ("::", "127.0.0.1"),
        ],
    )
    def test_leads_to_the_socket_that_listens_there(self, opened: Opened, bound: str, to: str) -> None:
        server = opened(listening(bound))
        port = server.getsockname()[1]

        opened(socket.create_connection((to, port)))

        assert seen() == {Peer(port, "", inode_of(server), os.geteuid())}

    def test_is_seen_before_the_server_has_accepted_it_and_after(self, opened: Opened) -> None:
        server = opened(listening("127.0.0.1"))
        opened(socket.create_connection(server.getsockname()))
        before = seen()

        opened(server.accept()[0])

        assert seen() == before != frozenset()

    def test_that_is_closed_is_gone(self, opened: Opened) -> None:
        server = opened(listening("127.0.0.1"))

        socket.create_connection(server.getsockname()).close()

        assert seen() == frozenset()

    def test_leads_to_the_server_at_its_own_address_where_two_have_the_port(self, opened: Opened) -> None:
        first = opened(listening("127.0.0.1"))
        port = first.getsockname()[1]
        second = opened(listening("::1", port))

        opened(socket.create_connection(("::1", port)))

        assert [peer.inode for peer in seen()] == [inode_of(second)]

    def test_of_another_process_is_not_ours(self, opened: Opened) -> None:
        server = opened(listening("127.0.0.1"))
        opened(socket.create_connection(server.getsockname()))

        assert peers_of({"web": []}, client_ends()) == {"web": frozenset()}

    def test_to_another_machine_is_none_here(self) -> None:
        assert not peers.is_here("192.168.1.5", "192.168.1.9")
        assert peers.is_here("192.168.1.5", "192.168.1.5")


class TestAnotherUser:
    def test_sees_no_connection_of_a_process_that_is_hidden(
        self, opened: Opened, unprivileged: Unprivileged
    ) -> None:
        server = opened(listening("127.0.0.1"))
        opened(socket.create_connection(server.getsockname()))

        assert unprivileged(lambda: len(seen(ME))) == 0


class TestASocketOfPostgres:
    def test_is_recognised_by_its_name(self, opened: Opened, tmp_path: Path) -> None:
        path = str(tmp_path / ".s.PGSQL.5432")
        server, client = opened(socket.socket(socket.AF_UNIX)), opened(socket.socket(socket.AF_UNIX))
        server.bind(path)
        server.listen()
        client.connect(path)
        opened(server.accept()[0])  # before that the kernel tells no peer

        [peer] = seen()

        assert (peer.port, peer.path, peer.inode) == (5432, path, inode_of(server))

    def test_of_another_program_is_none(self, opened: Opened, tmp_path: Path) -> None:
        path = str(tmp_path / "agent.sock")
        server, client = opened(socket.socket(socket.AF_UNIX)), opened(socket.socket(socket.AF_UNIX))
        server.bind(path)
        server.listen()
        client.connect(path)
        opened(server.accept()[0])

        assert seen() == frozenset()

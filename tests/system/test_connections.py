"""Specifies who is connected to a port, and who uses one without listening."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from devinit.model.port import PortUse, UseState
from devinit.system import connections
from devinit.system.connections import clients_of, is_accepted, use_of
from devinit.system.sockets import Socket

if TYPE_CHECKING:
    from tests.system.conftest import Unprivileged

Opened = Callable[[socket.socket], socket.socket]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Close each socket of a test at its end."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture(params=["netlink", "/proc/net/tcp"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both places where sockets can be read; a sandbox may refuse the first."""

    def refused(_states: int, _port: int | None) -> Iterator[Socket]:
        raise PermissionError

    if request.param != "netlink":
        monkeypatch.setattr(connections, "ask_kernel", refused)


def bound(address: str = "127.0.0.1") -> socket.socket:
    found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        found.bind((address, 0))
    except OSError:
        found.close()
        pytest.skip(f"{address} does not exist here")
    return found


def listening(address: str = "127.0.0.1") -> socket.socket:
    found = bound(address)
    found.listen()
    return found


def port_of(opened_socket: socket.socket) -> int:
    return int(opened_socket.getsockname()[1])


def connected(server: socket.socket) -> socket.socket:
    return socket.create_connection(server.getsockname()[:2])


@pytest.mark.usefixtures("source")
class TestTheClientsOfAPort:
    def test_are_all_connections_to_it(self, opened: Opened) -> None:
        server, other = opened(listening()), opened(listening())
        opened(connected(server))
        opened(server.accept()[0])
        opened(connected(server))  # waits to be accepted
        opened(connected(other))

        assert clients_of({port_of(server), port_of(other)}) == {port_of(server): 2, port_of(other): 1}

    def test_are_counted_on_both_families(self, opened: Opened) -> None:
        server = opened(listening("::1"))
        opened(connected(server))

        assert clients_of([port_of(server)]) == {port_of(server): 1}

    def test_may_be_none(self, opened: Opened) -> None:
        server = opened(listening())

        assert clients_of([port_of(server)]) == {port_of(server): 0}


class TestAPortInUseWithoutAListener:
    @pytest.mark.usefixtures("source")
    def test_may_be_the_end_of_an_outgoing_connection(self, opened: Opened) -> None:
        server = opened(listening())
        client = opened(connected(server))

        found = use_of(port_of(client))

        assert found is not None
        assert (found.state, found.peer) == (UseState.CONNECTED, f"127.0.0.1:{port_of(server)}")
        assert [each.identity.pid for each in found.processes] == [os.getpid()]

    def test_may_be_bound_only(self, opened: Opened) -> None:
        found = use_of(port_of(opened(bound())))

        if found is None:
            pytest.skip("kernels before 6.8 do not tell")
        assert (found.state, found.peer) == (UseState.BOUND, "")
        assert [each.identity.pid for each in found.processes] == [os.getpid()]

    def test_is_told_by_its_user_when_the_process_is_hidden(
        self, opened: Opened, unprivileged: Unprivileged
    ) -> None:
        if os.getuid() != 0:
            pytest.skip("there is no other user's process to look at")
        server = opened(listening())
        client = opened(connected(server))
        port = port_of(client)

        def search() -> PortUse | None:
            client.close()  # the fork's own copy
            return use_of(port)

        peer = f"127.0.0.1:{port_of(server)}"
        assert unprivileged(search) == PortUse(state=UseState.CONNECTED, user="root", peer=peer)

    def test_writes_an_ipv6_peer_as_urls_do(self, opened: Opened) -> None:
        server = opened(listening("::1"))
        client = opened(connected(server))

        found = use_of(port_of(client))

        assert found is not None
        assert found.peer == f"[::1]:{port_of(server)}"

    @pytest.mark.usefixtures("source")
    def test_may_have_been_closed_a_moment_ago(self, opened: Opened) -> None:
        server = opened(listening())
        client = opened(connected(server))
        port = port_of(client)
        accepted = opened(server.accept()[0])

        client.close()
        accepted.recv(1)
        accepted.close()

        found = use_of(port)
        assert found is not None
        assert (found.state, found.peer) == (UseState.CLOSED, f"127.0.0.1:{port_of(server)}")
        assert found.processes == ()

    def test_is_not_told_about_another_port(self, opened: Opened) -> None:
        opened(bound())

        assert use_of(1) is None

    def test_is_none_when_nobody_uses_it(self, opened: Opened) -> None:
        assert use_of(port_of(opened(listening()))) is None


@pytest.mark.usefixtures("source")
class TestAConnection:
    @pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
    def test_is_accepted_when_a_process_has_taken_it_from_the_queue(
        self, opened: Opened, address: str
    ) -> None:
        server = opened(bound(address))
        server.listen()
        port = server.getsockname()[1]
        client = opened(socket.create_connection((address, port)))
        own_port = client.getsockname()[1]

        before = is_accepted(port, own_port)
        connection = opened(server.accept()[0])
        after = is_accepted(port, own_port)
        connection.close()

        assert (before, after, is_accepted(port, own_port)) == (False, True, True)

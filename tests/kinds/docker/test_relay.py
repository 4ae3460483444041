"""Specifies `devinit.kinds.docker.relay` on addresses of loopback, which stand for a network of containers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from devinit.kinds.docker.networks import free_at
from devinit.kinds.docker.relay import Relay, is_within

GATEWAY, CONTAINER, SUBNET, STRANGER = "127.77.0.1", "127.77.0.5", "127.77.0.0/16", "127.78.0.5"
SECONDS = 20.0

Relayed = Callable[[Callable[[socket.socket], None]], int]


@pytest.fixture
def relayed() -> Iterator[Relayed]:
    """Return what serves one connection on 127.0.0.1, and returns the port at which that is relayed."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def begin(serve: Callable[[socket.socket], None]) -> int:
            def run() -> None:
                with server.accept()[0] as connection:
                    serve(connection)

            threading.Thread(target=run, daemon=True).start()
            at = free_at(GATEWAY, 0)
            Relay(GATEWAY, SUBNET, [(server.getsockname()[1], at)]).begin()
            return at

        yield begin


def call(port: int, source: str = CONTAINER) -> socket.socket:
    return socket.create_connection((GATEWAY, port), timeout=SECONDS, source_address=(source, 0))


def read_all(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as file:
        return file.read()


class TestAConnection:
    def test_carries_much_in_both_directions_and_ends_in_one_after_the_other(self, relayed: Relayed) -> None:
        much = bytes(range(256)) * 40_000

        def upper_half(connection: socket.socket) -> None:
            connection.sendall(read_all(connection)[::-1])

        with call(relayed(upper_half)) as connection:
            connection.sendall(much)
            connection.shutdown(socket.SHUT_WR)

            assert read_all(connection) == much[::-1]

    def test_ends_for_the_service_when_the_container_has_gone(self, relayed: Relayed) -> None:
        ended = threading.Event()

        def wait_for_the_end(connection: socket.socket) -> None:
            connection.sendall(b"hello")
            read_all(connection)
            ended.set()

        with call(relayed(wait_for_the_end)) as connection:
            assert connection.recv(5) == b"hello"

        assert ended.wait(SECONDS)

    @pytest.mark.parametrize("source", [STRANGER, GATEWAY])
    def test_of_what_is_no_container_of_the_network_is_hung_up_on(
        self, relayed: Relayed, source: str
    ) -> None:
        served = threading.Event()

        with call(relayed(lambda _: served.set()), source) as connection:
            assert connection.recv(1) == b""

        assert not served.is_set()

    def test_to_a_service_that_does_not_listen_is_hung_up_on(self) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as server:
            port = server.getsockname()[1]
        at = free_at(GATEWAY, 0)
        Relay(GATEWAY, SUBNET, [(port, at)]).begin()

        with call(at) as connection:
            assert connection.recv(1) == b""


class TestAPort:
    def test_is_relayed_by_the_processes_of_several_containers(self) -> None:
        at = free_at(GATEWAY, 0)

        relays = [Relay(GATEWAY, SUBNET, [(8000, at)]) for _ in range(2)]
        for each in relays:
            each.begin()

        assert [each.not_reached for each in relays] == [[], []]

    def test_that_another_program_has_taken_is_named(self) -> None:
        with socket.create_server((GATEWAY, 0)) as taken:
            at = taken.getsockname()[1]

            assert free_at(GATEWAY, at) == 0
            assert Relay(GATEWAY, SUBNET, [(8000, at)]).not_reached == [8000]


@pytest.mark.parametrize(
    ("address", "subnet", "is_in"),
    [
        ("172.20.0.3", "172.20.0.0/16", True),
        ("172.21.0.3", "172.20.0.0/16", False),
        ("192.168.1.130", "192.168.1.128/25", True),
        ("192.168.1.5", "192.168.1.128/25", False),
        ("10.0.0.1", "0.0.0.0/0", True),
    ],
)
def test_an_address_is_in_a_subnet(address: str, subnet: str, *, is_in: bool) -> None:
    assert is_within(address, subnet) is is_in

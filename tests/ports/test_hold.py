from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.ports.hold import Hold, Refusal, hold
from tests.ports.conftest import Stranger

LINUX = sys.platform == "linux"
ADDRESSES = {
    "0.0.0.0": (socket.AF_INET, "0.0.0.0", False),
    "127.0.0.1": (socket.AF_INET, "127.0.0.1", False),
    "127.0.0.2": (socket.AF_INET, "127.0.0.2", False),
    ":: dual": (socket.AF_INET6, "::", False),
    ":: v6only": (socket.AF_INET6, "::", True),
    "::1": (socket.AF_INET6, "::1", True),
}


def server(
    address: str, port: int, *, reuse: bool, reuseport: bool = False, listen: bool = True
) -> socket.socket:
    family, host, v6only = ADDRESSES[address]
    bound = socket.socket(family)
    try:
        if reuse:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuseport:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(v6only))
        bound.bind((host, port))
        if listen:
            bound.listen()
    except OSError:
        bound.close()
        raise
    return bound


def is_free(port: int) -> bool:
    held = hold(port)
    if isinstance(held, Hold):
        held.close()
    return isinstance(held, Hold)


class TestAPort:
    def test_is_free_when_nobody_uses_it(self, port: int) -> None:
        assert is_free(port)

    @pytest.mark.parametrize(
        "options",
        [
            {"reuse": True},
            {"reuse": False},
            {"reuse": True, "reuseport": True},
            {"reuse": False, "reuseport": True},
        ],
    )
    @pytest.mark.parametrize("address", ADDRESSES)
    def test_is_taken_when_somebody_listens(self, address: str, options: dict[str, bool], port: int) -> None:
        with server(address, port, **options):
            assert hold(port) is Refusal.TAKEN

        assert is_free(port)

    def test_is_taken_when_somebody_has_bound_it_for_himself(self, port: int) -> None:
        with server("127.0.0.1", port, reuse=False, listen=False):
            assert hold(port) is Refusal.TAKEN

    def test_is_taken_while_an_outgoing_connection_uses_it(self, block: Callable[[int], range]) -> None:
        source, target = block(2)
        with server("127.0.0.1", target, reuse=True), socket.socket() as client:
            client.bind(("127.0.0.1", source))
            client.connect(("127.0.0.1", target))

            assert hold(source) is Refusal.TAKEN

    def test_is_free_although_connections_of_a_dead_server_linger(self, port: int) -> None:
        with server("127.0.0.1", port, reuse=True) as listening:
            client = socket.create_connection(("127.0.0.1", port))
            accepted, _ = listening.accept()
        accepted.close()  # the server closes first, so its side stays in TIME_WAIT
        assert client.recv(1) == b""
        client.close()
        with socket.socket() as plain, pytest.raises(OSError, match="in use"):
            plain.bind(("127.0.0.1", port))

        assert is_free(port)

    def test_below_1024_is_forbidden_to_an_ordinary_user(self) -> None:
        first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) if LINUX else 1024
        if first < 2:
            pytest.skip("every port is unprivileged here")

        assert as_ordinary_user(lambda: hold(first - 1) is Refusal.FORBIDDEN)


@pytest.mark.skipif(not LINUX, reason="nothing is held on this system")
class TestAHold:
    def test_lets_a_server_with_reuseaddr_bind_and_listen(self, port: int, stranger: Stranger) -> None:
        held = hold(port)

        stranger(port, "127.0.0.1")

        assert isinstance(held, Hold)
        socket.create_connection(("127.0.0.1", port)).close()
        held.close()

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_keeps_out_whoever_binds_without_reuseaddr(self, address: str, port: int) -> None:
        held = hold(port)

        with pytest.raises(OSError, match="in use"):
            server(address, port, reuse=False)

        assert isinstance(held, Hold)
        held.close()
        server(address, port, reuse=False).close()

    def test_answers_no_client(self, port: int) -> None:
        held = hold(port)

        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))

        assert isinstance(held, Hold)
        held.close()

    def test_is_not_inherited_by_a_service(self, port: int) -> None:
        held = hold(port)

        assert isinstance(held, Hold)
        assert held._descriptor is not None
        assert not os.get_inheritable(held._descriptor)
        held.close()

    def test_is_taken_again_over_the_hold_that_it_replaces(self, port: int) -> None:
        first, second = hold(port), hold(port)

        assert isinstance(first, Hold)
        assert isinstance(second, Hold)
        first.close()
        second.close()


def as_ordinary_user(question: Callable[[], bool]) -> bool:
    """Ask in a process without root's rights."""
    if os.geteuid() != 0:
        return question()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setuid(65534)
            os._exit(0 if question() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

"""Every kind of listening holder at once, each on a port of its own: a search passes all of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import pytest

from devinit.model.port import ConflictPolicy, PortRequest
from devinit.ports.granting.grants import grant
from devinit.ports.leases import LeaseStore
from tests.ports.conftest import Block

ADDRESSES = (
    ("0.0.0.0", False),
    ("127.0.0.1", False),
    ("127.0.0.2", False),
    ("::", False),
    ("::", True),
    ("::1", True),
)
"""Address, and whether it is bound for IPv6 alone."""
OPTIONS: tuple[tuple[int, ...], ...] = (
    (),
    (socket.SO_REUSEADDR,),
    (socket.SO_REUSEPORT,),
    (socket.SO_REUSEADDR, socket.SO_REUSEPORT),
)
KINDS = list(product(ADDRESSES, OPTIONS))


def listening(address: str, port: int, options: tuple[int, ...], *, v6only: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket(family))
        for option in options:
            server.setsockopt(socket.SOL_SOCKET, option, 1)
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(v6only))
        server.bind((address, port))
        server.listen()
        stack.pop_all()
    return server


@pytest.fixture
def street(block: Block) -> Iterator[range]:
    """Return neighbouring ports of which all but the last have a holder, each of another kind."""
    ports = block(len(KINDS) + 1)
    with ExitStack() as stack:
        for port, ((address, v6only), options) in zip(ports, KINDS, strict=False):
            stack.enter_context(listening(address, port, options, v6only=v6only))
        yield ports


def search(ports: range, preferred: int, root: Path, store: LeaseStore) -> tuple[int, int, list[int]]:
    """Return the granted port, how many were tried, and those that were passed over."""
    request = PortRequest(service="web", preferred=preferred, first=ports[0], last=ports[-1])
    [found] = grant(
        [request], root=root, project="shop", environ={}, remembered={},
        policy=ConflictPolicy.MOVE, store=store,
    )  # fmt: skip
    found.close(keep_reservation=False)
    return found.port, found.granted.attempts, [each.port for each in found.granted.passed]


class TestASearch:
    def test_passes_every_kind_of_listener(self, street: range, root: Path, store: LeaseStore) -> None:
        assert search(street, street[0], root, store) == (street[-1], len(street), [*street[:-1]])

    @pytest.mark.parametrize("index", range(len(KINDS)), ids=[f"{each[0]}-{each[1]}" for each in KINDS])
    def test_never_grants_a_port_that_somebody_listens_on(
        self, street: range, root: Path, store: LeaseStore, index: int
    ) -> None:
        granted, _, passed = search(street, street[index], root, store)

        assert granted == street[-1]
        assert passed[0] == street[index]

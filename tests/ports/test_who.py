"""Specifies what somebody is told who asks about a port, with real holders and leases."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from devinit.model.port import LeaseOwner, PortReport, VerdictKind
from devinit.ports.hold import Hold, hold
from devinit.ports.leases import Lease, LeaseStore
from devinit.ports.who import who
from devinit.system.files import FileLock
from devinit.system.paths import SUPERVISOR_LOCK, private_directory, state_directory
from tests.ports.conftest import Block, Stranger


@pytest.fixture
def leases() -> LeaseStore:
    """Return the leases of this machine."""
    return LeaseStore(state_directory() / "leases")


def take(leases: LeaseStore, port: int, owner: LeaseOwner) -> Lease:
    lease = leases.take(port, owner)
    assert isinstance(lease, Lease)
    return lease


def told(port: int, root: Path | None = None) -> PortReport:
    found = who(port, root)
    assert found is not None
    return found


class TestAFreePort:
    def test_has_nobody(self, port: int, root: Path) -> None:
        assert who(port, root) is None
        assert who(port) is None

    def test_is_left_free(self, port: int, leases: LeaseStore) -> None:
        who(port)

        held = hold(port)
        assert isinstance(held, Hold)
        held.close()
        assert list(leases.directory.iterdir()) == []


class TestATakenPort:
    def test_is_reported_with_its_holder(self, port: int, root: Path, stranger: Stranger) -> None:
        process = stranger(port)

        found = told(port, root)

        assert found.kind is VerdictKind.STRANGER
        assert [each.identity.pid for each in found.holders] == [process.pid]
        assert found.killable

    def test_may_be_held_by_a_stray_of_the_checkout(self, port: int, root: Path, stranger: Stranger) -> None:
        inside = root / "web"
        inside.mkdir()
        stranger(port, directory=inside)

        assert told(port, root).kind is VerdictKind.STRAY
        assert told(port, root.parent / "sho").kind is VerdictKind.STRANGER
        assert told(port).kind is VerdictKind.STRANGER

    def test_may_be_held_by_whoever_asks(self, port: int, root: Path, stranger: Stranger) -> None:
        process = stranger(port, directory=root)

        found = who(port, root, protected=[process.pid])

        assert found is not None
        assert (found.kind, found.killable) == (VerdictKind.PROTECTED, False)

    @pytest.mark.parametrize(("options", "dual_stack"), [((), False), (("dual",), True)])
    def test_tells_whether_ipv4_is_served_by_a_listener_on_every_ipv6_address(
        self, port: int, stranger: Stranger, options: tuple[str, ...], *, dual_stack: bool
    ) -> None:
        stranger(port, "::", *options)

        assert [each.dual_stack for each in told(port).listeners] == [dual_stack]

    def test_may_be_bound_without_listening(self, port: int, root: Path) -> None:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", port))

            assert told(port, root).kind is VerdictKind.BOUND

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may bind every port")
    def test_may_be_forbidden(self) -> None:
        assert told(1).kind is VerdictKind.FORBIDDEN


class TestAPortOfAProject:
    def test_is_a_neighbour_s(
        self, block: Block, root: Path, leases: LeaseStore, neighbour: LeaseOwner, stranger: Stranger
    ) -> None:
        port, other = block(2)
        lease, early = take(leases, port, neighbour), take(leases, other, neighbour)
        stranger(port)

        for each in (port, other):  # the second does not listen yet
            found = told(each, root)
            assert (found.kind, found.owner) == (VerdictKind.NEIGHBOUR, neighbour)
            assert found.advice.startswith("backend of blog runs on it: `devinit -C ")
        lease.give_back()
        early.give_back()

    def test_is_reserved_while_the_project_is_stopped(
        self, port: int, root: Path, leases: LeaseStore, neighbour: LeaseOwner
    ) -> None:
        take(leases, port, neighbour).release(keep_reservation=True)

        found = told(port, root)

        assert (found.kind, found.owner) == (VerdictKind.RESERVED, neighbour)

    def test_is_ours_while_a_supervisor_runs(
        self, port: int, root: Path, leases: LeaseStore, owner: LeaseOwner, stranger: Stranger
    ) -> None:
        lease = take(leases, port, owner)
        stranger(port, directory=root)

        with FileLock(private_directory(root) / SUPERVISOR_LOCK):
            looked_after = told(port, root)
        orphaned = told(port, root)

        assert (looked_after.kind, looked_after.killable) == (VerdictKind.OURS, False)
        assert (orphaned.kind, orphaned.killable) == (VerdictKind.ORPHAN, True)
        lease.give_back()

"""Specifies what somebody is told who asks about a port, with real holders and leases."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from devinit.errors import PortConflict
from devinit.model.port import LeaseOwner, PortReport, ResolutionKind, VerdictKind
from devinit.ports.ending.freeing import free
from devinit.ports.ending.release import release
from devinit.ports.granting.conflicts import conflict_of
from devinit.ports.hold import Hold, hold
from devinit.ports.holder.who import who
from devinit.ports.leases import Claim, Lease, LeaseStore
from devinit.system.checkout import claim
from devinit.system.file_lock import FileLock
from devinit.system.paths import SUPERVISOR_LOCK, project_id, state_directory
from tests.ports.conftest import CONNECT, Block, Stranger


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


def freed(report: PortReport) -> str:
    """Ask for the end of exactly those that were shown, and return why it is refused."""
    with pytest.raises(PortConflict) as caught:
        free(
            report.port,
            root="",
            store=LeaseStore(state_directory() / "leases"),
            looked_after=False,
            holders=[each.identity for each in report.holders],
        )
    return caught.value.hint or ""


def released(report: PortReport) -> str:
    with pytest.raises(PortConflict) as caught:
        release(report.port, [each.identity for each in report.holders])
    return caught.value.hint or ""


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

            found = told(port, root)

        assert (found.kind, found.killable) == (VerdictKind.BOUND, False)
        if "no visible process" in found.advice:
            pytest.skip("kernels before 6.8 do not tell who has bound it")
        assert [each.identity.pid for each in found.holders] == [os.getpid()]

    def test_may_be_the_end_of_an_outgoing_connection(
        self, port: int, root: Path, stranger: Stranger
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            process = stranger(
                port, "127.0.0.1", str(server.getsockname()[1]), program=CONNECT, directory=root
            )

            found = told(port, root)
            refused = [answer(found) for answer in (freed, released)]

        assert (found.kind, found.listeners, found.killable) == (VerdictKind.CONNECTION, (), False)
        first, second = found.holders
        assert (first.identity.pid, second.parent_pid) == (process.pid, process.pid)
        # All that is known of a process is told, and yet nobody ends it for a mere connection.
        assert {each.directory for each in found.holders} == {str(root)}
        assert ResolutionKind.KILL not in conflict_of("web", found, move_to=None).choices
        assert all("no process listens there" in hint or "its connection lasts" in hint for hint in refused)
        assert process.poll() is None

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

        for each, does in ((port, "runs on it"), (other, "has it without listening")):
            found = told(each, root)
            assert (found.kind, found.owner) == (VerdictKind.NEIGHBOUR, neighbour)
            assert found.advice.startswith(f"backend of blog {does}: `devinit -C ")
        lease.give_back()
        early.give_back()

    def test_is_reserved_while_the_project_is_stopped(
        self, port: int, root: Path, leases: LeaseStore, neighbour: LeaseOwner
    ) -> None:
        lease = take(leases, port, neighbour)
        lease.claim(Claim.KEPT)
        lease.release(keep_reservation=True)

        found = told(port, root)

        assert (found.kind, found.owner) == (VerdictKind.RESERVED, neighbour)

    def test_is_free_while_the_project_is_stopped_that_merely_used_it(
        self, port: int, root: Path, leases: LeaseStore, neighbour: LeaseOwner
    ) -> None:
        lease = take(leases, port, neighbour)
        lease.claim(Claim.USED)
        lease.release(keep_reservation=True)

        assert who(port, root) is None

    def test_is_ours_while_a_supervisor_runs(  # noqa: PLR0917  fixtures
        self,
        port: int,
        root: Path,
        leases: LeaseStore,
        owner: LeaseOwner,
        stranger: Stranger,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        lease = take(leases, port, owner)
        monkeypatch.setenv("DEVINIT_RUN", f"{project_id(root)}/backend")
        stranger(port, directory=root)

        with FileLock(Path(claim(root)) / SUPERVISOR_LOCK):
            looked_after = told(port, root)
        orphaned = told(port, root)

        assert (looked_after.kind, looked_after.killable) == (VerdictKind.OURS, False)
        assert (orphaned.kind, orphaned.killable, orphaned.ends) == (VerdictKind.ORPHAN, True, 1)
        lease.give_back()

    def test_is_no_left_over_when_devinit_did_not_start_what_listens(
        self, port: int, root: Path, leases: LeaseStore, owner: LeaseOwner, stranger: Stranger
    ) -> None:
        lease = take(leases, port, owner)
        stranger(port, directory=root)

        found = told(port, root)

        assert (found.kind, found.killable) == (VerdictKind.STRAY, True)
        lease.give_back()

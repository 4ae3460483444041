from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from devinit.errors import PortConflict
from devinit.model.port import LeaseOwner
from devinit.ports.ending.freeing import Freed, free
from devinit.ports.hold import Hold, hold
from devinit.ports.holder.lookup import holders_of_port
from devinit.ports.leases import Claim, Lease, LeaseStore, root_name
from tests.ports.conftest import LISTEN, Stranger


@contextmanager
def service(
    port: int, owner: LeaseOwner, store: LeaseStore, directory: str
) -> Iterator[subprocess.Popen[str]]:
    """Run a service as a supervisor does that has gone since: the lease lives in the process alone."""
    lease = store.take(port, replace(owner, root=root_name(Path(owner.root)), pid=1))
    assert isinstance(lease, Lease)
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", LISTEN, str(port), "127.0.0.1"],
        cwd=directory,
        pass_fds=[lease.fd],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    lease.claim(Claim.KEPT)
    lease.release(keep_reservation=True)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def is_free(port: int) -> bool:
    held = hold(port)
    if isinstance(held, Hold):
        held.close()
    return isinstance(held, Hold)


class TestFreeingAPort:
    def test_ends_whoever_a_person_saw_and_leaves_it_to_anybody(
        self, port: int, stranger: Stranger, store: LeaseStore
    ) -> None:
        process = stranger(port)
        said: list[str] = []

        freed = free(
            port,
            root="",
            store=store,
            looked_after=False,
            holders=holders_of_port(port).identities,
            say=said.append,
        )

        assert process.wait() == -signal.SIGTERM
        assert freed.port == port
        assert freed.ended[0].endswith(f"(pid {process.pid})")
        assert said == [f"asked {freed.ended[0]} to end"]
        assert is_free(port)
        assert store.owners() == []

    def test_without_anybody_seen_ends_who_holds_it_now(
        self, port: int, stranger: Stranger, store: LeaseStore
    ) -> None:
        process = stranger(port)

        free(port, root="", store=store, looked_after=False)

        assert process.wait() == -signal.SIGTERM

    def test_that_nobody_holds_ends_nobody(self, port: int, store: LeaseStore) -> None:
        assert free(port, root="", store=store, looked_after=False) == Freed(port, ())

    def test_spares_who_took_the_place_of_the_one_that_was_seen(
        self, port: int, stranger: Stranger, store: LeaseStore
    ) -> None:
        seen = stranger(port)
        shown = holders_of_port(port).identities
        seen.kill()
        seen.wait()
        other = stranger(port)

        with pytest.raises(PortConflict) as refused:
            free(port, root="", store=store, looked_after=False, holders=shown)

        assert other.poll() is None
        assert refused.value.hint == "it is not the process that was shown, so nothing was ended"
        assert store.owners() == []

    def test_spares_what_asks(self, port: int, stranger: Stranger, store: LeaseStore) -> None:
        process = stranger(port)

        with pytest.raises(PortConflict) as refused:
            free(port, root="", store=store, looked_after=False, protected=[process.pid])

        assert process.poll() is None
        assert str(refused.value.hint).startswith("devinit itself runs in ")


class TestFreeingAPortOfAProject:
    def test_of_another_checkout_is_refused_with_what_stops_it(
        self, port: int, store: LeaseStore, root: Path, neighbour: LeaseOwner
    ) -> None:
        with service(port, neighbour, store, neighbour.root) as process:
            with pytest.raises(PortConflict) as refused:
                free(port, root=root_name(root), store=store, looked_after=False)

            assert process.poll() is None
        assert f"`devinit -C {neighbour.root} stop backend` ends it" in str(refused.value.hint)

    def test_that_a_supervisor_looks_after_is_refused(
        self, port: int, store: LeaseStore, root: Path, owner: LeaseOwner
    ) -> None:
        with service(port, owner, store, str(root)) as process:
            with pytest.raises(PortConflict) as refused:
                free(port, root=root_name(root), store=store, looked_after=True)

            assert process.poll() is None
        assert "`devinit stop backend` ends it" in str(refused.value.hint)

    def test_that_an_earlier_run_of_ours_left_is_ours_to_free(
        self, port: int, store: LeaseStore, root: Path, owner: LeaseOwner
    ) -> None:
        with service(port, owner, store, str(root)) as process:
            freed = free(port, root=root_name(root), store=store, looked_after=False)

            assert process.wait() == -signal.SIGTERM
        assert len(freed.ended) == 1

    def test_that_is_only_reserved_ends_the_stranger_that_has_it(
        self, port: int, stranger: Stranger, store: LeaseStore, root: Path, neighbour: LeaseOwner
    ) -> None:
        lease = store.take(port, replace(neighbour, root=root_name(Path(neighbour.root))))
        assert isinstance(lease, Lease)
        lease.claim(Claim.KEPT)
        lease.release(keep_reservation=True)
        process = stranger(port)

        free(port, root=root_name(root), store=store, looked_after=False)

        assert process.wait() == -signal.SIGTERM
        assert [(at, mine.project, live) for at, mine, live in store.owners()] == [(port, "blog", False)]

    def test_gives_our_own_reservation_back_as_it_was(
        self, port: int, stranger: Stranger, store: LeaseStore, root: Path, owner: LeaseOwner
    ) -> None:
        mine = replace(owner, root=root_name(root))
        lease = store.take(port, mine)
        assert isinstance(lease, Lease)
        lease.claim(Claim.KEPT)
        lease.release(keep_reservation=True)
        stranger(port)

        free(port, root=root_name(root), store=store, looked_after=False)

        assert store.owners() == [(port, mine, False)]

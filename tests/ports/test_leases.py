from __future__ import annotations

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from devinit.errors import StateFileError
from devinit.model.port import LeaseOwner
from devinit.ports.leases import LAPSE_SECONDS, Claim, Displaced, Lease, LeaseStore, Taken

PORT = 22001

TAKE = """
import os, sys
from pathlib import Path
from devinit.model.port import LeaseOwner
from devinit.ports.leases import Claim, Lease, LeaseStore
store = LeaseStore(Path(sys.argv[1]))
root = sys.argv[2]
owner = LeaseOwner(root=root, project=root, service="backend", pid=os.getpid(), at=0.0)
"""
RACE = (
    TAKE
    + """
print("ready", flush=True)
sys.stdin.readline()
got, port = [], 22000
while len(got) < 4:
    lease = store.take(port, owner)
    if isinstance(lease, Lease):
        got.append(lease)
    port += 1
print(*[lease.port for lease in got], flush=True)
sys.stdin.readline()
"""
)
SUPERVISE = (
    TAKE
    + """
import subprocess
lease = store.take(22001, owner)
lease.claim(Claim.KEPT)
service = subprocess.Popen(
    ["sh", "-c", "sleep 60 & wait"],
    stdout=subprocess.DEVNULL,
    pass_fds=[lease.fd],
    start_new_session=True,
)
print(service.pid, flush=True)
service.wait()
"""
)


def taken(store: LeaseStore, owner: LeaseOwner, port: int = PORT) -> Lease:
    lease = store.take(port, owner)
    assert isinstance(lease, Lease)
    return lease


def reserve(store: LeaseStore, owner: LeaseOwner, port: int = PORT, claim: Claim = Claim.KEPT) -> None:
    """Lease a port, be ready on it, and stop."""
    lease = taken(store, owner, port)
    lease.claim(claim)
    lease.release(keep_reservation=True)


class TestALease:
    def test_is_refused_to_others_while_it_is_held(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        lease = taken(store, owner)

        assert store.take(PORT, neighbour) == Taken(owner, live=True)
        lease.release(keep_reservation=False)

    def test_is_refused_to_its_own_checkout_too_and_names_it(
        self, store: LeaseStore, owner: LeaseOwner
    ) -> None:
        lease = taken(store, owner)

        assert store.take(PORT, owner) == Taken(owner, live=True)
        lease.release(keep_reservation=False)

    def test_lives_in_private_files(self, store: LeaseStore, owner: LeaseOwner) -> None:
        reserve(store, owner)

        assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700
        assert stat.S_IMODE((store.directory / f"{PORT}.lock").stat().st_mode) == 0o600

    def test_reaches_no_service_unless_it_is_passed_on(self, store: LeaseStore, owner: LeaseOwner) -> None:
        lease = taken(store, owner)

        assert not os.get_inheritable(lease.fd)
        lease.release(keep_reservation=False)

    def test_stays_with_the_service_when_the_supervisor_lets_go(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        lease = taken(store, owner)
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[lease.fd]) as service:
            lease.release(keep_reservation=False)

            assert store.take(PORT, neighbour) == Taken(owner, live=True)
            service.communicate()

        taken(store, neighbour).release(keep_reservation=False)

    def test_outlives_a_killed_supervisor_for_as_long_as_the_service_tree(
        self, store: LeaseStore, root: Path, neighbour: LeaseOwner
    ) -> None:
        supervisor = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, str(store.directory), str(root)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert supervisor.stdout is not None
        service = int(supervisor.stdout.readline())
        supervisor.kill()
        supervisor.communicate()

        refusal = store.take(PORT, neighbour)
        os.kill(service, signal.SIGKILL)  # the shell: its sleep still has the lease
        refusal_by_grandchild = store.take(PORT, neighbour)
        os.killpg(service, signal.SIGKILL)

        assert isinstance(refusal, Taken)
        assert refusal.live
        assert refusal.owner is not None
        assert refusal.owner.root == str(root)
        assert refusal_by_grandchild == refusal
        wait_for_lock(store, PORT)
        assert store.take(PORT, neighbour) == Taken(refusal.owner, live=False)

    def test_that_was_given_back_leaves_what_was_reserved_before(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner)

        taken(store, LeaseOwner(root=owner.root, project="shop", service="web", pid=1, at=1.0)).give_back()

        assert store.take(PORT, neighbour) == Taken(owner, live=False)

    def test_that_was_given_back_leaves_nothing_where_nothing_was(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        taken(store, owner).give_back()

        assert store.owners() == []
        taken(store, neighbour).give_back()

    def test_survives_that_somebody_removed_the_files(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        first = taken(store, owner)
        (store.directory / f"{PORT}.lock").unlink()

        second = taken(store, neighbour)

        assert store.owners() == [(PORT, neighbour, True)]
        first.release(keep_reservation=False)
        second.release(keep_reservation=False)


class TestAReservation:
    def test_keeps_the_port_of_a_stopped_project(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner)

        assert store.take(PORT, neighbour) == Taken(owner, live=False)

    def test_is_its_own_project_s_to_take(self, store: LeaseStore, owner: LeaseOwner) -> None:
        reserve(store, owner)

        reserve(store, owner)

    def test_ends_when_it_is_given_up(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        taken(store, owner).release(keep_reservation=False)

        taken(store, neighbour).release(keep_reservation=False)

    def test_of_a_checkout_that_vanished_counts_for_nothing(
        self, store: LeaseStore, root: Path, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner)
        root.rmdir()

        assert store.owners() == []
        taken(store, neighbour).release(keep_reservation=False)

    def test_of_another_checkout_is_looked_at_without_being_locked(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner)
        with (store.directory / f"{PORT}.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)

            assert store.take(PORT, neighbour) == Taken(owner, live=False)

    def test_is_forgotten_for_a_service_that_has_another_port_now(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner, 22001)
        reserve(store, owner, 22002)
        reserve(store, neighbour, 22003)

        assert store.forget(owner.root, {"backend": 22002}) == [22001]
        assert store.owners() == [(22002, owner, False), (22003, neighbour, False)]

    def test_is_not_forgotten_while_its_service_runs(self, store: LeaseStore, owner: LeaseOwner) -> None:
        lease = taken(store, owner)

        assert store.forget(owner.root, {"backend": None}) == []
        lease.release(keep_reservation=False)

    def test_is_forgotten_altogether_when_no_port_is_named(
        self, store: LeaseStore, owner: LeaseOwner
    ) -> None:
        reserve(store, owner)

        assert store.forget(owner.root, {"backend": None}) == [PORT]
        assert store.owners() == []


class TestAClaim:
    """What a port is to the service that had it last, once that is stopped."""

    def test_of_a_service_that_was_never_ready_is_none(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        taken(store, owner).release(keep_reservation=True)

        lease = taken(store, neighbour)

        assert lease.displaced is None
        lease.give_back()

    def test_to_a_port_that_was_used_makes_way_and_is_told(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner, claim=Claim.USED)

        lease = taken(store, neighbour)

        assert lease.displaced == Displaced(owner, kept=False)
        assert store.take(PORT, owner) == Taken(neighbour, live=True, taken_over=True)
        lease.give_back()

    def test_to_a_port_that_is_kept_makes_way_only_when_that_is_asked_for(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner, claim=Claim.KEPT)

        assert store.take(PORT, neighbour) == Taken(owner, live=False)
        lease = store.take(PORT, neighbour, over_reservation=True)
        assert isinstance(lease, Lease)
        assert lease.displaced == Displaced(owner, kept=True)
        lease.give_back()

    def test_lasts_through_a_start_at_which_the_service_does_not_come_up(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner)

        taken(store, owner).release(keep_reservation=True)

        assert store.take(PORT, neighbour) == Taken(owner, live=False)

    def test_is_not_that_of_another_service_of_the_checkout(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner)

        taken(store, replace(owner, service="web")).release(keep_reservation=True)

        taken(store, neighbour).give_back()

    def test_counts_again_as_of_its_stop_when_who_took_the_port_did_not_come_up(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner)
        stopped = time.time() - LAPSE_SECONDS / 2
        os.utime(store.directory / f"{PORT}.lock", (stopped, stopped))
        lease = store.take(PORT, neighbour, over_reservation=True)
        assert isinstance(lease, Lease)

        lease.release(keep_reservation=True)

        assert store.take(PORT, neighbour) == Taken(owner, live=False)
        assert (store.directory / f"{PORT}.lock").stat().st_mtime == pytest.approx(stopped)

    def test_is_not_put_back_while_a_process_still_has_the_port(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner)
        lease = store.take(PORT, neighbour, over_reservation=True)
        assert isinstance(lease, Lease)
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[lease.fd]) as stubborn:
            lease.release(keep_reservation=True)

            assert store.look(PORT) == Taken(neighbour, live=True)
            stubborn.communicate()

    def test_of_a_service_whose_own_processes_have_the_lease_can_be_put_on_record(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        lease = taken(store, owner)
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[lease.fd]) as service:
            os.close(lease.fd)  # as after the supervisor was killed

            store.claim(PORT, owner, Claim.KEPT)
            store.claim(PORT, neighbour, Claim.NONE)
            service.communicate()

        assert store.take(PORT, neighbour) == Taken(owner, live=False)

    def test_is_missing_in_files_of_earlier_versions_which_keep_nothing(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner)
        path = store.directory / f"{PORT}.lock"
        old = {name: value for name, value in json.loads(path.read_text()).items() if name != "claim"}
        path.write_text(json.dumps(old))

        assert store.owners() == [(PORT, owner, False)]
        assert store.look(PORT) is None
        lease = taken(store, neighbour)
        assert lease.displaced == Displaced(owner, kept=False)
        lease.give_back()


class TestAllRecordsOfACheckout:
    def test_are_dropped_but_for_what_runs(
        self, store: LeaseStore, owner: LeaseOwner, neighbour: LeaseOwner
    ) -> None:
        reserve(store, owner, 22001)
        reserve(store, replace(owner, service="web"), 22002, claim=Claim.USED)
        reserve(store, neighbour, 22003)
        lease = taken(store, owner, 22004)

        assert store.forget_checkout(owner.root) == [22001, 22002]
        assert [port for port, _, _ in store.owners()] == [22003, 22004]
        lease.release(keep_reservation=False)


class TestTheContentOfALeaseFile:
    @pytest.mark.parametrize(
        "content", [b"", b"\0\0\0", b'{"root": "/x", "proj', b"[1, 2]", b'{"root": 5}', b"\xff\xfe" * 9000]
    )
    def test_that_is_torn_or_garbage_belongs_to_nobody(
        self, content: bytes, store: LeaseStore, owner: LeaseOwner
    ) -> None:
        (store.directory / f"{PORT}.lock").write_bytes(content)

        assert store.owners() == []
        reserve(store, owner)
        assert store.owners() == [(PORT, owner, False)]

    def test_that_is_garbage_under_a_lock_has_an_unknown_owner(
        self, store: LeaseStore, owner: LeaseOwner
    ) -> None:
        path = store.directory / f"{PORT}.lock"
        path.write_bytes(b"garbage")
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)

            assert store.take(PORT, owner) == Taken(None, live=True)

    def test_is_readable_by_a_person(self, store: LeaseStore, owner: LeaseOwner) -> None:
        reserve(store, owner)

        content = json.loads((store.directory / f"{PORT}.lock").read_text())

        assert content == {
            "root": owner.root, "project": "shop", "service": "backend", "pid": os.getpid(), "at": 0.0,
            "by_program": False, "reserved": True, "taken_from": "", "claim": "kept", "down": False,
        }  # fmt: skip

    def test_that_belongs_to_no_port_is_left_alone(self, store: LeaseStore) -> None:
        (store.directory / "README.lock").write_text("mine")

        assert store.owners() == []

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_that_cannot_be_read_is_named(self, store: LeaseStore, owner: LeaseOwner) -> None:
        (store.directory / f"{PORT}.lock").touch(0o000)

        with pytest.raises(StateFileError, match=r"22001\.lock cannot be used: Permission denied"):
            store.take(PORT, owner)

    def test_is_not_followed_to_another_file(
        self, store: LeaseStore, owner: LeaseOwner, tmp_path: Path
    ) -> None:
        target = tmp_path / "target"
        target.write_text("precious")
        (store.directory / f"{PORT}.lock").symlink_to(target)

        with pytest.raises(StateFileError, match=r"22001\.lock"):
            store.take(PORT, owner)
        assert target.read_text() == "precious"


class TestSixteenProcesses:
    def test_that_race_for_the_same_ports_get_different_ones(self, store: LeaseStore, tmp_path: Path) -> None:
        racers = []
        for number in range(16):
            root = tmp_path / str(number)
            root.mkdir()
            racers.append(
                subprocess.Popen(
                    [sys.executable, "-c", RACE, str(store.directory), str(root)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()

        ports = [int(port) for racer in racers for port in racer.stdout.readline().split()]  # type: ignore[union-attr]  # asserted above

        for racer in racers:
            racer.communicate("end\n")
        assert sorted(ports) == list(range(22000, 22064))


def wait_for_lock(store: LeaseStore, port: int) -> None:
    with (store.directory / f"{port}.lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)

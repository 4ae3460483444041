"""Specifies reserved ports: kept for 14 days, taken over when a person says so, told afterwards."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from devinit.model.port import Conflict, ConflictPolicy, PortRequest, Resolution, ResolutionKind, VerdictKind
from devinit.ports.granting.grants import ConflictsFound, Grant, grant
from devinit.ports.leases import LAPSE_SECONDS, Claim, LeaseStore, Taken
from tests.ports.conftest import Block, Stranger

ASK, MOVE = ConflictPolicy.ASK, ConflictPolicy.MOVE
TAKE = ResolutionKind.TAKE


class Shop:
    """A checkout with a backend."""

    def __init__(self, root: Path, store: LeaseStore, port: int) -> None:
        self.root, self.store = root, store
        root.mkdir(exist_ok=True)
        self.request = PortRequest(service="backend", preferred=port, first=port, last=port + 20)

    def start(
        self,
        *,
        policy: ConflictPolicy = MOVE,
        answers: Sequence[Resolution] = (),
        remembered: int | None = None,
        more: Sequence[PortRequest] = (),
    ) -> list[Grant]:
        return grant(
            [self.request, *more],
            root=self.root,
            project=self.root.name,
            environ={},
            remembered={} if remembered is None else {"backend": remembered},
            policy=policy,
            resolutions=answers,
            store=self.store,
        )

    def rest(self, *, seconds: float = 0.0) -> None:
        """Start, be ready on a port that is kept, stop, and let time pass."""
        [granted] = self.start()
        granted.claim(Claim.KEPT)
        granted.close()
        stopped = time.time() - seconds
        os.utime(self.store.directory / f"{granted.port}.lock", (stopped, stopped))

    def question(self, answers: Sequence[Resolution] = ()) -> Conflict:
        with pytest.raises(ConflictsFound) as found:
            self.start(policy=ASK, answers=answers)
        [conflict] = found.value.conflicts
        return conflict


@pytest.fixture
def first(root: Path, store: LeaseStore, block: Block) -> Shop:
    return Shop(root, store, block(3)[0])


@pytest.fixture
def second(first: Shop, tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop-b", first.store, first.request.preferred)


def take(conflict: Conflict) -> list[Resolution]:
    return [Resolution(service=conflict.service, port=conflict.port, kind=TAKE)]


class TestAReservedPort:
    def test_can_be_taken_over_by_who_is_asked(self, first: Shop, second: Shop) -> None:
        first.rest()
        conflict = second.question()

        assert conflict.kind is VerdictKind.RESERVED
        assert TAKE in conflict.choices
        assert conflict.default is ResolutionKind.MOVE
        [granted] = second.start(policy=ASK, answers=take(conflict))
        assert granted.port == first.request.preferred
        assert granted.granted.kind is VerdictKind.RESERVED
        granted.close()

    def test_is_left_alone_without_a_person(self, first: Shop, second: Shop) -> None:
        first.rest()

        [granted] = second.start()

        assert granted.port != first.request.preferred
        granted.close()

    def test_that_is_in_use_by_the_time_of_the_answer_is_asked_about_again(
        self, first: Shop, second: Shop
    ) -> None:
        first.rest()
        conflict = second.question()
        [running] = first.start()

        again = second.question(take(conflict))

        assert again.kind is VerdictKind.NEIGHBOUR
        assert TAKE not in again.choices
        running.close()

    def test_goes_back_when_the_start_fails_after_all(
        self, first: Shop, second: Shop, block: Block, stranger: Stranger
    ) -> None:
        first.rest()
        conflict = second.question()
        before = first.store.owners()
        taken = block(1)[0]
        stranger(taken)
        admin = PortRequest(service="admin", preferred=taken, first=taken, last=taken, strict=True)

        with pytest.raises(ConflictsFound):
            second.start(policy=ASK, answers=take(conflict), more=[admin])

        assert first.store.owners() == before


class TestTheProjectThatItIsTakenFrom:
    @pytest.mark.parametrize("runs", [True, False])
    def test_moves_at_its_next_start_and_is_told_who_has_it(
        self, first: Shop, second: Shop, runs: bool
    ) -> None:
        first.rest()
        port = first.request.preferred
        [taken] = second.start(policy=ASK, answers=take(second.question()))
        taken.claim(Claim.KEPT)
        if not runs:
            taken.close()

        [moved] = first.start(remembered=port)

        assert moved.port == port + 1
        assert "backend of shop-b" in moved.granted.reason
        assert "took it over" in moved.granted.reason
        moved.close()
        taken.close()

    def test_is_told_so_also_when_the_other_one_was_started_again(self, first: Shop, second: Shop) -> None:
        first.rest()
        [taken] = second.start(policy=ASK, answers=take(second.question()))
        taken.claim(Claim.KEPT)
        taken.close()
        second.rest()

        [moved] = first.start()

        assert "took it over" in moved.granted.reason
        moved.close()


class TestAReservationThatRests:
    def test_for_less_than_fourteen_days_is_respected(self, first: Shop, second: Shop) -> None:
        first.rest(seconds=LAPSE_SECONDS - 3600)

        [granted] = second.start()

        assert granted.port == first.request.preferred + 1
        granted.close()

    def test_for_more_than_fourteen_days_is_passed_by(self, first: Shop, second: Shop) -> None:
        first.rest(seconds=LAPSE_SECONDS + 3600)

        [granted] = second.start()

        assert granted.port == first.request.preferred
        granted.close()

    def test_counts_from_the_stop_and_not_from_the_start(self, first: Shop, second: Shop) -> None:
        [running] = first.start()
        running.claim(Claim.KEPT)
        path = first.store.directory / f"{running.port}.lock"
        os.utime(path, (0, 0))
        running.close()

        [granted] = second.start()

        assert granted.port == first.request.preferred + 1
        granted.close()

    def test_is_never_passed_by_while_the_service_runs(self, first: Shop, second: Shop) -> None:
        [running] = first.start()
        os.utime(first.store.directory / f"{running.port}.lock", (0, 0))

        [granted] = second.start()

        assert granted.port == first.request.preferred + 1
        granted.close()
        running.close()


class TestReservationsOfVanishedCheckouts:
    def test_are_given_up_together(self, first: Shop, second: Shop) -> None:
        first.rest()
        second.rest()
        shutil.rmtree(first.root)

        assert first.store.forget_vanished() == [first.request.preferred]
        assert [owner.project for _, owner, _ in first.store.owners()] == ["shop-b"]

    def test_stay_while_something_of_them_runs(self, first: Shop) -> None:
        [running] = first.start()
        shutil.rmtree(first.root)

        assert first.store.forget_vanished() == []
        assert isinstance(first.store.take(running.port, running.owner), Taken)
        running.close()

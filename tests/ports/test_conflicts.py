"""Specifies what can be answered about a taken port, and which answer is the default."""

from __future__ import annotations

import pytest

from devinit.model.port import Conflict, PortReport, ResolutionKind, VerdictKind
from devinit.ports.granting.conflicts import conflict_of

KILL, MOVE, REUSE = ResolutionKind.KILL, ResolutionKind.MOVE, ResolutionKind.REUSE
TAKE, RETRY, ABORT = ResolutionKind.TAKE, ResolutionKind.RETRY, ResolutionKind.ABORT
OURS_TO_END = {VerdictKind.ORPHAN}


def report(kind: VerdictKind = VerdictKind.STRANGER, *, killable: bool = True) -> PortReport:
    return PortReport(port=8000, kind=kind, summary="held by vite (pid 4242)", killable=killable)


def ask(found: PortReport, move_to: int | None = 8001, *, reusable: bool = False) -> Conflict:
    return conflict_of("backend", found, move_to=move_to, reusable=reusable)


class TestAQuestion:
    def test_holds_all_that_is_known_about_the_port(self) -> None:
        asked = ask(report())

        assert (asked.service, asked.port, asked.summary) == ("backend", 8000, "held by vite (pid 4242)")
        assert asked.kind is VerdictKind.STRANGER
        assert asked.move_to == 8001


class TestTheDefault:
    @pytest.mark.parametrize("kind", VerdictKind)
    def test_is_to_end_only_what_devinit_itself_has_started(self, kind: VerdictKind) -> None:
        assert ask(report(kind)).default is (KILL if kind in OURS_TO_END else MOVE)

    @pytest.mark.parametrize("kind", VerdictKind)
    def test_is_to_move_from_what_cannot_be_ended(self, kind: VerdictKind) -> None:
        assert ask(report(kind, killable=False)).default is MOVE

    @pytest.mark.parametrize("kind", VerdictKind)
    def test_is_to_give_up_where_the_service_must_not_move(self, kind: VerdictKind) -> None:
        asked = ask(report(kind), move_to=None)

        assert asked.default is (KILL if kind in OURS_TO_END else ABORT)
        assert MOVE not in asked.choices

    def test_is_not_to_end_a_database_that_could_be_used(self) -> None:
        asked = ask(report(VerdictKind.ORPHAN), reusable=True)

        assert asked.choices == (MOVE, REUSE, KILL, RETRY, ABORT)

    def test_stands_first(self) -> None:
        assert ask(report()).choices == (MOVE, KILL, RETRY, ABORT)
        assert ask(report(VerdictKind.STRAY)).choices == (MOVE, KILL, RETRY, ABORT)
        assert ask(report(VerdictKind.ORPHAN)).choices == (KILL, MOVE, RETRY, ABORT)
        assert ask(report(), move_to=None).choices == (ABORT, KILL, RETRY)


class TestTheChoices:
    def test_do_not_hold_what_cannot_be_done(self) -> None:
        assert ask(report(killable=False), move_to=None).choices == (ABORT, RETRY)

    def test_hold_the_running_server_where_it_can_be_used(self) -> None:
        assert ask(report(), reusable=True).choices == (MOVE, REUSE, KILL, RETRY, ABORT)

    def test_hold_taking_over_what_is_only_reserved(self) -> None:
        asked = ask(report(VerdictKind.RESERVED, killable=False))

        assert asked.choices == (MOVE, TAKE, RETRY, ABORT)

    def test_do_not_hold_what_failed(self) -> None:
        asked = conflict_of(
            "backend",
            report(VerdictKind.STRAY),
            move_to=8001,
            problem="it was started again",
            failed=[KILL],
        )

        assert asked.choices == (MOVE, RETRY, ABORT)
        assert asked.default is MOVE
        assert asked.problem == "it was started again"

"""Specifies `devinit.supervisor.lifecycle`: what becomes of a service, decided without a process or a clock."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devinit.model.service import Condition, Health, RestartMode, RestartPolicy
from devinit.model.status import Phase
from devinit.supervisor.lifecycle import (
    ALIVE,
    APPLIES,
    PORT_ATTEMPTS,
    WANTED,
    Action,
    Adopted,
    AwaitReady,
    BecameReady,
    Blocked,
    CheckFailed,
    CheckPassed,
    CleanUp,
    DelayPassed,
    DependenciesReady,
    EndTree,
    Exited,
    Failure,
    LifecycleEvent,
    LifecycleState,
    LookAfter,
    Moving,
    NextPort,
    PortLost,
    PortUnavailable,
    PreparationFailed,
    Prepare,
    Prepared,
    Remembered,
    SetUp,
    Spawn,
    Spawned,
    StartRequested,
    StopRequested,
    Stuck,
    Success,
    TimedOut,
    TreeGone,
    Wait,
    WentDown,
    Withstood,
    advance,
    restart_delay,
    satisfies_dependants,
)
from devinit.supervisor.lifecycle.decisions import GIVEN_UP

NOW = 1000.0
POLICY = RestartPolicy()
ALWAYS = RestartPolicy(mode=RestartMode.ALWAYS)
NEVER = RestartPolicy(mode=RestartMode.NEVER)

EVENTS: tuple[LifecycleEvent, ...] = (
    StartRequested(),
    DependenciesReady(),
    Blocked("waits for postgres"),
    Prepared(),
    PreparationFailed("alembic failed"),
    Spawned(),
    Adopted(was_ready=True),
    Adopted(was_ready=False),
    Remembered(phase=Phase.EXITED, reason="exited with code 0", failure=None, last_exit=0, restarts=0),
    BecameReady(),
    CheckPassed(),
    CheckFailed("no answer", Health(failures=2, restart_after=4)),
    WentDown(),
    WentDown("SyntaxError: invalid syntax (main.py, line 35)"),
    Stuck("ModuleNotFoundError: No module named 'shop'"),
    Moving(),
    TimedOut("nothing listens"),
    PortLost("vite has it"),
    PortUnavailable("strict"),
    Exited(0),
    Exited(1),
    Exited(None),
    Exited(0, Success.ALWAYS),
    Exited(0, Success.ONCE_READY),
    DelayPassed(),
    StopRequested(),
    TreeGone(),
    Withstood("it does not end"),
)

STALE = [
    (phase, event) for event in EVENTS for phase in Phase if phase not in APPLIES.get(type(event), Phase)
]


def state(phase: Phase, **fields: object) -> LifecycleState:
    """Return a service in a phase, as it usually is there."""
    usual: dict[str, object] = {"phase": phase}
    if phase in ALIVE:
        usual["started_at"] = NOW - 1
    if phase in (Phase.READY, Phase.UNHEALTHY):
        usual |= {"ready_at": NOW - 1, "proven": True}
    if phase is Phase.FAILED:
        usual |= {"failure": Failure.EXIT, "reason": "exited with code 1"}
    return msgspec.convert({**usual, **fields}, LifecycleState)


def run(
    begin: LifecycleState, *events: LifecycleEvent, now: float = NOW, policy: RestartPolicy = POLICY
) -> tuple[LifecycleState, tuple[Action, ...]]:
    """Let events happen at one moment; return the last state and the last actions."""
    actions: tuple[Action, ...] = ()
    for event in events:
        begin, actions = advance(begin, event, now, policy)
    return begin, actions


class TestAStart:
    def test_sets_up_at_once_and_waits_for_dependencies(self) -> None:
        after, actions = run(LifecycleState(), StartRequested())

        assert after.phase is Phase.WAITING
        assert actions == (SetUp(),)

    def test_prepares_when_its_dependencies_are_ready(self) -> None:
        after, actions = run(state(Phase.WAITING, reason="waits for redis"), DependenciesReady())

        assert (after.phase, after.reason, after.started_at) == (Phase.STARTING, None, NOW)
        assert actions == (Prepare(),)

    def test_says_what_it_is_blocked_by(self) -> None:
        after, actions = run(state(Phase.WAITING), Blocked("waits for redis, which failed"))

        assert (after.phase, after.reason) == (Phase.WAITING, "waits for redis, which failed")
        assert actions == ()

    def test_spawns_when_it_is_prepared(self) -> None:
        assert run(state(Phase.STARTING), Prepared())[1] == (Spawn(),)

    def test_watches_what_was_spawned(self) -> None:
        assert run(state(Phase.STARTING), Spawned())[1] == (AwaitReady(),)

    def test_is_ready_when_it_answers(self) -> None:
        after, actions = run(state(Phase.STARTING, port_losses=3), BecameReady())

        assert (after.phase, after.ready_at, after.proven, after.port_losses) == (Phase.READY, NOW, True, 0)
        assert actions == (LookAfter(),)

    @pytest.mark.parametrize("phase", sorted(WANTED | {Phase.STOPPING}))
    def test_of_what_is_up_or_on_its_way_changes_nothing(self, phase: Phase) -> None:
        before = state(phase)

        assert run(before, StartRequested()) == (before, ())

    @pytest.mark.parametrize("phase", [Phase.FAILED, Phase.EXITED])
    def test_of_what_ended_begins_anew_and_keeps_the_restart_count(self, phase: Phase) -> None:
        after, actions = run(
            state(phase, restarts=4, failures=(NOW - 1,), proven=True, port_losses=3), StartRequested()
        )

        assert after == LifecycleState(phase=Phase.WAITING, restarts=4)
        assert actions == (SetUp(),)


class TestAFailureBeforeReady:
    @pytest.mark.parametrize("phase", [Phase.WAITING, Phase.STARTING])
    def test_of_the_preparation_gives_up_with_its_reason(self, phase: Phase) -> None:
        after, actions = run(state(phase), PreparationFailed("alembic failed"))

        assert (after.phase, after.failure, after.reason) == (
            Phase.FAILED,
            Failure.PREPARATION,
            "alembic failed",
        )
        assert actions == (EndTree(),)

    def test_of_time_gives_up_with_what_was_seen_last(self) -> None:
        after, actions = run(state(Phase.STARTING), TimedOut("GET / answered 500"))

        assert (after.failure, after.reason) == (Failure.TIMEOUT, "GET / answered 500")
        assert actions == (EndTree(),)

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            (1, "exited with code 1"),
            (0, "exited with code 0"),
            (-11, "was ended by signal 11"),
            (None, "ended"),
        ],
    )
    def test_of_the_process_is_not_tried_again(self, code: int | None, said: str) -> None:
        after, actions = run(state(Phase.STARTING), Exited(code))

        assert (after.phase, after.failure, after.last_exit) == (Phase.FAILED, Failure.EXIT, code)
        assert after.reason == f"{said} before it was ready"
        assert actions == (EndTree(),)

    def test_with_code_0_of_a_service_without_a_port_is_success(self) -> None:
        after, actions = run(state(Phase.STARTING), Exited(0, Success.ALWAYS))

        assert (after.phase, after.last_exit, after.failure) == (Phase.EXITED, 0, None)
        assert actions == (EndTree(),)

    def test_with_code_0_before_its_own_ready_was_seen_is_failure(self) -> None:
        after, actions = run(state(Phase.STARTING), Exited(0, Success.ONCE_READY, "CRITICAL: no queue"))

        assert (after.phase, after.failure, after.last_exit) == (Phase.FAILED, Failure.EXIT, 0)
        assert after.reason == (
            "exited with code 0 before it was ready: CRITICAL: no queue\n"
            "what its `ready` asks for was not seen; a job that is done when it ends needs no `ready`"
        )
        assert actions == (EndTree(),)

    def test_with_another_code_of_a_service_without_a_port_is_failure(self) -> None:
        assert run(state(Phase.STARTING), Exited(3, Success.ALWAYS))[0].phase is Phase.FAILED


class TestALostPort:
    def test_is_replaced_by_the_next(self) -> None:
        after, actions = run(state(Phase.STARTING), PortLost("vite has it"))

        assert (after.phase, after.port_losses) == (Phase.STARTING, 1)
        assert actions == (NextPort("vite has it"),)

    def test_is_replaced_ten_times_in_a_row(self) -> None:
        after, actions = run(state(Phase.STARTING), *[PortLost("vite has it")] * PORT_ATTEMPTS)

        assert after.port_losses == PORT_ATTEMPTS == 10
        assert actions == (NextPort("vite has it"),)

    def test_is_given_up_the_eleventh_time(self) -> None:
        after, actions = run(state(Phase.STARTING), *[PortLost("vite has it")] * (PORT_ATTEMPTS + 1))

        assert (after.phase, after.failure) == (Phase.FAILED, Failure.PORT)
        assert after.reason == "lost its port to other programs 10 times in a row; last: vite has it"
        assert actions == (EndTree(),)

    def test_counts_anew_after_it_was_ready(self) -> None:
        lost = [PortLost("vite has it")] * PORT_ATTEMPTS
        recovered, _ = run(state(Phase.STARTING), *lost, BecameReady())

        assert recovered.port_losses == 0

    def test_fails_when_there_is_no_other(self) -> None:
        after, actions = run(state(Phase.STARTING), PortUnavailable("its port is fixed"))

        assert (after.phase, after.failure, after.reason) == (
            Phase.FAILED,
            Failure.PORT,
            "its port is fixed",
        )
        assert actions == (EndTree(),)


class TestACrash:
    def test_after_a_stable_run_is_answered_at_once(self) -> None:
        before = state(Phase.READY, ready_at=NOW - 10, failures=(NOW - 12, NOW - 11))

        after, actions = run(before, Exited(1))

        assert (after.phase, after.failures, after.ready_at) == (Phase.BACKOFF, (NOW,), None)
        assert (after.reason, after.last_exit) == ("exited with code 1", 1)
        assert actions == (EndTree(), Wait(0.0))

    def test_the_first_one_is_answered_at_once_even_early(self) -> None:
        assert run(state(Phase.READY, ready_at=NOW - 0.1), Exited(1))[1] == (EndTree(), Wait(0.0))

    @pytest.mark.parametrize(("earlier", "delay"), [(1, 0.1), (2, 0.2), (3, 0.4)])
    def test_soon_after_others_is_answered_with_a_growing_delay(self, earlier: int, delay: float) -> None:
        before = state(Phase.READY, failures=tuple(NOW - 5 + number for number in range(earlier)))

        assert run(before, Exited(1))[1] == (EndTree(), Wait(delay))

    def test_that_is_given_up_keeps_its_advice_in_a_line_of_its_own(self) -> None:
        before = state(Phase.READY, failures=(NOW - 59, NOW - 40, NOW - 20, NOW - 1))

        after, _ = run(before, Exited(-25, cause="a file is too large\nraise the limit"))

        assert after.reason == (
            "was ended by signal 25: a file is too large; given up after 5 failures in 60 s\nraise the limit\n"
            f"{GIVEN_UP}"
        )

    def test_is_given_up_the_fifth_time_within_a_minute(self) -> None:
        before = state(Phase.READY, failures=(NOW - 59, NOW - 40, NOW - 20, NOW - 1))

        after, actions = run(before, Exited(-9))

        assert (after.phase, after.failure, after.last_exit) == (Phase.FAILED, Failure.EXIT, -9)
        assert after.reason == f"was ended by signal 9; given up after 5 failures in 60 s\n{GIVEN_UP}"
        assert actions == (EndTree(),)

    def test_longer_ago_than_a_minute_does_not_count(self) -> None:
        before = state(Phase.READY, failures=(NOW - 60, NOW - 40, NOW - 20, NOW - 1))

        after, _ = run(before, Exited(1))

        assert (after.phase, after.failures) == (Phase.BACKOFF, (NOW - 40, NOW - 20, NOW - 1, NOW))

    def test_while_it_comes_back_counts_too(self) -> None:
        before = state(Phase.STARTING, proven=True, failures=(NOW - 1,))

        after, actions = run(before, Exited(1))

        assert (after.phase, len(after.failures)) == (Phase.BACKOFF, 2)
        assert actions == (EndTree(), Wait(0.1))

    def test_is_followed_by_a_start_that_is_counted(self) -> None:
        after, actions = run(state(Phase.BACKOFF, restarts=2, proven=True), DelayPassed())

        assert (after.phase, after.restarts, after.started_at) == (Phase.STARTING, 3, NOW)
        assert actions == (CleanUp(), Spawn())

    def test_that_goes_on_for_ever_is_given_up(self) -> None:
        now, current, starts = NOW, state(Phase.READY, ready_at=NOW), 0
        while current.phase is not Phase.FAILED:
            current, actions = advance(current, Exited(1), now, POLICY)
            if current.phase is Phase.BACKOFF:
                now += next(action.seconds for action in actions if isinstance(action, Wait))
                current, _ = advance(current, DelayPassed(), now, POLICY)
                current, _ = advance(current, BecameReady(), now, POLICY)
                starts += 1

        assert starts == 4

    @pytest.mark.parametrize("phase", [Phase.READY, Phase.UNHEALTHY])
    def test_with_code_0_is_the_end_of_work_that_is_done(self, phase: Phase) -> None:
        for success in (Success.ALWAYS, Success.ONCE_READY):
            after, actions = run(state(phase), Exited(0, success))

            assert (after.phase, after.failure, after.last_exit) == (Phase.EXITED, None, 0)
            assert actions == (EndTree(),)

    def test_with_code_0_before_it_was_ready_again_is_another_failure(self) -> None:
        starting_again = state(Phase.STARTING, proven=True, restarts=1)

        assert run(starting_again, Exited(0, Success.ONCE_READY))[0].phase is Phase.BACKOFF
        assert run(starting_again, Exited(0, Success.ALWAYS))[0].phase is Phase.EXITED

    def test_with_code_0_is_no_end_for_a_server(self) -> None:
        assert run(state(Phase.READY), Exited(0))[0].phase is Phase.BACKOFF
        assert run(state(Phase.READY), Exited(0), policy=NEVER)[0].failure is Failure.EXIT

    def test_is_told_with_its_probable_cause(self) -> None:
        crash = Exited(1, cause="No module named 'shop'")

        assert run(state(Phase.STARTING), crash)[0].reason == (
            "exited with code 1 before it was ready: No module named 'shop'"
        )
        assert run(state(Phase.READY), crash)[0].reason == "exited with code 1: No module named 'shop'"

    def test_with_code_0_is_answered_when_the_service_is_always_wanted(self) -> None:
        assert run(state(Phase.READY), Exited(0), policy=ALWAYS)[0].phase is Phase.BACKOFF

    def test_is_not_answered_when_the_service_is_never_restarted(self) -> None:
        after, actions = run(state(Phase.READY), Exited(1), policy=NEVER)

        assert (after.phase, after.failure, after.reason) == (
            Phase.FAILED,
            Failure.EXIT,
            "exited with code 1",
        )
        assert actions == (EndTree(),)


class TestTheDelayBeforeARestart:
    def test_doubles_from_a_tenth_of_a_second_to_half_a_minute(self) -> None:
        delays = [restart_delay(earlier) for earlier in range(12)]

        assert delays == pytest.approx([0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30])

    @pytest.mark.parametrize(
        ("earlier", "ran_seconds", "delay"),
        [
            (1, 0.1, 0), (1, 0.09, 0.1),
            (2, 0.2, 0), (2, 0.19, 0.2),
            (3, 0.4, 0), (3, 0.39, 0.4),
            (4, 0.8, 0.8), (4, 9.0, 0.8), (11, 40.0, 30),
        ],
    )  # fmt: skip
    def test_is_none_the_first_three_times_after_a_run_that_took_longer(
        self, earlier: int, ran_seconds: float, delay: float
    ) -> None:
        assert restart_delay(earlier, ran_seconds) == delay

    def test_counts_from_the_process_of_the_run(self) -> None:
        crashed = state(Phase.READY, ready_at=NOW - 1, spawned_at=NOW - 2, failures=(NOW - 3,))

        assert run(crashed, Exited(1))[1] == (EndTree(), Wait(0.0))

    @given(st.lists(st.floats(0, 2), min_size=8, max_size=8))
    def test_never_lets_a_service_be_started_in_a_loop_without_a_pause(self, runs: list[float]) -> None:
        policy = RestartPolicy(mode=RestartMode.ON_FAILURE, failures=100, window_seconds=1000)
        now, begun, current = NOW, list[float](), state(Phase.READY, spawned_at=NOW, ready_at=NOW)
        for seconds in runs:
            now += seconds
            current, actions = advance(current, Exited(1), now, policy)
            now += next(each.seconds for each in actions if isinstance(each, Wait))
            begun.append(now)
            for event in (DelayPassed(), Spawned(), BecameReady()):
                current, _ = advance(current, event, now, policy)

        pauses = [later - earlier for earlier, later in pairwise(begun)]
        assert all(pause >= restart_delay(index + 1) - 1e-9 for index, pause in enumerate(pauses))


class TestAStop:
    @pytest.mark.parametrize("phase", sorted(WANTED))
    def test_ends_what_runs_or_is_on_its_way(self, phase: Phase) -> None:
        after, actions = run(state(phase, reason="why"), StopRequested())

        assert (after.phase, after.reason) == (Phase.STOPPING, None)
        assert actions == (EndTree(),)

    def test_is_over_when_nothing_of_it_runs(self) -> None:
        after, actions = run(state(Phase.STOPPING, restarts=2, last_exit=-15, proven=True), TreeGone())

        assert after == LifecycleState(restarts=2, last_exit=-15)
        assert actions == ()

    def test_of_what_is_being_stopped_changes_nothing(self) -> None:
        before = state(Phase.STOPPING)

        assert run(before, StopRequested()) == (before, ())

    def test_goes_on_while_something_withstands_it_and_the_next_stop_tries_again(self) -> None:
        withstood, _ = run(state(Phase.STOPPING), Withstood("pid 7 does not end"))
        after, actions = run(withstood, StopRequested())

        assert (withstood.phase, withstood.reason) == (Phase.STOPPING, "pid 7 does not end")
        assert (after.phase, after.reason) == (Phase.STOPPING, None)
        assert actions == (EndTree(),)

    def test_of_what_has_failed_and_does_not_end_tries_again(self) -> None:
        failed = state(Phase.FAILED, failure=Failure.TIMEOUT, reason="not ready after 60 s\nits last words")

        withstood, _ = run(failed, Withstood("pid 7 does not end"))
        again, actions = run(withstood, StopRequested())

        assert (withstood.phase, withstood.failure) == (Phase.FAILED, Failure.TIMEOUT)
        assert withstood.reason == "not ready after 60 s; pid 7 does not end\nits last words"
        assert (again.phase, again.reason, again.has_withstood) == (Phase.STOPPING, None, False)
        assert actions == (EndTree(),)

    def test_of_what_has_failed_is_over_once_that_has_ended_after_all(self) -> None:
        failed = state(Phase.FAILED, failure=Failure.TIMEOUT, reason="not ready after 60 s\nits last words")

        withstood, _ = run(failed, Withstood("pid 7 does not end"))
        after, actions = run(withstood, TreeGone())

        assert (after, actions) == (failed, ())

    @pytest.mark.parametrize("phase", [Phase.STOPPED, Phase.EXITED, Phase.FAILED])
    def test_of_what_does_not_run_needs_nothing(self, phase: Phase) -> None:
        after, actions = run(state(phase), StopRequested())

        assert (after.phase, after.failure, after.reason) == (Phase.STOPPED, None, None)
        assert actions == ()

    def test_remembers_how_the_process_ended(self) -> None:
        after, actions = run(state(Phase.STOPPING), Exited(-15))

        assert (after.phase, after.last_exit) == (Phase.STOPPING, -15)
        assert actions == ()

    @pytest.mark.parametrize("late", [DelayPassed(), Spawned(), Prepared(), BecameReady(), TimedOut("late")])
    def test_is_not_undone_by_what_was_on_its_way(self, late: LifecycleEvent) -> None:
        before = state(Phase.STOPPING)

        assert run(before, late) == (before, ())


class TestAnAdoption:
    def test_of_a_ready_service_is_ready_at_once(self) -> None:
        after, actions = run(LifecycleState(), Adopted(was_ready=True, restarts=3))

        assert (after.phase, after.ready_at, after.proven, after.restarts) == (Phase.READY, NOW, True, 3)
        assert actions == (LookAfter(),)

    def test_of_a_starting_service_goes_on_watching_it(self) -> None:
        after, actions = run(LifecycleState(), Adopted(was_ready=False))

        assert (after.phase, after.started_at, after.proven) == (Phase.STARTING, NOW, False)
        assert actions == (AwaitReady(),)

    def test_of_a_service_that_ended_while_nobody_watched_starts_it_again(self) -> None:
        after, actions = run(LifecycleState(), Adopted(was_ready=True), Exited(None))

        assert (after.phase, after.reason) == (Phase.BACKOFF, "ended")
        assert actions == (EndTree(), Wait(0.0))

    def test_of_a_service_that_was_coming_back_remembers_that_it_was_sound(self) -> None:
        after, _ = run(LifecycleState(), Adopted(was_ready=False, proven=True), Exited(None))

        assert after.phase is Phase.BACKOFF

    def test_of_a_service_that_never_came_up_fails(self) -> None:
        after, _ = run(LifecycleState(), Adopted(was_ready=False), Exited(None))

        assert (after.phase, after.reason) == (Phase.FAILED, "ended before it was ready")


class TestAStaleEvent:
    @pytest.mark.parametrize(("phase", "event"), STALE, ids=repr)
    def test_changes_nothing(self, phase: Phase, event: LifecycleEvent) -> None:
        before = state(phase)

        assert run(before, event) == (before, ())

    @pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in ALIVE])
    def test_of_an_exit_only_tells_its_code(self, phase: Phase) -> None:
        before = state(phase)

        assert run(before, Exited(7)) == (msgspec.structs.replace(before, last_exit=7), ())


class TestAHealthCheck:
    HEALTH = Health(failures=3)

    def test_that_fails_once_changes_nothing_that_is_told(self) -> None:
        after, actions = run(state(Phase.READY), CheckFailed("no answer", self.HEALTH))

        assert (after.phase, after.reason, after.failed_checks) == (Phase.READY, None, 1)
        assert actions == ()

    def test_that_fails_often_enough_makes_it_unhealthy_with_what_was_seen_last(self) -> None:
        failing = [CheckFailed(f"answered {code}", self.HEALTH) for code in (500, 502, 503)]

        after, actions = run(state(Phase.READY), *failing)

        assert (after.phase, after.reason) == (Phase.UNHEALTHY, "answered 503")
        assert actions == ()

    def test_that_passes_begins_the_count_anew(self) -> None:
        failed = CheckFailed("no answer", self.HEALTH)

        after, _ = run(state(Phase.READY), failed, failed, CheckPassed(), failed, failed)

        assert after.phase is Phase.READY

    def test_that_passes_makes_it_ready_again_as_if_nothing_had_been(self) -> None:
        before = state(Phase.READY)

        after, actions = run(before, *[CheckFailed("no answer", self.HEALTH)] * 5, CheckPassed())

        assert (after, actions) == (before, ())

    def test_starts_it_again_when_that_is_wanted(self) -> None:
        health = Health(failures=2, restart_after=4)

        after, actions = run(state(Phase.READY), *[CheckFailed("no answer", health)] * 4)

        assert (after.phase, after.failed_checks) == (Phase.BACKOFF, 0)
        assert after.reason == "unhealthy, 4 checks failed: no answer"
        assert actions == (EndTree(), Wait(0))

    def test_starts_it_again_at_once_where_both_counts_are_the_same(self) -> None:
        health = Health(failures=2, restart_after=2)

        assert run(state(Phase.READY), *[CheckFailed("no", health)] * 2)[0].phase is Phase.BACKOFF

    def test_gives_it_up_when_starting_again_does_not_help(self) -> None:
        health, current = Health(failures=1, restart_after=1), state(Phase.READY)

        for _ in range(5):
            current, _ = run(current, CheckFailed("no", health), DelayPassed(), BecameReady())

        assert (current.phase, current.failure) == (Phase.FAILED, Failure.EXIT)
        assert (
            current.reason == f"unhealthy, 1 check failed: no; given up after 5 failures in 60 s\n{GIVEN_UP}"
        )


class TestAServiceThatIsStuck:
    def test_says_why_and_goes_on_trying(self) -> None:
        after, actions = run(state(Phase.STARTING), Stuck("No module named 'shop'"))

        assert (after.phase, after.reason, after.stuck) == (Phase.STARTING, *["No module named 'shop'"] * 2)
        assert actions == ()

    def test_knows_what_the_start_came_to_that_waits_for_it(self) -> None:
        after, _ = run(state(Phase.STARTING), Stuck("GET / answered 503", Failure.TIMEOUT))

        assert after.failure is Failure.TIMEOUT

    def test_is_as_before_when_it_does_something_again(self) -> None:
        before = state(Phase.STARTING)

        assert run(before, Stuck("no"), Moving()) == (before, ())

    def test_becomes_ready_without_a_trace(self) -> None:
        after, _ = run(state(Phase.STARTING), Stuck("no"), BecameReady())

        assert (after.phase, after.reason, after.stuck) == (Phase.READY, None, None)


class TestAReadyServiceThatWentDown:
    @pytest.mark.parametrize("phase", [Phase.READY, Phase.UNHEALTHY])
    def test_of_a_known_cause_is_starting_and_stuck_in_the_same_run(self, phase: Phase) -> None:
        before = state(phase, failed_checks=2)

        after, actions = run(before, WentDown("SyntaxError: invalid syntax (main.py, line 35)"))

        assert (after.phase, after.stuck) == (
            Phase.STARTING,
            "SyntaxError: invalid syntax (main.py, line 35)",
        )
        assert (after.reason, after.failure) == (after.stuck, Failure.EXIT)
        assert (after.ready_at, after.proven, after.failed_checks) == (before.ready_at, True, 0)
        assert actions == (AwaitReady(),)

    def test_of_no_known_cause_is_waited_for(self) -> None:
        after, actions = run(state(Phase.READY), WentDown(detail="nothing listens yet"))

        assert (after.phase, after.reason) == (Phase.STARTING, "nothing listens yet")
        assert (after.stuck, after.failure) == (None, None)
        assert actions == (AwaitReady(),)

    def test_is_ready_again_when_it_answers(self) -> None:
        after, _ = run(state(Phase.READY), WentDown("SyntaxError"), BecameReady())

        assert (after.phase, after.reason, after.stuck) == (Phase.READY, None, None)


class TestDependants:
    def test_may_start_when_it_is_up(self) -> None:
        assert satisfies_dependants(state(Phase.READY), optional=False)

    def test_may_start_when_it_did_its_work(self) -> None:
        assert satisfies_dependants(state(Phase.EXITED, last_exit=0), optional=False)

    @pytest.mark.parametrize("phase", [Phase.FAILED, Phase.UNHEALTHY])
    def test_may_start_when_it_is_not_well_and_optional(self, phase: Phase) -> None:
        assert satisfies_dependants(state(phase), optional=True)

    def test_that_wait_for_a_job_wait_for_one_that_failed_and_is_optional(self) -> None:
        failed = state(Phase.FAILED, last_exit=1)

        assert not satisfies_dependants(failed, optional=True, condition=Condition.COMPLETED)
        assert satisfies_dependants(failed, optional=True, condition=Condition.STARTED)

    @pytest.mark.parametrize(
        "phase",
        [
            Phase.STOPPED,
            Phase.WAITING,
            Phase.STARTING,
            Phase.UNHEALTHY,
            Phase.BACKOFF,
            Phase.STOPPING,
            Phase.FAILED,
        ],
    )
    def test_wait_otherwise(self, phase: Phase) -> None:
        assert not satisfies_dependants(state(phase), optional=False)

    @pytest.mark.parametrize("phase", sorted(Phase))
    def test_that_wait_for_a_job_may_start_when_it_has_ended_well(self, phase: Phase) -> None:
        done = satisfies_dependants(
            state(phase, last_exit=0, spawned_at=NOW), optional=False, condition=Condition.COMPLETED
        )

        assert done == (phase is Phase.EXITED)

    @pytest.mark.parametrize("phase", [Phase.STARTING, Phase.READY, Phase.UNHEALTHY, Phase.BACKOFF])
    def test_that_wait_for_a_start_may_start_when_its_process_runs(self, phase: Phase) -> None:
        assert satisfies_dependants(state(phase, spawned_at=NOW), optional=False, condition=Condition.STARTED)

    def test_that_wait_for_a_start_wait_while_it_is_prepared(self) -> None:
        assert not satisfies_dependants(state(Phase.STARTING), optional=False, condition=Condition.STARTED)
        after, _ = run(state(Phase.STARTING), Spawned())
        assert satisfies_dependants(after, optional=False, condition=Condition.STARTED)


class TestAJob:
    def test_that_ends_with_0_has_finished(self) -> None:
        after, _ = run(state(Phase.STARTING), Exited(0, Success.AWAITED))

        assert (after.phase, after.last_exit) == (Phase.EXITED, 0)

    def test_that_fails_is_not_said_to_have_been_on_the_way_to_ready(self) -> None:
        after, _ = run(state(Phase.STARTING), Exited(3, Success.AWAITED, "no schema"))

        assert (after.phase, after.reason) == (Phase.FAILED, "exited with code 3: no schema")

    @pytest.mark.parametrize("was_ready", [False, True])
    def test_whose_end_no_supervisor_saw_is_not_run_again(self, was_ready: bool) -> None:
        after, actions = run(LifecycleState(), Adopted(was_ready=was_ready), Exited(None, Success.AWAITED))

        assert (after.phase, after.failure) == (Phase.FAILED, Failure.EXIT)
        assert "its exit code is not known" in str(after.reason)
        assert not any(isinstance(each, Wait) for each in actions)


HISTORIES = st.lists(
    st.tuples(st.sampled_from(EVENTS), st.floats(min_value=0, max_value=40, allow_nan=False)), max_size=60
)
POLICIES = st.sampled_from([POLICY, ALWAYS, NEVER, RestartPolicy(failures=1), RestartPolicy(failures=50)])


class TestEveryHistory:
    @given(HISTORIES, POLICIES)
    @settings(max_examples=300, deadline=None)
    def test_leaves_a_state_that_makes_sense(
        self, history: list[tuple[LifecycleEvent, float]], policy: RestartPolicy
    ) -> None:
        now, current = NOW, LifecycleState()
        for event, seconds in history:
            now += seconds
            before, (current, _) = current, advance(current, event, now, policy)

            given_up = current.phase is Phase.FAILED or current.stuck is not None
            assert (current.failure is not None) == given_up
            assert current.stuck is None or current.phase is Phase.STARTING
            assert current.failed_checks == 0 or current.proven
            assert current.phase is not Phase.FAILED or current.reason
            assert (current.ready_at is not None) <= current.proven
            assert current.phase is not Phase.READY or current.ready_at is not None
            assert current.phase not in ALIVE or current.started_at is not None
            assert current.port_losses <= PORT_ATTEMPTS + 1
            assert before.restarts <= current.restarts <= before.restarts + 1 or isinstance(
                event, Adopted | Remembered
            )
            assert list(current.failures) == sorted(current.failures)
            assert len(current.failures) <= policy.failures

    @given(HISTORIES, POLICIES)
    @settings(max_examples=300, deadline=None)
    def test_never_spawns_twice_without_an_end_between(
        self, history: list[tuple[LifecycleEvent, float]], policy: RestartPolicy
    ) -> None:
        """As the runner reports: a process that was spawned is there until it exited or its tree was ended."""
        now, current, running = NOW, LifecycleState(), False
        for event, seconds in history:
            if isinstance(event, Prepared | Adopted) and running:
                continue  # the runner prepares nothing, and adopts nothing, beside a process
            now += seconds
            current, actions = advance(current, event, now, policy)
            if isinstance(event, Exited):
                running = False
            for action in actions:
                match action:
                    case EndTree():
                        running = False
                    case NextPort():  # ends what runs and spawns again
                        running = True
                    case Spawn():
                        assert not running
                        running = True

    @given(HISTORIES, POLICIES)
    @settings(max_examples=300, deadline=None)
    def test_ends_the_tree_whenever_it_leaves_the_living(
        self, history: list[tuple[LifecycleEvent, float]], policy: RestartPolicy
    ) -> None:
        now, current = NOW, LifecycleState()
        for event, seconds in history:
            now += seconds
            before, (current, actions) = current, advance(current, event, now, policy)

            if before.phase in ALIVE and current.phase not in ALIVE:
                assert actions[0] == EndTree()

    @given(HISTORIES, POLICIES)
    @settings(max_examples=200, deadline=None)
    def test_ends_stopped_after_a_stop(
        self, history: list[tuple[LifecycleEvent, float]], policy: RestartPolicy
    ) -> None:
        now, current = NOW, LifecycleState()
        for event, seconds in history:
            now += seconds
            current, _ = advance(current, event, now, policy)

        after, _ = run(current, StopRequested(), TreeGone(), now=now, policy=policy)

        assert after == LifecycleState(restarts=current.restarts, last_exit=current.last_exit)

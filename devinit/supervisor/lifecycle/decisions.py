"""The state machine of a service: the next state and the actions for each event."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from msgspec import Struct

from devinit.model.service import Health, RestartMode, RestartPolicy
from devinit.model.status import Phase
from devinit.supervisor.lifecycle.actions import (
    Action,
    AwaitReady,
    CleanUp,
    EndTree,
    LookAfter,
    NextPort,
    Prepare,
    SetUp,
    Spawn,
    Wait,
)
from devinit.supervisor.lifecycle.events import (
    Adopted,
    BecameReady,
    Blocked,
    CheckFailed,
    CheckPassed,
    DelayPassed,
    DependenciesReady,
    DoneBefore,
    Exited,
    LifecycleEvent,
    Moving,
    PortLost,
    PortUnavailable,
    PreparationFailed,
    Prepared,
    Remembered,
    Spawned,
    StartRefused,
    StartRequested,
    StopRequested,
    Stuck,
    TimedOut,
    TreeGone,
    WentDown,
    Withstood,
)
from devinit.supervisor.lifecycle.state import ALIVE, WANTED, Failure, LifecycleState, Success, change, fail
from devinit.text import counted

STABLE_SECONDS = 10.0
"""Seconds of readiness after which a service counts as stable: its next failure counts as its first."""
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 30.0
SHORT_DELAYS = 3
"""Number of first delays, 0.1 to 0.4 s, that are skipped after a run which lasted at least as long."""
PORT_ATTEMPTS = 10
"""How many times in a row a start may lose its port to another process before it fails."""

NO_READY = "what its `ready` asks for was not seen; a job that is done when it ends needs no `ready`"

GIVEN_UP = "`devinit start` starts it again"
"""Advice when restarts end: a reloader has ended too, so no process watches for changes any more."""

UNSEEN = (
    "; its exit code is not known, since the supervisor that had started it is gone\n"
    "`devinit start` runs it again"
)

Step: TypeAlias = tuple[LifecycleState, tuple[Action, ...]]


APPLIES: dict[type[Struct], frozenset[Phase]] = {
    StartRefused: frozenset({Phase.STOPPED}),
    DependenciesReady: frozenset({Phase.WAITING}),
    Blocked: frozenset({Phase.WAITING}),
    Prepared: frozenset({Phase.STARTING}),
    DoneBefore: frozenset({Phase.STARTING}),
    PreparationFailed: frozenset({Phase.WAITING, Phase.STARTING}),
    Spawned: frozenset({Phase.STARTING}),
    BecameReady: frozenset({Phase.STARTING}),
    CheckPassed: frozenset({Phase.READY, Phase.UNHEALTHY}),
    CheckFailed: frozenset({Phase.READY, Phase.UNHEALTHY}),
    WentDown: frozenset({Phase.READY, Phase.UNHEALTHY}),
    Stuck: frozenset({Phase.STARTING}),
    Moving: frozenset({Phase.STARTING}),
    TimedOut: frozenset({Phase.STARTING}),
    PortLost: frozenset({Phase.STARTING}),
    PortUnavailable: frozenset({Phase.STARTING}),
    DelayPassed: frozenset({Phase.BACKOFF}),
    TreeGone: frozenset({Phase.STOPPING, Phase.FAILED}),
    Withstood: frozenset({Phase.STOPPING, Phase.FAILED}),
    Adopted: frozenset({Phase.STOPPED}),
    Remembered: frozenset({Phase.STOPPED}),
}
"""Event → the phases in which it applies; in all other phases it came too late and changes nothing."""


def advance(state: LifecycleState, event: LifecycleEvent, now: float, policy: RestartPolicy) -> Step:
    """Return the next state of a service and the actions to carry out."""
    if type(event) in APPLIES and state.phase not in APPLIES[type(event)]:
        return state, ()
    match event:
        case StartRequested():
            return after_start_request(state)
        case StartRefused(reason, failure):
            return fail(state, failure, reason), ()
        case DependenciesReady():
            return change(state, phase=Phase.STARTING, reason=None, started_at=now), (Prepare(),)
        case Blocked(reason):
            return change(state, reason=reason), ()
        case Prepared():
            return state, (Spawn(),)
        case DoneBefore(reason):
            return change(state, phase=Phase.EXITED, reason=reason, last_exit=0), (EndTree(),)
        case PreparationFailed(reason, code):
            return fail(state, Failure.PREPARATION, reason, last_exit=code), (EndTree(),)
        case Spawned():
            return change(state, spawned_at=now), (AwaitReady(),)
        case Adopted():
            return after_adoption(event, now)
        case Remembered(phase=phase, reason=reason, failure=failure, last_exit=code, restarts=restarts):
            ended = LifecycleState(phase=phase, reason=reason, failure=failure, last_exit=code)
            return change(ended, restarts=restarts), ()
        case BecameReady():
            ready = change(state, phase=Phase.READY, reason=None, ready_at=now, proven=True, port_losses=0)
            return ready, (LookAfter(),)
        case CheckPassed():
            return change(state, phase=Phase.READY, reason=None, failed_checks=0), ()
        case CheckFailed(detail, health):
            return after_failed_check(state, detail, health, now, policy)
        case WentDown(cause, detail):
            down = change(state, phase=Phase.STARTING, reason=cause or detail, failed_checks=0)
            return change(down, stuck=cause, failure=Failure.EXIT if cause else None), (AwaitReady(),)
        case Stuck(cause, failure):
            return change(state, reason=cause, stuck=cause, failure=failure), ()
        case Moving():
            return change(state, reason=None, stuck=None), ()
        case TimedOut(detail):
            return fail(state, Failure.TIMEOUT, detail), (EndTree(),)
        case PortLost(reason):
            return after_port_loss(state, reason)
        case PortUnavailable(reason):
            return fail(state, Failure.PORT, reason), (EndTree(),)
        case Exited():
            return after_exit(state, event, now, policy)
        case DelayPassed():
            again = change(
                state, phase=Phase.STARTING, started_at=now, spawned_at=None, restarts=state.restarts + 1
            )
            return again, (CleanUp(), Spawn())
        case StopRequested():
            return after_stop_request(state)
        case TreeGone():
            return after_end(state), ()
        case Withstood(what):
            return withstands(state, what), ()
        case _:
            assert_never(event)


def after_start_request(state: LifecycleState) -> Step:
    """Bring up a service that is down.

    One that runs or is starting goes on; one that is stopping must stop first.
    """
    if state.phase in WANTED or state.phase is Phase.STOPPING:
        return state, ()
    return LifecycleState(phase=Phase.WAITING, restarts=state.restarts), (SetUp(),)


def after_adoption(event: Adopted, now: float) -> Step:
    """Take over a service that an earlier supervisor started: it is still ready, or still awaited."""
    state = LifecycleState(
        phase=Phase.STARTING,
        started_at=now,
        spawned_at=now if event.runs else None,
        proven=event.proven,
        restarts=event.restarts,
    )
    if event.was_ready:
        return change(state, phase=Phase.READY, ready_at=now, proven=True), (LookAfter(),)
    return state, (AwaitReady(),)


def after_port_loss(state: LifecycleState, reason: str) -> Step:
    """Move on to another port; fail after too many losses in a row."""
    losses = state.port_losses + 1
    if losses > PORT_ATTEMPTS:
        text = f"lost its port to other programs {PORT_ATTEMPTS} times in a row; last: {reason}"
        return fail(state, Failure.PORT, text), (EndTree(),)
    return change(state, port_losses=losses), (NextPort(reason),)


def after_failed_check(
    state: LifecycleState, detail: str, health: Health, now: float, policy: RestartPolicy
) -> Step:
    """Decide after a failed health check: the service stays as it is, becomes unhealthy, or is restarted."""
    failed = change(state, failed_checks=state.failed_checks + 1)
    if health.restart_after is not None and failed.failed_checks >= health.restart_after:
        said = f"unhealthy, {counted(failed.failed_checks, 'check')} failed: {detail}"
        return back_off(failed, said, state.last_exit, now, policy)
    if failed.failed_checks >= health.failures:
        return change(failed, phase=Phase.UNHEALTHY, reason=detail), ()
    return failed, ()


def after_exit(state: LifecycleState, event: Exited, now: float, policy: RestartPolicy) -> Step:
    """Decide whether a service that ended has finished, is started again, or has failed."""
    code = event.code
    if state.phase not in ALIVE:
        return change(state, last_exit=code), ()
    said, why = describe_exit(code), f": {event.cause}" if event.cause else ""
    clean = is_success(state, event)
    is_job = event.success is Success.AWAITED
    # An earlier devinit may have called a job ready; even so, a job is never restarted automatically.
    if is_job or (state.phase is Phase.STARTING and not state.proven):
        if clean:
            return change(state, phase=Phase.EXITED, reason=said, last_exit=0), (EndTree(),)
        advice = f"\n{NO_READY}" if code == 0 and event.success is Success.ONCE_READY else ""
        early = "" if is_job else " before it was ready"
        unseen = UNSEEN if code is None and is_job else ""
        text = f"{said}{early}{why}{advice}{unseen}"
        return fail(state, Failure.EXIT, text, last_exit=code), (EndTree(),)
    said += why
    if policy.mode is RestartMode.NEVER or (clean and policy.mode is RestartMode.ON_FAILURE):
        if clean:
            return change(state, phase=Phase.EXITED, reason=said, last_exit=code), (EndTree(),)
        return fail(state, Failure.EXIT, said, last_exit=code), (EndTree(),)
    return back_off(state, said, code, now, policy)


def is_success(state: LifecycleState, event: Exited) -> bool:
    """Return whether a service that ended has done its work.

    In the phase STARTING, it has not been seen ready in this run.
    """
    if event.code != 0 or event.success is Success.NEVER:
        return False
    return event.success is not Success.ONCE_READY or state.phase is not Phase.STARTING


def back_off(state: LifecycleState, said: str, code: int | None, now: float, policy: RestartPolicy) -> Step:
    """Restart the service: at once after a stable run, then with growing delays, until it has failed too often."""
    stable = state.ready_at is not None and now - state.ready_at >= STABLE_SECONDS
    recent = () if stable else tuple(at for at in state.failures if now - at < policy.window_seconds)
    failures = (*recent, now)
    if len(failures) >= policy.failures:
        what, *advice = said.split("\n")
        given_up = (
            f"{what}; given up after {counted(len(failures), 'failure')} in {policy.window_seconds:g} s"
        )
        text = "\n".join([given_up, *advice, GIVEN_UP])
        return fail(state, Failure.EXIT, text, last_exit=code), (EndTree(),)
    delay = restart_delay(len(recent), 0.0 if state.spawned_at is None else now - state.spawned_at)
    waiting = change(
        state, phase=Phase.BACKOFF, reason=said, failures=failures, last_exit=code, failed_checks=0
    )
    return change(waiting, ready_at=None), (EndTree(), Wait(delay))


def restart_delay(earlier_failures: int, ran_seconds: float = 0.0) -> float:
    """Return the delay before a restart, in seconds: 0 at first, then 0.1 s doubling up to 30 s.

    A run that lasted longer than one of the first delays, because of a slow boot or because it served, is no busy
    loop: the next run follows at once.
    """
    if earlier_failures == 0:
        return 0.0
    delay = min(FIRST_DELAY_SECONDS * 2.0 ** (earlier_failures - 1), LONGEST_DELAY_SECONDS)
    return 0.0 if earlier_failures <= SHORT_DELAYS and ran_seconds >= delay else delay


def after_stop_request(state: LifecycleState) -> Step:
    """End a service that runs, or whose last stop left processes behind; otherwise it is stopped already."""
    if state.phase in WANTED:
        return change(state, phase=Phase.STOPPING, reason=None), (EndTree(),)
    if state.has_withstood:
        return change(state, phase=Phase.STOPPING, reason=None, withstood=None), (EndTree(),)
    if state.phase is Phase.STOPPING:
        return state, ()
    return LifecycleState(restarts=state.restarts, last_exit=state.last_exit), ()


def withstands(state: LifecycleState, what: str) -> LifecycleState:
    """Return the state of a service with processes that do not end; one that has failed stays failed."""
    if state.phase is Phase.STOPPING:
        return change(state, reason=what, withstood=what)
    before = after_end(state).reason or ""
    first, *more = before.split("\n")
    return change(state, reason="\n".join([f"{first}; {what}" if first else what, *more]), withstood=what)


def after_end(state: LifecycleState) -> LifecycleState:
    """Return the state of a service once none of its processes runs: stopped, or failed as before."""
    if state.phase is Phase.STOPPING:
        return LifecycleState(restarts=state.restarts, last_exit=state.last_exit)
    if state.withstood is None:
        return state
    first, *more = (state.reason or "").split("\n")
    first = first.removesuffix(state.withstood).removesuffix("; ")
    return change(state, reason="\n".join([first, *more]), withstood=None)


def describe_exit(code: int | None) -> str:
    """Describe how a process ended; a negative code is the number of the signal that ended it."""
    if code is None:
        return "ended"
    if code < 0:
        return f"was ended by signal {-code}"
    return f"exited with code {code}"

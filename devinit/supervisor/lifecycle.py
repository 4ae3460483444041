"""The life of one service as a pure function: what is so, what happened, what to do about it.

Time comes in as a value, effects go out as actions. The runner carries the actions out and reports
what happened as further events; it decides nothing itself.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias, assert_never

import msgspec
from msgspec import Struct

from devinit.model.service import RestartMode, RestartPolicy
from devinit.model.status import Phase

STABLE_SECONDS = 10.0
"""A service that was ready this long is taken to be sound: its next failure is its first."""
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 30.0
PORT_ATTEMPTS = 10
"""How often a start may lose its port to somebody else before it is given up."""


class Failure(StrEnum):
    """Why a service was given up; it decides the exit code of the start."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    PORT = "port"
    PREPARATION = "preparation"


class LifecycleState(Struct, frozen=True, kw_only=True):
    """Everything that the next decision depends on."""

    phase: Phase = Phase.STOPPED
    reason: str | None = None
    failure: Failure | None = None
    """Set exactly while the phase is FAILED."""
    started_at: float | None = None
    """When this run began (monotonic seconds)."""
    ready_at: float | None = None
    """When this run became ready; None before."""
    proven: bool = False
    """It was ready at least once since it was asked for: a later crash is worth a restart."""
    failures: tuple[float, ...] = ()
    """Times of the recent failures, oldest first."""
    restarts: int = 0
    port_losses: int = 0
    """Starts in a row that lost the port to somebody else."""
    last_exit: int | None = None


# What happened


class StartRequested(Struct, frozen=True):
    """Somebody wants it up."""


class DependenciesReady(Struct, frozen=True):
    """All that it depends on is ready."""


class Blocked(Struct, frozen=True):
    """It cannot start for now, and why."""

    reason: str


class Prepared(Struct, frozen=True):
    """Set-up, data directories and one-shot commands are done."""


class PreparationFailed(Struct, frozen=True):
    """It could not be prepared or spawned."""

    reason: str


class Spawned(Struct, frozen=True):
    """Its process runs."""


class Adopted(Struct, frozen=True, kw_only=True):
    """An earlier supervisor left it behind: as it was then, whether or not it still runs."""

    was_ready: bool
    proven: bool = False
    restarts: int = 0


class BecameReady(Struct, frozen=True):
    """Its probe answers, and the listener is its own."""


class TimedOut(Struct, frozen=True):
    """It was not ready in time, and what was seen last."""

    detail: str


class PortLost(Struct, frozen=True):
    """Somebody else has its port."""

    reason: str


class PortUnavailable(Struct, frozen=True):
    """There is no other port to move to."""

    reason: str


class Exited(Struct, frozen=True):
    """Its process ended. None: the code went to somebody else (an adopted process)."""

    code: int | None
    oneshot: bool = False
    """It has no port, so that ending with 0 may be its whole purpose."""


class DelayPassed(Struct, frozen=True):
    """The back-off is over."""


class StopRequested(Struct, frozen=True):
    """Somebody wants it down."""


class TreeGone(Struct, frozen=True):
    """Nothing of it runs any more."""


LifecycleEvent: TypeAlias = (
    StartRequested
    | DependenciesReady
    | Blocked
    | Prepared
    | PreparationFailed
    | Spawned
    | Adopted
    | BecameReady
    | TimedOut
    | PortLost
    | PortUnavailable
    | Exited
    | DelayPassed
    | StopRequested
    | TreeGone
)


# What to do


class SetUp(Struct, frozen=True):
    """Begin what needs no other service: install dependencies, make data directories."""


class Prepare(Struct, frozen=True):
    """Await the set-up, then run the one-shot commands."""


class Renew(Struct, frozen=True):
    """Clean up after a process that died: stale pid files, processes that it left behind."""


class Spawn(Struct, frozen=True):
    """Start the process."""


class Watch(Struct, frozen=True):
    """Probe until it is ready."""


class Wait(Struct, frozen=True):
    """Report DelayPassed after some seconds."""

    seconds: float


class EndTree(Struct, frozen=True):
    """End every process of it; report TreeGone."""


class NextPort(Struct, frozen=True):
    """Give the port up, get another one, end what runs and spawn again."""

    reason: str


Action: TypeAlias = SetUp | Prepare | Renew | Spawn | Watch | Wait | EndTree | NextPort
Step: TypeAlias = tuple[LifecycleState, tuple[Action, ...]]

ALIVE = frozenset({Phase.STARTING, Phase.READY, Phase.UNHEALTHY})
"""Phases in which a process runs, or is about to."""
WANTED = ALIVE | {Phase.WAITING, Phase.BACKOFF}
"""Phases in which a start has nothing to do."""


APPLIES: dict[type[Struct], frozenset[Phase]] = {
    DependenciesReady: frozenset({Phase.WAITING}),
    Blocked: frozenset({Phase.WAITING}),
    Prepared: frozenset({Phase.STARTING}),
    PreparationFailed: frozenset({Phase.WAITING, Phase.STARTING}),
    Spawned: frozenset({Phase.STARTING}),
    BecameReady: frozenset({Phase.STARTING}),
    TimedOut: frozenset({Phase.STARTING}),
    PortLost: frozenset({Phase.STARTING}),
    PortUnavailable: frozenset({Phase.STARTING}),
    DelayPassed: frozenset({Phase.BACKOFF}),
    TreeGone: frozenset({Phase.STOPPING}),
    Adopted: frozenset({Phase.STOPPED}),
}
"""In which phases an event means something; in all others it came too late and changes nothing."""


def advance(state: LifecycleState, event: LifecycleEvent, now: float, policy: RestartPolicy) -> Step:
    """Return the next state of a service and what to do about it."""
    if type(event) in APPLIES and state.phase not in APPLIES[type(event)]:
        return state, ()
    match event:
        case StartRequested():
            return after_start_request(state)
        case DependenciesReady():
            return change(state, phase=Phase.STARTING, reason=None, started_at=now), (Prepare(),)
        case Blocked(reason):
            return change(state, reason=reason), ()
        case Prepared():
            return state, (Spawn(),)
        case PreparationFailed(reason):
            return fail(state, Failure.PREPARATION, reason), (EndTree(),)
        case Spawned():
            return state, (Watch(),)
        case Adopted():
            return after_adoption(event, now)
        case BecameReady():
            return change(state, phase=Phase.READY, reason=None, ready_at=now, proven=True, port_losses=0), ()
        case TimedOut(detail):
            return fail(state, Failure.TIMEOUT, detail), (EndTree(),)
        case PortLost(reason):
            return after_port_loss(state, reason)
        case PortUnavailable(reason):
            return fail(state, Failure.PORT, reason), (EndTree(),)
        case Exited(code, oneshot):
            return after_exit(state, code, now, policy, oneshot=oneshot)
        case DelayPassed():
            again = change(state, phase=Phase.STARTING, started_at=now, restarts=state.restarts + 1)
            return again, (Renew(), Spawn())
        case StopRequested():
            return after_stop_request(state)
        case TreeGone():
            return LifecycleState(restarts=state.restarts, last_exit=state.last_exit), ()
        case _:
            assert_never(event)


def satisfies_dependants(state: LifecycleState, *, optional: bool) -> bool:
    """Whether services that depend on this one may start."""
    match state.phase:
        case Phase.READY | Phase.UNHEALTHY:
            return True
        case Phase.EXITED:
            return state.last_exit == 0
        case Phase.FAILED:
            return optional
    return False


def after_start_request(state: LifecycleState) -> Step:
    """Bring up what is down. What runs or is on its way runs on; what is being stopped must stop first."""
    if state.phase in WANTED or state.phase is Phase.STOPPING:
        return state, ()
    return LifecycleState(phase=Phase.WAITING, restarts=state.restarts), (SetUp(),)


def after_adoption(event: Adopted, now: float) -> Step:
    """Take over a process that runs already: what was ready is ready, what was starting is watched."""
    state = LifecycleState(phase=Phase.STARTING, started_at=now, proven=event.proven, restarts=event.restarts)
    if event.was_ready:
        return change(state, phase=Phase.READY, ready_at=now, proven=True), ()
    return state, (Watch(),)


def after_port_loss(state: LifecycleState, reason: str) -> Step:
    """Move on to another port, but not for ever."""
    losses = state.port_losses + 1
    if losses > PORT_ATTEMPTS:
        text = f"lost its port to other programs {PORT_ATTEMPTS} times in a row; last: {reason}"
        return fail(state, Failure.PORT, text), (EndTree(),)
    return change(state, port_losses=losses), (NextPort(reason),)


def after_exit(
    state: LifecycleState, code: int | None, now: float, policy: RestartPolicy, *, oneshot: bool
) -> Step:
    """Decide whether a service that ended has done its work, is started again, or is given up."""
    if state.phase not in ALIVE:
        return change(state, last_exit=code), ()
    said = describe_exit(code)
    if state.phase is Phase.STARTING and not state.proven:
        if oneshot and code == 0:
            return change(state, phase=Phase.EXITED, reason=said, last_exit=0), (EndTree(),)
        return fail(state, Failure.EXIT, f"{said} before it was ready", last_exit=code), (EndTree(),)
    clean = code == 0
    if policy.mode is RestartMode.NEVER or (clean and policy.mode is RestartMode.ON_FAILURE):
        if clean:
            return change(state, phase=Phase.EXITED, reason=said, last_exit=code), (EndTree(),)
        return fail(state, Failure.EXIT, said, last_exit=code), (EndTree(),)
    return back_off(state, said, code, now, policy)


def back_off(state: LifecycleState, said: str, code: int | None, now: float, policy: RestartPolicy) -> Step:
    """Start again: at once after a stable run, then with growing delays, until it failed too often."""
    stable = state.ready_at is not None and now - state.ready_at >= STABLE_SECONDS
    recent = () if stable else tuple(at for at in state.failures if now - at < policy.window_seconds)
    failures = (*recent, now)
    if len(failures) >= policy.failures:
        text = f"{said}; given up after {len(failures)} failures in {policy.window_seconds:g} s"
        return fail(state, Failure.EXIT, text, last_exit=code), (EndTree(),)
    delay = restart_delay(len(recent))
    waiting = change(state, phase=Phase.BACKOFF, reason=said, failures=failures, last_exit=code)
    return change(waiting, ready_at=None), (EndTree(), Wait(delay))


def restart_delay(earlier_failures: int) -> float:
    """Return how long to wait, in seconds: nothing at first, then 0.1 s doubling up to 30 s."""
    if earlier_failures == 0:
        return 0.0
    return min(FIRST_DELAY_SECONDS * 2.0 ** (earlier_failures - 1), LONGEST_DELAY_SECONDS)


def after_stop_request(state: LifecycleState) -> Step:
    """End what runs; what does not run is stopped already."""
    if state.phase in WANTED:
        return change(state, phase=Phase.STOPPING, reason=None), (EndTree(),)
    if state.phase is Phase.STOPPING:
        return state, ()
    return LifecycleState(restarts=state.restarts, last_exit=state.last_exit), ()


def describe_exit(code: int | None) -> str:
    """Say how a process ended: a negative code is the signal that ended it."""
    if code is None:
        return "ended"
    if code < 0:
        return f"was ended by signal {-code}"
    return f"exited with code {code}"


def fail(
    state: LifecycleState, failure: Failure, reason: str, *, last_exit: int | None = None
) -> LifecycleState:
    """Give the service up."""
    kept = state.last_exit if last_exit is None else last_exit
    return change(state, phase=Phase.FAILED, failure=failure, reason=reason, last_exit=kept)


def change(state: LifecycleState, **fields: object) -> LifecycleState:
    """Return the state with some fields replaced; leaving FAILED also clears its failure."""
    if fields.get("phase", state.phase) is not Phase.FAILED:
        fields["failure"] = None
    return msgspec.structs.replace(state, **fields)

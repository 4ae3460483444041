"""The life of one service as a pure function: what is so, what happened, what to do about it.

Time comes in as a value, effects go out as actions. The runner carries the actions out and reports
what happened as further events; it decides nothing itself.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias, assert_never

import msgspec
from msgspec import Struct

from devinit.model.service import Condition, Health, RestartMode, RestartPolicy, Service
from devinit.model.status import Phase
from devinit.text import counted

STABLE_SECONDS = 10.0
"""A service that was ready this long is taken to be sound: its next failure is its first."""
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 30.0
PORT_ATTEMPTS = 10
"""How often a start may lose its port to another process before it is given up."""

NO_READY = "what its `ready` asks for was not seen; a job that is done when it ends needs no `ready`"


class Failure(StrEnum):
    """Why a service was given up; it decides the exit code of the start."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    PORT = "port"
    PREPARATION = "preparation"


class Success(StrEnum):
    """When a service that ends with code 0 has done what it is for."""

    NEVER = "never"
    """It has a port: a server has not finished its work when it ends."""
    ONCE_READY = "once ready"
    """Its `ready` says what is to be seen of it first."""
    ALWAYS = "always"
    """To end may be its whole purpose: it has no port, and nothing else is asked of it."""
    AWAITED = "awaited"
    """To end is its whole purpose: others wait for that."""


class LifecycleState(Struct, frozen=True, kw_only=True):
    """Everything that the next decision depends on."""

    phase: Phase = Phase.STOPPED
    reason: str | None = None
    failure: Failure | None = None
    """Why it failed, or why a start no longer waits for it: set while the phase is FAILED or `stuck` is."""
    started_at: float | None = None
    """When this run began (monotonic seconds)."""
    spawned_at: float | None = None
    """When the process of this run was started (monotonic seconds); None before."""
    ready_at: float | None = None
    """When this run became ready; None before."""
    proven: bool = False
    """It was ready at least once since it was asked for: a later crash is worth a restart."""
    failures: tuple[float, ...] = ()
    """Times of the recent failures, oldest first."""
    restarts: int = 0
    port_losses: int = 0
    """Starts in a row that lost the port to another process."""
    last_exit: int | None = None
    failed_checks: int = 0
    """Health checks in a row that failed."""
    stuck: str | None = None
    """What keeps a service that is starting from coming up until the user fixes it; it goes on trying."""


# What happened


class StartRequested(Struct, frozen=True):
    """An order wants it up."""


class DependenciesReady(Struct, frozen=True):
    """All that it depends on is ready."""


class Blocked(Struct, frozen=True):
    """It waits for its dependencies; the reason why they will not be ready by themselves, if there is one."""

    reason: str | None


class Prepared(Struct, frozen=True):
    """Set-up, data directories and one-shot commands are done."""


class PreparationFailed(Struct, frozen=True):
    """It could not be prepared or spawned."""

    reason: str
    code: int | None = None
    """Of the command that failed, if one did."""


class Spawned(Struct, frozen=True):
    """Its process runs."""


class Adopted(Struct, frozen=True, kw_only=True):
    """An earlier supervisor left it behind: as it was then, whether or not it still runs."""

    was_ready: bool
    runs: bool = True
    proven: bool = False
    restarts: int = 0


class Remembered(Struct, frozen=True, kw_only=True):
    """It had ended for good under an earlier supervisor: finished, or failed."""

    phase: Phase
    reason: str | None
    failure: Failure | None
    last_exit: int | None
    restarts: int


class BecameReady(Struct, frozen=True):
    """Its probe answers, and the listener is its own."""


class CheckPassed(Struct, frozen=True):
    """It answered its health check."""


class CheckFailed(Struct, frozen=True):
    """It did not answer its health check: what was seen, and how many of these mean what."""

    detail: str
    health: Health


class WentDown(Struct, frozen=True):
    """It was ready and its process lives, but nothing of it serves any more."""

    cause: str | None = None
    """What the user has to fix before it serves again; None when that is not known, and it may be reloading."""
    detail: str | None = None
    """What was seen instead of an answer, where there is no cause."""


class Stuck(Struct, frozen=True):
    """It lives, but cannot come up before the user fixes what it says is wrong."""

    cause: str
    failure: Failure = Failure.EXIT
    """What the start that waits for it came to: EXIT when it said so itself, TIMEOUT when its time was over."""


class Moving(Struct, frozen=True):
    """What was stuck does something again."""


class TimedOut(Struct, frozen=True):
    """It was not ready in time, and what was seen last."""

    detail: str


class PortLost(Struct, frozen=True):
    """Another process has its port."""

    reason: str


class PortUnavailable(Struct, frozen=True):
    """There is no other port to move to."""

    reason: str


class Exited(Struct, frozen=True):
    """Its process ended. None: the code went to another parent (an adopted process)."""

    code: int | None
    success: Success = Success.NEVER
    """When its end with code 0 is no failure."""
    cause: str | None = None
    """The probable cause, in the words of its output."""


class DelayPassed(Struct, frozen=True):
    """The back-off is over."""


class StopRequested(Struct, frozen=True):
    """An order wants it down."""


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
    | Remembered
    | BecameReady
    | CheckPassed
    | CheckFailed
    | WentDown
    | Stuck
    | Moving
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


class LookAfter(Struct, frozen=True):
    """Ask again and again whether it is well, if it has a health check."""


class Wait(Struct, frozen=True):
    """Report DelayPassed after some seconds."""

    seconds: float


class EndTree(Struct, frozen=True):
    """End every process of it; report TreeGone."""


class NextPort(Struct, frozen=True):
    """Give the port up, get another one, end what runs and spawn again."""

    reason: str


Action: TypeAlias = SetUp | Prepare | Renew | Spawn | Watch | LookAfter | Wait | EndTree | NextPort
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
    CheckPassed: frozenset({Phase.READY, Phase.UNHEALTHY}),
    CheckFailed: frozenset({Phase.READY, Phase.UNHEALTHY}),
    WentDown: frozenset({Phase.READY, Phase.UNHEALTHY}),
    Stuck: frozenset({Phase.STARTING}),
    Moving: frozenset({Phase.STARTING}),
    TimedOut: frozenset({Phase.STARTING}),
    PortLost: frozenset({Phase.STARTING}),
    PortUnavailable: frozenset({Phase.STARTING}),
    DelayPassed: frozenset({Phase.BACKOFF}),
    TreeGone: frozenset({Phase.STOPPING}),
    Adopted: frozenset({Phase.STOPPED}),
    Remembered: frozenset({Phase.STOPPED}),
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
        case PreparationFailed(reason, code):
            return fail(state, Failure.PREPARATION, reason, last_exit=code), (EndTree(),)
        case Spawned():
            return change(state, spawned_at=now), (Watch(),)
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
            return change(down, stuck=cause, failure=Failure.EXIT if cause else None), (Watch(),)
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
            return again, (Renew(), Spawn())
        case StopRequested():
            return after_stop_request(state)
        case TreeGone():
            return LifecycleState(restarts=state.restarts, last_exit=state.last_exit), ()
        case _:
            assert_never(event)


def satisfies_dependants(
    state: LifecycleState, *, optional: bool, condition: Condition = Condition.READY
) -> bool:
    """Whether services that wait for this condition of this one may start."""
    match state.phase:
        case Phase.READY:
            return condition is not Condition.COMPLETED
        case Phase.EXITED:
            return state.last_exit == 0
        case Phase.FAILED:
            return optional
        case Phase.UNHEALTHY if condition is Condition.READY:
            # Who runs is not stopped for it, but a dependant that starts now would meet what is wrong.
            return optional
        case Phase.STARTING | Phase.UNHEALTHY | Phase.BACKOFF:
            return condition is Condition.STARTED and state.spawned_at is not None
    return False


def may_still_satisfy(state: LifecycleState, condition: Condition) -> bool:
    """Whether a service that is settled, but not as a dependant waits for, may be so later by itself."""
    return condition is Condition.COMPLETED and state.phase in (Phase.READY, Phase.UNHEALTHY)


def after_start_request(state: LifecycleState) -> Step:
    """Bring up what is down. What runs or is on its way runs on; what is being stopped must stop first."""
    if state.phase in WANTED or state.phase is Phase.STOPPING:
        return state, ()
    return LifecycleState(phase=Phase.WAITING, restarts=state.restarts), (SetUp(),)


def after_adoption(event: Adopted, now: float) -> Step:
    """Take over a process that runs already: what was ready is ready, what was starting is watched."""
    state = LifecycleState(
        phase=Phase.STARTING,
        started_at=now,
        spawned_at=now if event.runs else None,
        proven=event.proven,
        restarts=event.restarts,
    )
    if event.was_ready:
        return change(state, phase=Phase.READY, ready_at=now, proven=True), (LookAfter(),)
    return state, (Watch(),)


def after_port_loss(state: LifecycleState, reason: str) -> Step:
    """Move on to another port, but not for ever."""
    losses = state.port_losses + 1
    if losses > PORT_ATTEMPTS:
        text = f"lost its port to other programs {PORT_ATTEMPTS} times in a row; last: {reason}"
        return fail(state, Failure.PORT, text), (EndTree(),)
    return change(state, port_losses=losses), (NextPort(reason),)


def after_failed_check(
    state: LifecycleState, detail: str, health: Health, now: float, policy: RestartPolicy
) -> Step:
    """Decide what a service is that does not answer: well for now, unhealthy, or to be started again."""
    failed = change(state, failed_checks=state.failed_checks + 1)
    if health.restart_after is not None and failed.failed_checks >= health.restart_after:
        said = f"unhealthy, {counted(failed.failed_checks, 'check')} failed: {detail}"
        return back_off(failed, said, state.last_exit, now, policy)
    if failed.failed_checks >= health.failures:
        return change(failed, phase=Phase.UNHEALTHY, reason=detail), ()
    return failed, ()


def after_exit(state: LifecycleState, event: Exited, now: float, policy: RestartPolicy) -> Step:
    """Decide whether a service that ended has done its work, is started again, or is given up."""
    code = event.code
    if state.phase not in ALIVE:
        return change(state, last_exit=code), ()
    said, why = describe_exit(code), f": {event.cause}" if event.cause else ""
    clean = is_success(state, event)
    if state.phase is Phase.STARTING and not state.proven:
        if clean:
            return change(state, phase=Phase.EXITED, reason=said, last_exit=0), (EndTree(),)
        advice = f"\n{NO_READY}" if code == 0 and event.success is Success.ONCE_READY else ""
        early = "" if event.success is Success.AWAITED else " before it was ready"
        text = f"{said}{early}{why}{advice}"
        return fail(state, Failure.EXIT, text, last_exit=code), (EndTree(),)
    said += why
    if policy.mode is RestartMode.NEVER or (clean and policy.mode is RestartMode.ON_FAILURE):
        if clean:
            return change(state, phase=Phase.EXITED, reason=said, last_exit=code), (EndTree(),)
        return fail(state, Failure.EXIT, said, last_exit=code), (EndTree(),)
    return back_off(state, said, code, now, policy)


def success_of(service: Service, *, is_job: bool = False) -> Success:
    """Return when it is no failure that a service ends with code 0. `is_job`: others wait for its end."""
    if is_job:
        return Success.AWAITED
    if service.port is not None:
        return Success.NEVER
    return Success.ONCE_READY if service.ready.is_stated else Success.ALWAYS


def is_success(state: LifecycleState, event: Exited) -> bool:
    """Whether a service that ended has done its work. What is starting has not been seen ready in this run."""
    if event.code != 0 or event.success is Success.NEVER:
        return False
    return event.success is not Success.ONCE_READY or state.phase is not Phase.STARTING


def back_off(state: LifecycleState, said: str, code: int | None, now: float, policy: RestartPolicy) -> Step:
    """Start again: at once after a stable run, then with growing delays, until it failed too often."""
    stable = state.ready_at is not None and now - state.ready_at >= STABLE_SECONDS
    recent = () if stable else tuple(at for at in state.failures if now - at < policy.window_seconds)
    failures = (*recent, now)
    if len(failures) >= policy.failures:
        text = f"{said}; given up after {counted(len(failures), 'failure')} in {policy.window_seconds:g} s"
        return fail(state, Failure.EXIT, text, last_exit=code), (EndTree(),)
    delay = restart_delay(len(recent))
    waiting = change(
        state, phase=Phase.BACKOFF, reason=said, failures=failures, last_exit=code, failed_checks=0
    )
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
    """Return the state with some fields replaced; what holds only in one phase is left behind with it."""
    phase = fields.get("phase", state.phase)
    if phase is not Phase.STARTING:
        fields["stuck"] = None
    if phase is not Phase.FAILED and fields.get("stuck", state.stuck) is None:
        fields["failure"] = None
    return msgspec.structs.replace(state, **fields)

"""What happens in the life of a service."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from devinit.model.service import Health, Service
from devinit.model.status import Phase
from devinit.supervisor.lifecycle.state import Failure, Success


class StartRequested(Struct, frozen=True):
    """An order wants it up."""


class StartRefused(Struct, frozen=True):
    """It was stopped to be started again, and cannot be."""

    reason: str
    failure: Failure = Failure.PREPARATION


class DependenciesReady(Struct, frozen=True):
    """All that it depends on is ready."""


class Blocked(Struct, frozen=True):
    """It waits for its dependencies; the reason why they will not be ready by themselves, if there is one."""

    reason: str | None


class Prepared(Struct, frozen=True):
    """Set-up, data directories and one-shot commands are done."""


class DoneBefore(Struct, frozen=True):
    """It is a one-shot that has run on the data as it is, and does not run again."""

    reason: str


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
    """It had finished or failed under an earlier supervisor."""

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
    """It runs, but cannot come up before the user fixes the error that it shows."""

    cause: str
    failure: Failure = Failure.EXIT
    """How the waiting start ends: EXIT when the output shows the crash, TIMEOUT when the time was over."""


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


class Withstood(Struct, frozen=True):
    """Something of it still runs, although it was ended."""

    reason: str


LifecycleEvent: TypeAlias = (
    StartRequested
    | StartRefused
    | DependenciesReady
    | Blocked
    | Prepared
    | DoneBefore
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
    | Withstood
)


def success_of(service: Service, *, is_job: bool = False) -> Success:
    """Return when it is no failure that a service ends with code 0. `is_job`: it only has to end."""
    if is_job:
        return Success.AWAITED
    if service.port is not None:
        return Success.NEVER
    return Success.ONCE_READY if service.ready.is_stated else Success.ALWAYS

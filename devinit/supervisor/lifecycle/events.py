"""The events in the life of a service."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from devinit.model.service import Health, Service
from devinit.model.status import Phase
from devinit.supervisor.lifecycle.state import Failure, Success


class StartRequested(Struct, frozen=True):
    """An order asks for the service to run."""


class StartRefused(Struct, frozen=True):
    """The service was stopped for a restart, and cannot be started."""

    reason: str
    failure: Failure = Failure.PREPARATION


class DependenciesReady(Struct, frozen=True):
    """All dependencies of the service are ready."""


class Blocked(Struct, frozen=True):
    """The service waits for dependencies. `reason`: why they will not become ready by themselves, if so."""

    reason: str | None


class Prepared(Struct, frozen=True):
    """Set-up, data directories and one-shot commands are done."""


class DoneBefore(Struct, frozen=True):
    """The service is a one-shot that has already run on the present data, so it does not run again."""

    reason: str


class PreparationFailed(Struct, frozen=True):
    """The service could not be prepared or spawned."""

    reason: str
    code: int | None = None
    """Exit code of the command that failed, if one did."""


class Spawned(Struct, frozen=True):
    """The process of the service runs."""


class Adopted(Struct, frozen=True, kw_only=True):
    """An earlier supervisor left the service behind. The fields give its state at that time."""

    was_ready: bool
    runs: bool = True
    proven: bool = False
    restarts: int = 0


class Remembered(Struct, frozen=True, kw_only=True):
    """The service had finished or failed under an earlier supervisor."""

    phase: Phase
    reason: str | None
    failure: Failure | None
    last_exit: int | None
    restarts: int


class BecameReady(Struct, frozen=True):
    """The probe of the service succeeds, and the service's own process listens."""


class CheckPassed(Struct, frozen=True):
    """The service passed its health check."""


class CheckFailed(Struct, frozen=True):
    """The service failed its health check. `detail`: the observation; `health`: the limits for failures."""

    detail: str
    health: Health


class WentDown(Struct, frozen=True):
    """The service was ready and its process lives, but none of its processes serves any more."""

    cause: str | None = None
    """The error that the user has to fix first; None when it is unknown, and the service may be reloading."""
    detail: str | None = None
    """The observation in place of an answer, when there is no cause."""


class Stuck(Struct, frozen=True):
    """The service runs, but cannot come up before the user fixes the error that it shows."""

    cause: str
    failure: Failure = Failure.EXIT
    """How the waiting start ends: EXIT when the output shows the crash, TIMEOUT when its time is over."""


class Moving(Struct, frozen=True):
    """A service that was stuck makes progress again."""


class TimedOut(Struct, frozen=True):
    """The service was not ready in time. `detail`: the last observation."""

    detail: str


class PortLost(Struct, frozen=True):
    """Another process holds the port of the service."""

    reason: str


class PortUnavailable(Struct, frozen=True):
    """There is no other port to move to."""

    reason: str


class Exited(Struct, frozen=True):
    """The process of the service ended.

    `code` is None when another process was its parent (an adopted process).
    """

    code: int | None
    success: Success = Success.NEVER
    """The condition under which an end with code 0 is no failure."""
    cause: str | None = None
    """The probable cause, quoted from the output."""


class DelayPassed(Struct, frozen=True):
    """The back-off is over."""


class StopRequested(Struct, frozen=True):
    """An order asks for the service to stop."""


class TreeGone(Struct, frozen=True):
    """None of the service's processes runs any more."""


class Withstood(Struct, frozen=True):
    """Processes of the service still run although they were ended."""

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
    """Return when an exit of the service with code 0 is no failure.

    `is_job`: the service only has to end.
    """
    if is_job:
        return Success.AWAITED
    if service.port is not None:
        return Success.NEVER
    return Success.ONCE_READY if service.ready.is_stated else Success.ALWAYS

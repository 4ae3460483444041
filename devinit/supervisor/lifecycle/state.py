"""The lifecycle state of a service, as a value."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec import Struct

from devinit.model.status import Phase

ALIVE = frozenset({Phase.STARTING, Phase.READY, Phase.UNHEALTHY})
"""Phases in which a process runs or is about to be started."""
WANTED = ALIVE | {Phase.WAITING, Phase.BACKOFF}
"""Phases in which an order to start changes nothing."""


class Failure(StrEnum):
    """Why a service failed; it decides the exit code of the start."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    PORT = "port"
    PREPARATION = "preparation"


class Success(StrEnum):
    """When an end with code 0 means that a service has done its work."""

    NEVER = "never"
    """It has a port: a server that ends has not finished its work."""
    ONCE_READY = "once ready"
    """Only after the service was seen ready, as its `ready` demands."""
    ALWAYS = "always"
    """It has neither a port nor `ready`, so ending may be its whole purpose."""
    AWAITED = "awaited"
    """It is a job: ending is its whole purpose."""


class LifecycleState(Struct, frozen=True, kw_only=True):
    """All facts about a service that the next decision depends on."""

    phase: Phase = Phase.STOPPED
    reason: str | None = None
    failure: Failure | None = None
    """Why it failed, or why a start no longer waits for it; set only while the phase is FAILED or `stuck` is
    set.
    """
    started_at: float | None = None
    """When this run began (monotonic seconds)."""
    spawned_at: float | None = None
    """When the process of this run was started (monotonic seconds); None before."""
    ready_at: float | None = None
    """When this run became ready; None before."""
    proven: bool = False
    """Whether it was ready at least once since the order to start: a later crash is then worth a restart."""
    failures: tuple[float, ...] = ()
    """Times of the recent failures, oldest first."""
    restarts: int = 0
    port_losses: int = 0
    """Starts in a row that lost the port to another process."""
    last_exit: int | None = None
    failed_checks: int = 0
    """Health checks in a row that failed."""
    stuck: str | None = None
    """The error that keeps a starting service from coming up until the user fixes it; it goes on trying."""

    withstood: str | None = None
    """Description of the processes that still run after a stop or failure ended the service; None without any."""

    @property
    def has_withstood(self) -> bool:
        """Whether processes of an ended service still run; the next stop tries again to end them."""
        return self.withstood is not None


def has_never_run(state: LifecycleState) -> bool:
    """Return whether a service failed before it had a process: no program, or the system refused to start it."""
    return state.phase is Phase.FAILED and state.spawned_at is None and not state.proven


def fail(
    state: LifecycleState, failure: Failure, reason: str, *, last_exit: int | None = None
) -> LifecycleState:
    """Return the state of a service that has failed."""
    kept = state.last_exit if last_exit is None else last_exit
    return change(state, phase=Phase.FAILED, failure=failure, reason=reason, last_exit=kept)


def change(state: LifecycleState, **fields: object) -> LifecycleState:
    """Return the state with some fields replaced; fields that hold only in one phase are reset when it ends."""
    phase = fields.get("phase", state.phase)
    if phase is not Phase.STARTING:
        fields["stuck"] = None
    if phase is not state.phase:
        fields["withstood"] = None
    if phase is not Phase.FAILED and fields.get("stuck", state.stuck) is None:
        fields["failure"] = None
    return msgspec.structs.replace(state, **fields)

"""The state of a service's life, as a value."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec import Struct

from devinit.model.status import Phase

ALIVE = frozenset({Phase.STARTING, Phase.READY, Phase.UNHEALTHY})
"""Phases in which a process runs, or is about to."""
WANTED = ALIVE | {Phase.WAITING, Phase.BACKOFF}
"""Phases in which a start has nothing to do."""


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
    """To end is its whole purpose."""


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

    withstood: str | None = None
    """What still runs of a service that was ended, because it was stopped or has failed; None for nothing."""

    @property
    def has_withstood(self) -> bool:
        """Whether something still runs of a service that was ended: the next stop tries again."""
        return self.withstood is not None


def has_never_run(state: LifecycleState) -> bool:
    """Whether the service failed before it had a process: its program is missing, or the system refused it."""
    return state.phase is Phase.FAILED and state.spawned_at is None and not state.proven


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
    if phase is not state.phase:
        fields["withstood"] = None
    if phase is not Phase.FAILED and fields.get("stuck", state.stuck) is None:
        fields["failure"] = None
    return msgspec.structs.replace(state, **fields)

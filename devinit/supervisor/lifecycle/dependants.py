"""Effects of a service's state on the services that depend on it."""

from __future__ import annotations

from devinit.model.service import Condition
from devinit.model.status import Phase
from devinit.supervisor.lifecycle.state import LifecycleState


def satisfies_dependants(
    state: LifecycleState, *, optional: bool, condition: Condition = Condition.READY
) -> bool:
    """Return whether services that wait until this one meets a condition may start."""
    match state.phase:
        case Phase.READY:
            return condition is not Condition.COMPLETED
        case Phase.EXITED:
            return state.last_exit == 0
        case Phase.FAILED:
            # A failed optional service blocks no dependant, but one that waits for COMPLETED needs the result.
            return optional and condition is not Condition.COMPLETED
        case Phase.UNHEALTHY if condition is Condition.READY:
            # Running dependants go on, but a dependant that starts now would meet the fault.
            return optional
        case Phase.STARTING | Phase.UNHEALTHY | Phase.BACKOFF:
            return condition is Condition.STARTED and state.spawned_at is not None
    return False


def may_still_satisfy(state: LifecycleState, condition: Condition) -> bool:
    """Return whether a settled service that does not meet a condition may still meet it later by itself."""
    return condition is Condition.COMPLETED and state.phase in (Phase.READY, Phase.UNHEALTHY)

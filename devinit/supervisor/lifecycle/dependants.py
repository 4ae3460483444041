"""What the state of a service means for the services that depend on it."""

from __future__ import annotations

from devinit.model.service import Condition
from devinit.model.status import Phase
from devinit.supervisor.lifecycle.state import LifecycleState


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
            # To have completed is more than not to be in the way: what a job should have done is not there.
            return optional and condition is not Condition.COMPLETED
        case Phase.UNHEALTHY if condition is Condition.READY:
            # A running service is not stopped for it, but a dependant that starts now would meet the fault.
            return optional
        case Phase.STARTING | Phase.UNHEALTHY | Phase.BACKOFF:
            return condition is Condition.STARTED and state.spawned_at is not None
    return False


def may_still_satisfy(state: LifecycleState, condition: Condition) -> bool:
    """Whether a service that is settled, but not as a dependant waits for, may be so later by itself."""
    return condition is Condition.COMPLETED and state.phase in (Phase.READY, Phase.UNHEALTHY)

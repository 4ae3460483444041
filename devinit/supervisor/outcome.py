"""What a start came to: pure functions from the states of its services to its summary and exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from devinit.model.service import Service
from devinit.model.status import Phase
from devinit.supervisor.lifecycle import Failure, LifecycleState, satisfies_dependants

DONE = 0
SERVICE_FAILED = 1
PORT_CONFLICT = 3
TIMED_OUT = 4

States = Mapping[str, LifecycleState]
Services = Mapping[str, Service]

SETTLED = frozenset({Phase.READY, Phase.UNHEALTHY, Phase.EXITED, Phase.FAILED, Phase.STOPPED})


def is_settled(name: str, states: States, services: Services) -> bool:
    """Whether nothing more will happen to a service by itself: it is up, it ended, or it can never start."""
    state = states[name]
    return state.phase in SETTLED or state.stuck is not None or is_blocked(name, states, services)


def is_blocked(name: str, states: States, services: Services) -> bool:
    """Whether a service waits for one that will not come up."""
    return states[name].phase is Phase.WAITING and blocker(name, states, services) is not None


def blocker(name: str, states: States, services: Services) -> str | None:
    """Return the dependency that stands in the way for good, if any."""
    for dependency in needed(name, services):
        state = states[dependency]
        if satisfies_dependants(state, optional=services[dependency].optional):
            continue
        if is_settled(dependency, states, services):
            return dependency
    return None


def needed(name: str, services: Services) -> list[str]:
    """Return what a service depends on; what has left the configuration meanwhile is waited for no more."""
    return [dependency for dependency in services[name].depends_on if dependency in services]


def may_start(name: str, states: States, services: Services) -> bool:
    """Whether all that a service depends on is there."""
    return all(
        satisfies_dependants(states[dependency], optional=services[dependency].optional)
        for dependency in needed(name, services)
    )


def exit_code_of(wanted: Iterable[str], states: States, services: Services) -> int:
    """Return the exit code of a start. Services that are optional do not count."""
    codes = {code_of(states[name]) for name in wanted if not services[name].optional}
    # What was tried and went wrong says more than what had to wait for it, or was too slow.
    return next((code for code in (PORT_CONFLICT, SERVICE_FAILED, TIMED_OUT) if code in codes), DONE)


def code_of(state: LifecycleState) -> int:
    """Return what one service contributes to the exit code of a start."""
    match state.phase, state.failure:
        case Phase.READY, _:
            return DONE
        case Phase.EXITED, _:
            return DONE if state.last_exit == 0 else SERVICE_FAILED
        case Phase.FAILED, Failure.TIMEOUT:
            return TIMED_OUT
        case Phase.FAILED, Failure.PORT:
            return PORT_CONFLICT
        case ((Phase.FAILED | Phase.STOPPED | Phase.STOPPING | Phase.UNHEALTHY), _):
            return SERVICE_FAILED
        case Phase.STARTING, Failure.TIMEOUT:
            return TIMED_OUT
        case Phase.STARTING, _ if state.stuck is not None:
            return SERVICE_FAILED
        case ((Phase.STARTING | Phase.BACKOFF), _):
            return TIMED_OUT
    # It waits for a service that has its own code.
    return DONE

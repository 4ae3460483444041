"""The result of a start: pure functions from the states of its services to its summary and exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from devinit.model.service import Service
from devinit.model.status import Phase
from devinit.supervisor.lifecycle import Failure, LifecycleState, may_still_satisfy, satisfies_dependants

DONE = 0
SERVICE_FAILED = 1
PORT_CONFLICT = 3
TIMED_OUT = 4

States = Mapping[str, LifecycleState]
Services = Mapping[str, Service]

SETTLED = frozenset({Phase.READY, Phase.UNHEALTHY, Phase.EXITED, Phase.FAILED, Phase.STOPPED})


def is_settled(name: str, states: States, services: Services) -> bool:
    """Return whether a service will not change by itself any more: it is up, has ended, or can never start."""
    return _settled(name, states, services, {})


def are_settled(names: Iterable[str], states: States, services: Services) -> bool:
    """Return whether `is_settled` holds for all of these services."""
    known: dict[str, bool] = {}
    return all(_settled(name, states, services, known) for name in names)


def blocker(name: str, states: States, services: Services) -> str | None:
    """Return the dependency that can never come up, if any."""
    known: dict[str, bool] = {}
    lacking = _obstacles(name, states, services)
    return next((each for each in lacking if _settled(each, states, services, known)), None)


def _settled(name: str, states: States, services: Services, known: dict[str, bool]) -> bool:
    """Return `is_settled`, and store it in `known` for each service on the way.

    Each service is evaluated once: some dozen services can have more paths through their dependencies than a
    supervisor has time for. It is a loop, because a chain of a thousand services is deeper than Python recurses.
    """
    pending = [name]
    while pending:
        current = pending[-1]
        state = states[current]
        if current in known:
            pending.pop()
        elif state.phase in SETTLED or state.stuck is not None or state.has_withstood:
            known[current] = True
        elif state.phase is not Phase.WAITING:
            known[current] = False
        else:
            lacking = _obstacles(current, states, services)
            unknown = next((each for each in lacking if each not in known), None)
            if unknown is None or any(known.get(each) for each in lacking):
                known[current] = any(known.get(each) for each in lacking)
            else:
                pending.append(unknown)
    return known[name]


def _lacking(name: str, states: States, services: Services) -> list[str]:
    """Return the dependencies for which a service still waits."""
    return [
        each
        for each in needed(name, services)
        if not satisfies_dependants(
            states[each], optional=services[each].optional, condition=services[name].condition_of(each)
        )
    ]


def _obstacles(name: str, states: States, services: Services) -> list[str]:
    """Return the missing dependencies that may never come up. A job that is running may still complete."""
    return [
        each
        for each in _lacking(name, states, services)
        if not may_still_satisfy(states[each], services[name].condition_of(each))
    ]


def needed(name: str, services: Services) -> list[str]:
    """Return the dependencies of a service without those that have left the configuration meanwhile."""
    return [dependency for dependency in services[name].depends_on if dependency in services]


def may_start(name: str, states: States, services: Services) -> bool:
    """Return whether all dependencies of a service are satisfied."""
    return not _lacking(name, states, services)


def exit_code_of(wanted: Iterable[str], states: States, services: Services) -> int:
    """Return the exit code of a start. An optional service counts only if another service waits for it."""
    counted = [name for name in wanted if not services[name].optional]
    waiting = [name for name in counted if states[name].phase is Phase.WAITING]
    lacking = {each for name in waiting for each in _obstacles(name, states, services)}
    missed = [each for each in lacking if services[each].optional]
    codes = {code_of(states[name]) for name in (*counted, *missed)}
    # A service that was tried and failed tells more than one that had to wait for it, or was too slow.
    return next((code for code in (PORT_CONFLICT, SERVICE_FAILED, TIMED_OUT) if code in codes), DONE)


def code_of(state: LifecycleState) -> int:
    """Return the contribution of one service to the exit code of a start."""
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
    # It waits for another service, whose failure has its own code.
    return DONE

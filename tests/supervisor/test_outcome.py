"""Specifies `devinit.supervisor.reporting.outcome`: what a start came to, and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.model.service import Condition, Service
from devinit.model.status import Phase
from devinit.supervisor.lifecycle import Failure, LifecycleState
from devinit.supervisor.reporting.outcome import blocker, exit_code_of, is_settled, may_start

READY = LifecycleState(phase=Phase.READY)
STOPPED = LifecycleState()
WAITING = LifecycleState(phase=Phase.WAITING)
STARTING = LifecycleState(phase=Phase.STARTING)
STUCK = LifecycleState(phase=Phase.STARTING, stuck="No module named 'shop'")
AILING = LifecycleState(phase=Phase.STARTING, stuck="GET / answered 503", failure=Failure.TIMEOUT)
BACKOFF = LifecycleState(phase=Phase.BACKOFF)
STOPPING = LifecycleState(phase=Phase.STOPPING)
EXITED = LifecycleState(phase=Phase.EXITED, last_exit=0)


def failed(failure: Failure) -> LifecycleState:
    return LifecycleState(phase=Phase.FAILED, failure=failure, reason="why")


def service(name: str, *needs: str, optional: bool = False) -> Service:
    return Service(name=name, directory=Path("/shop"), depends_on=needs, optional=optional)


def waiting_for(name: str, condition: Condition) -> Service:
    return Service(name="web", directory=Path("/shop"), depends_on=(name,), conditions={name: condition})


def exit_code(**states: LifecycleState) -> int:
    """Return the exit code of a start of these services."""
    return exit_code_of(states, states, {name: service(name) for name in states})


class TestTheExitCode:
    def test_counts_an_optional_job_that_failed_where_another_service_waits_for_its_end(self) -> None:
        services = {
            "migrate": service("migrate", optional=True),
            "web": waiting_for("migrate", Condition.COMPLETED),
        }
        states = {"migrate": failed(Failure.EXIT), "web": WAITING}

        assert exit_code_of(services, states, services) == 1
        assert not may_start("web", states, services)
        assert blocker("web", states, services) == "migrate"

    @pytest.mark.parametrize(
        ("state", "code"),
        [
            (READY, 0),
            (LifecycleState(phase=Phase.UNHEALTHY), 1),
            (EXITED, 0),
            (LifecycleState(phase=Phase.EXITED, last_exit=3), 1),
            (failed(Failure.EXIT), 1),
            (failed(Failure.PREPARATION), 1),
            (failed(Failure.PORT), 3),
            (failed(Failure.TIMEOUT), 4),
            (STARTING, 4),
            (STUCK, 1),
            (AILING, 4),
            (BACKOFF, 4),
            (STOPPED, 1),
            (STOPPING, 1),
        ],
    )
    def test_of_one_service(self, state: LifecycleState, code: int) -> None:
        assert exit_code(backend=state) == code
        assert exit_code(redis=READY, backend=state) == code

    @pytest.mark.parametrize(
        ("states", "code"),
        [
            ((failed(Failure.EXIT), failed(Failure.TIMEOUT)), 1),
            ((failed(Failure.PORT), failed(Failure.EXIT)), 3),
            ((failed(Failure.PORT), failed(Failure.TIMEOUT)), 3),
            ((failed(Failure.TIMEOUT), failed(Failure.EXIT), failed(Failure.PORT)), 3),
            ((STARTING, failed(Failure.EXIT)), 1),
        ],
    )
    def test_names_the_worst_of_several(self, states: tuple[LifecycleState, ...], code: int) -> None:
        named = {f"service{number}": state for number, state in enumerate(states)}

        assert exit_code(**named) == code

    def test_of_one_that_waits_is_that_of_what_it_waits_for(self) -> None:
        assert exit_code(backend=failed(Failure.TIMEOUT), frontend=WAITING) == 4

    def test_does_not_count_what_is_optional(self) -> None:
        services = {"mail": service("mail", optional=True), "web": service("web")}
        states = {"mail": failed(Failure.EXIT), "web": READY}

        assert exit_code_of(services, states, services) == 0

    def test_of_nothing_is_success(self) -> None:
        assert exit_code() == 0


class TestAStart:
    SERVICES = {  # noqa: RUF012  read only
        "redis": service("redis"),
        "backend": service("backend", "redis"),
        "frontend": service("frontend", "backend"),
    }

    def states(
        self, redis: LifecycleState, backend: LifecycleState, frontend: LifecycleState
    ) -> dict[str, LifecycleState]:
        return {"redis": redis, "backend": backend, "frontend": frontend}

    def is_over(self, states: dict[str, LifecycleState]) -> bool:
        return all(is_settled(name, states, self.SERVICES) for name in self.SERVICES)

    def test_is_over_when_all_are_up(self) -> None:
        assert self.is_over(self.states(READY, EXITED, READY))

    def test_is_over_when_what_waits_can_never_start(self) -> None:
        assert self.is_over(self.states(failed(Failure.EXIT), WAITING, WAITING))

    @pytest.mark.parametrize("state", [STUCK, LifecycleState(phase=Phase.UNHEALTHY)])
    def test_is_over_when_somebody_has_to_mend_something(self, state: LifecycleState) -> None:
        assert self.is_over(self.states(READY, state, WAITING))
        assert blocker("frontend", self.states(READY, state, WAITING), self.SERVICES) == "backend"

    @pytest.mark.parametrize("state", [STARTING, BACKOFF, STOPPING])
    def test_is_not_over_while_something_happens(self, state: LifecycleState) -> None:
        assert not self.is_over(self.states(READY, state, WAITING))

    def test_names_the_nearest_service_that_is_in_the_way(self) -> None:
        states = self.states(failed(Failure.EXIT), WAITING, WAITING)

        assert blocker("backend", states, self.SERVICES) == "redis"
        assert blocker("frontend", states, self.SERVICES) == "backend"

    def test_is_blocked_by_nobody_who_may_still_come_up(self) -> None:
        assert blocker("backend", self.states(BACKOFF, WAITING, WAITING), self.SERVICES) is None

    def test_lets_a_service_go_when_all_that_it_needs_is_there(self) -> None:
        assert may_start("backend", self.states(READY, WAITING, WAITING), self.SERVICES)
        assert not may_start("frontend", self.states(READY, WAITING, WAITING), self.SERVICES)

    def test_waits_no_more_for_what_has_left_the_configuration(self) -> None:
        states, services = {"backend": WAITING}, {"backend": self.SERVICES["backend"]}

        assert may_start("backend", states, services)
        assert blocker("backend", states, services) is None

    def test_is_not_over_while_a_job_runs_that_is_called_ready(self) -> None:
        services = {"codegen": service("codegen"), "web": waiting_for("codegen", Condition.COMPLETED)}

        assert not is_settled("web", {"codegen": READY, "web": WAITING}, services)
        assert blocker("web", {"codegen": READY, "web": WAITING}, services) is None
        assert may_start("web", {"codegen": EXITED, "web": WAITING}, services)
        assert blocker("web", {"codegen": failed(Failure.EXIT), "web": WAITING}, services) == "codegen"

    def test_goes_on_without_an_optional_service(self) -> None:
        services = {"mail": service("mail", optional=True), "web": service("web", "mail")}
        states = {"mail": failed(Failure.EXIT), "web": WAITING}

        assert may_start("web", states, services)


class TestManyServicesThatDependOnEachOther:
    SIZE = 60

    def layered(self) -> dict[str, Service]:
        """Return services of which each needs all before it: there are more ways through than atoms on earth."""
        names = [f"s{number}" for number in range(self.SIZE)]
        return {name: service(name, *names[:number]) for number, name in enumerate(names)}

    def test_are_settled_within_a_moment_when_the_first_has_failed(self) -> None:
        services = self.layered()
        states = dict.fromkeys(services, WAITING) | {"s0": failed(Failure.EXIT)}

        assert all(is_settled(name, states, services) for name in services)
        assert blocker("s59", states, services) == "s0"

    def test_wait_within_a_moment_while_the_first_is_starting(self) -> None:
        services = self.layered()
        states = dict.fromkeys(services, WAITING) | {"s0": STARTING}

        assert not any(is_settled(name, states, services) for name in services if name != "s0")
        assert blocker("s59", states, services) is None

    def test_may_stand_in_a_row_of_thousands(self) -> None:
        services = {f"s{number}": service(f"s{number}", f"s{number + 1}") for number in range(5000)}
        states = dict.fromkeys(services, WAITING)

        assert is_settled(
            "s0", {**states, "s5000": failed(Failure.EXIT)}, {**services, "s5000": service("s5000")}
        )

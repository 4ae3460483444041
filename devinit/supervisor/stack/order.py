"""What a client orders, and which orders are refused before anything begins."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from devinit.config.absence import no_services, none_by_itself
from devinit.errors import Interrupted, UsageError
from devinit.kinds import kind_of
from devinit.model.port import ConflictPolicy
from devinit.model.service import Project, Service
from devinit.supervisor.project.port_wishes import PortWishes


class Order(Struct, frozen=True, kw_only=True):
    """What a client wants brought up, and how ports are to be decided."""

    services: tuple[str, ...]
    asked: PortWishes
    profile: str | None = None
    timeout_seconds: float | None = None
    only_changed: bool = False
    """Of a restart: only services that are older than the files that say how they are to run."""
    sets_up: bool = False
    """Run the `setup` of what is started, also where nothing that it depends on has changed."""
    in_terminals: tuple[str, ...] = ()
    """Services that have a terminal until they are started by another order."""
    is_abandoned: Callable[[], bool] = lambda: False
    """Whether its client has gone away before it was begun."""


class Stopped(Struct, frozen=True, kw_only=True):
    """What a stop came to."""

    stopped: list[str]
    left: list[str]
    """Services whose server devinit does not run: it is not used any more, and runs on."""
    remaining: dict[str, list[int]]
    """Services that still run although they were ended, and the pids of what is left of them."""

    @classmethod
    def of(
        cls, names: Iterable[str], services: Mapping[str, Service], remaining: dict[str, list[int]]
    ) -> Self:
        """Sort services into those that stopped, those that run on by themselves, and those that did not end."""
        names = list(names)
        left = [name for name in names if name in services and services[name].external_url is not None]
        stopped = [name for name in names if name not in left and name not in remaining]
        return cls(stopped=stopped, left=left, remaining=remaining)


def refuse_if_abandoned(order: Order) -> None:
    """Raise Interrupted when the client is gone: nothing has begun, and no client knows what it would be."""
    if order.is_abandoned():
        raise Interrupted("the client that ordered the start has gone away")


def refuse_nothing(project: Project, wanted: Collection[str], order: Order) -> None:
    """Raise NoProject or UsageError for an order of nothing, before anything is stopped for it."""
    if not project.services:
        raise no_services(project.source or project.root)
    if not wanted and not order.only_changed:
        raise none_by_itself(project.services)


def refuse_terminals(project: Project, order: Order) -> None:
    """Raise UsageError for a terminal of a service that runs no command of the project."""
    for name in order.in_terminals:
        service = project.services[name]
        if service.external_url is not None or not kind_of(service).runs_a_command:
            raise UsageError(
                f"{name} runs no command of the project, so there is nothing to type into",
                hint=f"`devinit exec {name} -- COMMAND` runs a client of it",
            )


def without_questions(asked: PortWishes) -> PortWishes:
    """Return how ports are decided once services were stopped: a question might never be answered."""
    policy = ConflictPolicy.MOVE if asked.policy is ConflictPolicy.ASK else asked.policy
    return replace(asked, policy=policy, can_answer=False)

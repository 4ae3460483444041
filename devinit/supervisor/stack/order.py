"""The orders of clients, and the checks that refuse an order before anything begins."""

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
    """A client's order to start or restart services, with its rules for port conflicts."""

    services: tuple[str, ...]
    asked: PortWishes
    profile: str | None = None
    timeout_seconds: float | None = None
    only_changed: bool = False
    """Restart only services that are older than the files that configure them."""
    sets_up: bool = False
    """Run the `setup` of the services that start, even if none of its inputs has changed."""
    in_terminals: tuple[str, ...] = ()
    """Services that have a terminal until they are started by another order."""
    names: bool = False
    """Serve pages by name, until all services are stopped."""
    is_abandoned: Callable[[], bool] = lambda: False
    """Whether the client has gone away before the order begins."""


class Stopped(Struct, frozen=True, kw_only=True):
    """The result of a stop."""

    stopped: list[str]
    left: list[str]
    """Services whose server is not run by devinit: the project no longer uses it, and it runs on."""
    remaining: dict[str, list[int]]
    """Service → pids of the processes that still run although they were ended."""

    @classmethod
    def of(
        cls, names: Iterable[str], services: Mapping[str, Service], remaining: dict[str, list[int]]
    ) -> Self:
        """Sort services into stopped ones, ones that run on outside of devinit, and ones that did not end."""
        names = list(names)
        left = [name for name in names if name in services and services[name].external_url is not None]
        stopped = [name for name in names if name not in left and name not in remaining]
        return cls(stopped=stopped, left=left, remaining=remaining)


def refuse_if_abandoned(order: Order) -> None:
    """Raise Interrupted when the client is gone: nothing has begun, and no client would learn the result."""
    if order.is_abandoned():
        raise Interrupted("the client that ordered the start has gone away")


def refuse_nothing(project: Project, wanted: Collection[str], order: Order) -> None:
    """Raise NoProject or UsageError for an order without services, before it stops any service."""
    if not project.services:
        raise no_services(project.source or project.root)
    if not wanted and not order.only_changed:
        raise none_by_itself(project.services)


def refuse_terminals(project: Project, order: Order) -> None:
    """Raise UsageError when an order asks for a terminal for a service that runs no command of the project."""
    for name in order.in_terminals:
        service = project.services[name]
        if service.external_url is not None or not kind_of(service).runs_a_command:
            raise UsageError(
                f"{name} runs no command of the project, so there is nothing to type into",
                hint=f"`devinit exec {name} -- COMMAND` runs a client of it",
            )


def without_questions(asked: PortWishes) -> PortWishes:
    """Return the port rules for the time after services were stopped: a question might never be answered."""
    policy = ConflictPolicy.MOVE if asked.policy is ConflictPolicy.ASK else asked.policy
    return replace(asked, policy=policy, can_answer=False)

"""Which services the table shows, in which order, and in which groups. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from devinit.dashboard.state import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from devinit.dashboard.state import View

CONFIGURED, LAYERS, TROUBLE, CPU, MEMORY, NAME = "configured", "layers", "trouble", "cpu", "memory", "name"
ORDERS = {
    CONFIGURED: "as configured",
    LAYERS: "by dependency layer",
    TROUBLE: "trouble first",
    CPU: "by CPU",
    MEMORY: "by memory",
    NAME: "by name",
}
"""Every order with its words, in the order in which a key goes through them."""
GRAVITY = ("failed", "unhealthy", "backoff", "starting", "stopping", "waiting", "ready", "exited", "stopped")
"""What is looked at first when there is trouble."""


class Arrangement(Struct, frozen=True):
    """How the user wants to see the services."""

    order: str = CONFIGURED
    pattern: re.Pattern[str] | None = None
    """Only services with such names; None for all."""

    @property
    def said(self) -> str:
        """What differs from the order that is built in."""
        only = f"only {self.pattern.pattern}" if self.pattern is not None else ""
        ordered = ORDERS[self.order] if self.order != CONFIGURED else ""
        return ", ".join(filter(None, (ordered, only)))

    def next_order(self) -> Arrangement:
        """Return the arrangement with the order after this one."""
        names = list(ORDERS)
        return replace(self, order=names[(names.index(self.order) + 1) % len(names)])


def arranged(stack: Stack, arrangement: Arrangement) -> Stack:
    """Return a stack with the services that are wanted, in the order that is wanted."""
    pattern = arrangement.pattern
    views = [view for view in stack.services.values() if pattern is None or pattern.search(view.name)]
    key = key_of(arrangement.order, stack.services)
    if key is not None:
        views.sort(key=key)
    return replace(stack, services={view.name: view for view in views})


def key_of(order: str, services: Mapping[str, View]) -> Callable[[View], Any] | None:
    """Return by what services are ordered; None for the order of the configuration. Any: what can be compared."""
    match order:
        case "layers":
            layer = layers(services)
            return lambda view: layer[view.name]
        case "trouble":
            return lambda view: (not view.prompt, GRAVITY.index(view.phase) if view.phase in GRAVITY else -1)
        case "cpu":
            return lambda view: -(view.cpu[-1] if view.cpu and view.pid is not None else 0.0)
        case "memory":
            return lambda view: -(view.memory or 0)
        case "name":
            return lambda view: view.name
    return None


def groups(stack: Stack, arrangement: Arrangement) -> dict[str, str]:
    """Return what stands before the first service of each group; nothing where there are no groups."""
    if arrangement.order != LAYERS:
        return {}
    layer = layers(stack.services)
    first: dict[str, str] = {}
    for view in arranged(stack, arrangement).services.values():
        number = str(layer[view.name])
        if number not in first.values():
            first[view.name] = number
    return first


def layers(services: Mapping[str, View]) -> dict[str, int]:
    """Return in which layer each service is: 1 for those that need no other, else one more than what they need."""
    needs = {name: [each for each in view.depends_on if each in services] for name, view in services.items()}
    left = {name: len(set(each)) for name, each in needs.items()}
    waiters: dict[str, list[str]] = {name: [] for name in services}
    for name, each in needs.items():
        for needed in set(each):
            waiters[needed].append(name)
    # What needs each other in a circle, which no configuration allows, stays in the first one.
    found = dict.fromkeys(services, 1)
    pending = [name for name, count in left.items() if not count]
    while pending:
        name = pending.pop()
        for waiter in waiters[name]:
            found[waiter] = max(found[waiter], found[name] + 1)
            left[waiter] -= 1
            if not left[waiter]:
                pending.append(waiter)
    return found

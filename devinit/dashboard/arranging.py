"""The filter, order and groups of the services in the table. Pure."""

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
"""Every order with its label; a key cycles through them."""
GRAVITY = ("failed", "unhealthy", "backoff", "starting", "stopping", "waiting", "ready", "exited", "stopped")
"""Phases in the order "trouble first", the worst first."""


class Arrangement(Struct, frozen=True):
    """The order and filter of services that the user has chosen."""

    order: str = CONFIGURED
    pattern: re.Pattern[str] | None = None
    """Only services with matching names are shown; None for all."""

    @property
    def said(self) -> str:
        """The differences from the default, as text."""
        only = f"only {self.pattern.pattern}" if self.pattern is not None else ""
        ordered = ORDERS[self.order] if self.order != CONFIGURED else ""
        return ", ".join(filter(None, (ordered, only)))

    def next_order(self) -> Arrangement:
        """Return the arrangement with the next order."""
        names = list(ORDERS)
        return replace(self, order=names[(names.index(self.order) + 1) % len(names)])


def arranged(stack: Stack, arrangement: Arrangement) -> Stack:
    """Return a stack with the selected services in the chosen order."""
    pattern = arrangement.pattern
    views = [view for view in stack.services.values() if pattern is None or pattern.search(view.name)]
    key = key_of(arrangement.order, stack.services)
    if key is not None:
        views.sort(key=key)
    return replace(stack, services={view.name: view for view in views})


def key_of(order: str, services: Mapping[str, View]) -> Callable[[View], Any] | None:
    """Return the sort key of an order; None for the configured order. Any: a comparable value."""
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
    """Return the label before the first service of each group; nothing if there are no groups."""
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
    """Return the layer of each service: 1 without dependencies, else one above its highest dependency."""
    needs = {name: [each for each in view.depends_on if each in services] for name, view in services.items()}
    left = {name: len(set(each)) for name, each in needs.items()}
    waiters: dict[str, list[str]] = {name: [] for name in services}
    for name, each in needs.items():
        for needed in set(each):
            waiters[needed].append(name)
    # Services in a cycle, which no valid configuration has, stay in the first layer.
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

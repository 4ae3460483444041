"""The critical path of a start: which services wait for which. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.dashboard.state import COMING_UP
from devinit.model.status import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinit.dashboard.state import View


def critical_path(services: Mapping[str, View]) -> list[View]:
    """Return the service that a start waits for, then the longest chain of services that wait for it.

    The first is a service that comes up and waits for no other. Among several, it is the one for which most
    services wait, directly or through others. The list is empty if nothing comes up.
    """
    coming = {name: view for name, view in services.items() if view.phase in COMING_UP}
    needs = {name: [each for each in view.depends_on if each in coming] for name, view in coming.items()}
    waiters: dict[str, list[str]] = {name: [] for name in coming}
    for name, needed in needs.items():
        for each in needed:
            waiters[each].append(name)
    heads = heads_of(services)
    if not heads:
        return []
    best = max(heads, key=lambda name: (len(_all_behind(name, waiters)), -list(coming).index(name)))
    return [coming[name] for name in _longest(best, waiters, needs)]


def heads_of(services: Mapping[str, View]) -> list[str]:
    """Return the services that come up and wait for no other one that does."""
    coming = {name for name, view in services.items() if view.phase in COMING_UP}
    heads = [name for name in services if name in coming and coming.isdisjoint(services[name].depends_on)]
    # Before the first status, the dependencies of services are unknown.
    return [name for name in heads if services[name].phase != Phase.WAITING] or heads


def _all_behind(name: str, waiters: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    pending = [name]
    while pending:
        for each in waiters[pending.pop()]:
            if each not in found:
                found.add(each)
                pending.append(each)
    return found


def _longest(
    head: str, waiters: Mapping[str, Sequence[str]], needs: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return the longest chain from a service; a loop, because it may be deeper than Python's recursion limit."""
    behind = {head, *_all_behind(head, waiters)}
    left = {name: len(behind.intersection(needs[name])) for name in behind}
    left[head] = 0
    before: dict[str, str | None] = {head: None}
    length = {head: 0}
    order, pending = [head], [head]
    while pending:
        current = pending.pop()
        for each in waiters[current]:
            if length[current] + 1 > length.get(each, -1):
                length[each], before[each] = length[current] + 1, current
            left[each] -= 1
            if not left[each]:
                order.append(each)
                pending.append(each)
    last: str | None = max(order, key=length.__getitem__)
    row: list[str] = []
    while last is not None:
        row.append(last)
        last = before[last]
    return row[::-1]

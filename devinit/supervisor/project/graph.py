"""The order of services: pure functions on their dependencies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Dependencies = Mapping[str, tuple[str, ...]]
"""Service → the services it depends on. Complete and without cycles (config checks both)."""


def start_order(dependencies: Dependencies) -> list[str]:
    """Return every service after its dependencies, otherwise in the given order."""
    order: dict[str, None] = {}
    # A loop, because a chain of a thousand services is deeper than Python recurses.
    pending = list(reversed(list(dependencies)))
    while pending:
        name = pending[-1]
        before = () if name in order else [each for each in dependencies[name] if each not in order]
        if before:
            pending.extend(reversed(before))
        else:
            order.setdefault(pending.pop())
    return list(order)


def with_dependencies(names: Iterable[str], dependencies: Dependencies) -> list[str]:
    """Return the named services and all their dependencies, in start order."""
    wanted: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted.add(name)
            queue.extend(dependencies[name])
    return [name for name in start_order(dependencies) if name in wanted]


def dependants(name: str, dependencies: Dependencies) -> list[str]:
    """Return the services that name this one as a direct dependency."""
    return [other for other, needs in dependencies.items() if name in needs]

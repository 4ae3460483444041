"""What is said about ports that a stopped project had until now: to the project that gets them. Pure.

The other project reads its part at its next start, if it has to move: `verdict.brief` says who took the port over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from devinit.model.port import LeaseOwner
from devinit.ports.leases import Displaced

Ports: TypeAlias = Iterable[tuple[int, Displaced]]


def notes_about(displaced: Ports, asking: LeaseOwner) -> Iterator[str]:
    """Yield a sentence for each stopped project whose ports are used now, and one for each that was reserved."""
    used: dict[str, list[int]] = {}
    names: dict[str, str] = {}
    for port, each in displaced:
        name = names.setdefault(each.owner.root, _name(each.owner, asking))
        if each.kept:
            yield (
                f"{port} was reserved for {each.owner.service} of {name}, which is stopped "
                "and may have to move at its next start"
            )
        else:
            used.setdefault(each.owner.root, []).append(port)
    for root, ports in used.items():
        verb = "is" if len(ports) == 1 else "are"
        yield f"{_in_words(ports)} {verb} also used by {names[root]}, which is stopped"


def _name(owner: LeaseOwner, asking: LeaseOwner) -> str:
    """Return a project's name, with its folder where the name alone is also that of the project that asks."""
    return f"{owner.project} ({owner.root})" if owner.project == asking.project else owner.project


def _in_words(ports: Iterable[int]) -> str:
    *others, last = map(str, sorted(ports))
    return f"{', '.join(others)} and {last}" if others else last

"""The notes for a project that gets a port reserved for a stopped service of another project. Pure.

The other project reports its side at its next start, if it has to move: `verdict.brief` names the new owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from devinit.model.names import service_of
from devinit.model.port import LeaseOwner
from devinit.ports.leases import Displaced

Ports: TypeAlias = Iterable[tuple[int, Displaced]]


def notes_about(displaced: Ports, asking: LeaseOwner) -> Iterator[str]:
    """Yield a sentence for each project whose ports are now used, and one for each port that was reserved."""
    used: dict[tuple[str, bool], dict[int, str]] = {}
    names: dict[str, str] = {}
    for port, each in displaced:
        name = names.setdefault(each.owner.root, _name(each.owner, asking))
        if each.kept:
            state = "does not run now" if each.down else "is stopped"
            yield (
                f"{port} was reserved for {each.owner.service} of {name}, which {state} "
                "and may have to move at its next start"
            )
        else:
            used.setdefault((each.owner.root, each.down), {})[port] = service_of(each.owner.service)
    for (root, down), services in used.items():
        verb = "is" if len(services) == 1 else "are"
        state = f"whose {_not_running(services.values())} now" if down else "which is stopped"
        yield f"{_in_words(sorted(services))} {verb} also used by {names[root]}, {state}"


def _name(owner: LeaseOwner, asking: LeaseOwner) -> str:
    """Return a project's name, followed by its folder if the requesting project has the same name."""
    return f"{owner.project} ({owner.root})" if owner.project == asking.project else owner.project


def _not_running(services: Iterable[str]) -> str:
    names = sorted(set(services))
    return f"{_in_words(names)} {'does' if len(names) == 1 else 'do'} not run"


def _in_words(values: Iterable[int | str]) -> str:
    *others, last = map(str, values)
    return f"{', '.join(others)} and {last}" if others else last

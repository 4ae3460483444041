"""Choose the service names of the programs in a project. Pure.

A single backend is `backend` and a single frontend `frontend`, wherever they are. Of several, each gets the name
of its folder, and those in the usual folders keep the usual names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from devinit.model.names import variable_prefix
from devinit.sources.applications.unit import Role, Unit

_USUAL_FOLDERS = {Role.BACKEND: ("backend", ""), Role.FRONTEND: ("frontend", "")}
_TAKEN = frozenset({"all", "postgres", "redis"})
_LONGEST = 40
_UNFIT = re.compile(r"[^a-z0-9]+")


def named(units: Sequence[Unit]) -> dict[str, Unit]:
    """Return the programs keyed by name, in their order."""
    names: dict[int, str] = {}
    for role in (Role.BACKEND, Role.FRONTEND):
        same = [index for index, unit in enumerate(units) if unit.role is role and not unit.name]
        main = same[0] if len(same) == 1 else _in_usual_folder(units, same, role)
        if main is not None:
            names[main] = role.value
    taken = set(_TAKEN) | {variable_prefix(name).lower() for name in names.values()}
    for index, unit in enumerate(units):
        if index not in names:
            names[index] = next(name for name in _candidates(unit) if _key(name) not in taken)
            taken.add(_key(names[index]))
    return {names[index]: unit for index, unit in enumerate(units)}


def _in_usual_folder(units: Sequence[Unit], same: list[int], role: Role) -> int | None:
    for folder in _USUAL_FOLDERS[role]:
        found = [index for index in same if units[index].folder == folder]
        if len(found) == 1:
            return found[0]
    return None


def _key(name: str) -> str:
    """Return the key that must be unique: the prefix of a service's variables."""
    return variable_prefix(name).lower()


def _candidates(unit: Unit) -> Iterator[str]:
    """Yield names for a program, the shortest first."""
    if unit.name:
        yield unit.name
    parts = [part for each in unit.folder.split("/") if (part := _fit(each))]
    if unit.role is Role.WORKER:
        yield unit.suffix
        parts.append(unit.suffix)
    elif unit.role is Role.ASSETS:
        yield "assets"
        parts.append("assets")
    elif unit.suffix:
        parts.append(_fit(unit.suffix))
    if not parts:
        parts = [unit.role.value]
    start = len(parts) - (2 if unit.role in (Role.WORKER, Role.ASSETS) else 1)
    for first in range(max(start, 0), -1, -1):
        yield "-".join(parts[first:])[:_LONGEST].strip("-")
    yield f"{parts[-1]}-{unit.role.value}"[:_LONGEST]
    number = 2
    while True:
        yield f"{parts[-1][:_LONGEST]}-{number}"
        number += 1


def _fit(text: str) -> str:
    """Return a text as a valid service name; "" when no character is valid."""
    return _UNFIT.sub("-", text.lower()).strip("-0123456789")

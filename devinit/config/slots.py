"""Ports by worktree: each linked git worktree has a slot, and prefers ports that lie 10 times its slot higher.

The main checkout is slot 0, so a project that is checked out once never notices. Which worktree has
which slot is remembered for the whole machine: it keeps its ports while it exists, however many
others come and go.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from msgspec.structs import replace

from devinit.errors import StateFileError
from devinit.model.port import PortRequest
from devinit.model.service import Project, Service
from devinit.system.file_lock import FileLock
from devinit.system.files import read_text, write_atomically
from devinit.system.paths import state_directory
from devinit.system.worktrees import worktree_of

STEP = 10
"""Ports between one worktree and the next."""
NAME = "worktrees.json"

Slots: TypeAlias = dict[str, dict[str, int]]
"""Main checkout → linked worktree → slot; folders as `os.path.realpath` has them."""


def slot_of(folder: str | os.PathLike[str]) -> int:
    """Return the slot of the checkout that a folder is in, giving it one when it has none. 0: not linked."""
    worktree = worktree_of(folder)
    if worktree is None or not worktree.linked:
        return 0
    # The linked worktrees of bare repositories have no main checkout: they share one row.
    repository, top = worktree.main_top or "", worktree.top
    path = state_directory() / NAME
    # The file is replaced as a whole, so a worktree that has a slot reads it without a lock.
    if (known := _read(path).get(repository, {}).get(top)) is not None:
        return known
    with FileLock(path.with_suffix(".lock")):
        slots = present(_read(path))
        slot = slots.setdefault(repository, {}).setdefault(top, next_slot(slots[repository]))
        write_atomically(path, json.dumps({"version": 1, "slots": slots}) + "\n", mode=0o600)
    return slot


def slotted(folder: str | os.PathLike[str]) -> tuple[str, int] | None:
    """Return the linked worktree on record that a folder is in, or was in before it was deleted, with its slot."""
    inside = os.path.join(os.path.realpath(folder), "")  # noqa: PTH118 - paths are text here
    for tops in _read(state_directory() / NAME).values():
        for top, slot in tops.items():
            if inside.startswith(os.path.join(top, "")):  # noqa: PTH118
                return top, slot
    return None


def give_up(top: str) -> None:
    """Take a worktree off the record: its next start gives it the lowest free slot."""
    path = state_directory() / NAME
    with FileLock(path.with_suffix(".lock")):
        slots = {
            repository: {each: slot for each, slot in tops.items() if each != top}
            for repository, tops in _read(path).items()
        }
        kept = {repository: tops for repository, tops in slots.items() if tops}
        write_atomically(path, json.dumps({"version": 1, "slots": kept}) + "\n", mode=0o600)


def next_slot(taken: Mapping[str, int]) -> int:
    """Return the lowest slot that no worktree of a repository has."""
    numbers = set(taken.values())
    return next(slot for slot in range(1, len(numbers) + 2) if slot not in numbers)


def present(slots: Slots) -> Slots:
    """Return the slots without those of worktrees that were removed."""
    remaining = {
        repository: {top: slot for top, slot in tops.items() if os.path.lexists(os.path.join(top, ".git"))}  # noqa: PTH118
        for repository, tops in slots.items()
    }
    return {repository: tops for repository, tops in remaining.items() if tops}


def in_slot(project: Project, slot: int) -> Project:
    """Return a project as its checkout prefers it."""
    if slot == 0:
        return project
    services = {name: _shifted(service, slot) for name, service in project.services.items()}
    return replace(project, services=services)


def _shifted(service: Service, slot: int) -> Service:
    return replace(
        service,
        port=request_in_slot(service.port, slot) if service.port else None,
        extra_ports=tuple(request_in_slot(each, slot) for each in service.extra_ports),
    )


def request_in_slot(request: PortRequest, slot: int) -> PortRequest:
    """Return what a service asks for in a slot: within its range, beginning again where that ends.

    A fixed port stays: its number stands in code, and only one checkout at a time can have it.
    """
    if request.strict:
        return request
    size = request.last - request.first + 1
    offset = (request.preferred - request.first + STEP * slot) % size
    return replace(request, preferred=request.first + offset)


def _read(path: Path) -> Slots:
    text = read_text(path)
    if text is None:
        return {}
    try:
        return _checked(json.loads(text))
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError) as error:
        raise StateFileError(
            f"{path} cannot be read: {error}",
            hint="move it away and run the command again: worktrees get new slots, "
            "and keep the ports that their .ports.json remembers",
        ) from error


def _checked(document: Any) -> Slots:
    """Return what the file holds. Any: as it was parsed; whatever does not fit raises."""
    return {
        str(repository): {str(top): int(slot) for top, slot in tops.items()}
        for repository, tops in document["slots"].items()
    }

"""Ports by worktree: each linked git worktree has a slot, and prefers ports that are 10 times its slot higher.

The main checkout has slot 0, so a project with a single checkout is not affected. The slots of worktrees are
stored for the whole machine: a worktree keeps its ports while it exists, however many others come and go.
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
"""The distance between the ports of one worktree and the next."""
NAME = "worktrees.json"

Slots: TypeAlias = dict[str, dict[str, int]]
"""Main checkout → linked worktree → slot; the folders are results of `os.path.realpath`."""


def slot_of(folder: str | os.PathLike[str]) -> int:
    """Return the slot of a folder's checkout, and assign one if needed; 0 if it is not a linked worktree."""
    worktree = worktree_of(folder)
    if worktree is None or not worktree.linked:
        return 0
    # Linked worktrees of bare repositories have no main checkout, so they share one row.
    repository, top = worktree.main_top or "", worktree.top
    path = state_directory() / NAME
    # The file is replaced as a whole, so reading it for a worktree with a slot needs no lock.
    if (known := _read(path).get(repository, {}).get(top)) is not None:
        return known
    with FileLock(path.with_suffix(".lock")):
        slots = present(_read(path))
        slot = slots.setdefault(repository, {}).setdefault(top, next_slot(slots[repository]))
        write_atomically(path, json.dumps({"version": 1, "slots": slots}) + "\n", mode=0o600)
    return slot


def slotted(folder: str | os.PathLike[str]) -> tuple[str, int] | None:
    """Return the recorded linked worktree that contains a folder, or did before its deletion, with its slot."""
    inside = os.path.join(os.path.realpath(folder), "")  # noqa: PTH118 - paths are text here
    for tops in _read(state_directory() / NAME).values():
        for top, slot in tops.items():
            if inside.startswith(os.path.join(top, "")):  # noqa: PTH118
                return top, slot
    return None


def give_up(top: str) -> None:
    """Remove a worktree from the record: its next start gets the lowest free slot."""
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
    """Return the slots without those of removed worktrees."""
    remaining = {
        repository: {top: slot for top, slot in tops.items() if os.path.lexists(os.path.join(top, ".git"))}  # noqa: PTH118
        for repository, tops in slots.items()
    }
    return {repository: tops for repository, tops in remaining.items() if tops}


def in_slot(project: Project, slot: int) -> Project:
    """Return a project with the ports that its checkout prefers."""
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
    """Return the port request of a service in a slot: it stays within its range, wrapping around at the end.

    A fixed port stays: its number is in code, and only one checkout at a time can have it.
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
    """Return the content of the file. Any: as it was parsed; an unsuitable value raises an error."""
    return {
        str(repository): {str(top): int(slot) for top, slot in tops.items()}
        for repository, tops in document["slots"].items()
    }

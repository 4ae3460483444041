"""A taken port in words and as a question: pure, from what was found out about it.

The full verdict (strays, containers, supervisors) will replace `describe`.
"""

from __future__ import annotations

import os
import shlex
from typing import TypeAlias

from msgspec.structs import replace

from devinit.model.port import Conflict, LeaseOwner, ResolutionKind, VerdictKind
from devinit.ports.hold import Refusal
from devinit.ports.holder import Holding
from devinit.ports.leases import Taken

Obstruction: TypeAlias = Taken | Refusal
"""Why a port could not be taken: its lease, or the kernel."""


class ConflictsFound(Exception):
    """Questions for a person: every taken port that the policy does not answer. Nothing was taken."""

    def __init__(self, conflicts: tuple[Conflict, ...]) -> None:
        super().__init__("; ".join(f"{each.service}: port {each.port} is taken" for each in conflicts))
        self.conflicts = conflicts


def brief(obstruction: Obstruction, root: str, found: Holding | None = None) -> str:
    """Say why a port cannot be had, to follow "is": "leased by backend of shop (/home/me/shop)"."""
    match obstruction:
        case Taken(owner=None):
            return "leased by a devinit project that cannot be told"
        case Taken(owner=LeaseOwner() as owner, live=True, taken_over=taken_over):
            return f"leased by {_whose(owner, root)}{', which took it over' if taken_over else ''}"
        case Taken(owner=LeaseOwner() as owner, taken_over=taken_over):
            taken = "took it over and " if taken_over else ""
            return f"reserved for {_whose(owner, root)}, which {taken}is stopped"
        case Refusal.FORBIDDEN:
            return "refused by the kernel to this user"
    return found.reason if found else "taken"


def describe(service: str, port: int, obstruction: Obstruction, found: Holding, root: str) -> Conflict:
    """Return the conflict of a service with whatever has the port it wished for."""
    owner: LeaseOwner | None = None
    kind = VerdictKind.STRANGER if found.listeners else VerdictKind.BOUND
    killable, advice = found.killable, found.protection
    match obstruction:
        case Taken(owner=owner, live=live):
            orphan = live and _is_orphan(owner, service, root)
            kind = _kind_of_lease(owner, root, live=live, orphan=orphan)
            killable = killable and orphan
            advice = advice if orphan and found.holders else _leased(owner, root, live=live)
        case Refusal.FORBIDDEN:
            kind, killable = VerdictKind.FORBIDDEN, False
            advice = "ports below 1024 usually need root: choose a higher one"
    return Conflict(
        service=service,
        port=port,
        kind=kind,
        summary=brief(obstruction, root, found),
        holders=found.holders,
        listeners=found.listeners,
        owner=owner,
        killable=killable,
        advice=advice,
    )


def with_choices(conflict: Conflict, *, move_to: int | None, problem: str = "") -> Conflict:
    """Return a conflict with what can be answered, the safe default first."""
    killable = conflict.killable and not problem
    choices = [ResolutionKind.RETRY, ResolutionKind.ABORT]
    if conflict.kind is VerdictKind.RESERVED and not problem:
        choices.insert(0, ResolutionKind.TAKE)
    if killable:
        choices.insert(0, ResolutionKind.KILL)
    if move_to is not None:
        choices.insert(0, ResolutionKind.MOVE)
    default = choices[0] if move_to is not None else ResolutionKind.ABORT
    return replace(
        conflict,
        move_to=move_to,
        killable=killable,
        problem=problem,
        choices=tuple(choices),
        default=default,
    )


def _kind_of_lease(owner: LeaseOwner | None, root: str, *, live: bool, orphan: bool) -> VerdictKind:
    if not live:
        return VerdictKind.RESERVED
    if orphan:
        return VerdictKind.ORPHAN
    return VerdictKind.OURS if owner is not None and owner.root == root else VerdictKind.NEIGHBOUR


def _is_orphan(owner: LeaseOwner | None, service: str, root: str) -> bool:
    """Tell whether it is an earlier run of the same service: only that is ours to end.

    A sibling may be supervised, and what this very process leased runs under it.
    """
    return owner is not None and (owner.root, owner.service) == (root, service) and owner.pid != os.getpid()


def _leased(owner: LeaseOwner | None, root: str, *, live: bool) -> str:
    if owner is None:
        return "a devinit service runs on it: `devinit status --all` lists the projects"
    if owner.root == root:
        return (
            f"{owner.service} of this project runs on it: `devinit stop {shlex.quote(owner.service)}` ends it"
        )
    there = f"devinit -C {shlex.quote(owner.root)}"
    if live:
        return f"{owner.service} of {owner.project} runs on it: `{there} stop {owner.service}` ends it"
    return (
        f"{owner.project} is stopped and will want it again: "
        f"`{there} ports reset {owner.service}` gives it up"
    )


def _whose(owner: LeaseOwner, root: str) -> str:
    if owner.root == root:
        return f"{owner.service} of this project"
    return f"{owner.service} of {owner.project} ({owner.root})"

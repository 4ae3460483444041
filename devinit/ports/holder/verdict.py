"""The verdict on a taken port: the kind of its holder, whether it may be ended, and advice otherwise. Pure.

A process may be ended by default only with proof: devinit started it for this checkout, it works in
that checkout, it belongs to this user, and devinit does not run inside it. Any other process is left
alone unless the user agrees.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from typing import TypeAlias

from devinit.model.names import service_of
from devinit.model.port import LeaseOwner, PortReport, UseState, VerdictKind
from devinit.ports.hold import Refusal
from devinit.ports.holder.barriers import Barrier, managed_by
from devinit.ports.holder.naming import named
from devinit.ports.holder.pm2 import Application
from devinit.ports.holder.port_use import PortHolders, works_in
from devinit.ports.leases import Taken

Obstruction: TypeAlias = Taken | Refusal | Application
"""Why a port could not be taken: a lease, the kernel, or an application of PM2 to which it is assigned."""

FORBIDDEN = (
    "the kernel allows ports from `sysctl net.ipv4.ip_unprivileged_port_start` on: choose a higher one"
)
_HOLDS_A_LEASE = frozenset({VerdictKind.OURS, VerdictKind.ORPHAN, VerdictKind.PROGRAM, VerdictKind.NEIGHBOUR})


def judge(
    found: PortHolders,
    obstruction: Obstruction,
    *,
    root: str,
    looked_after: bool = True,
    started: Collection[int] = (),
) -> PortReport:
    """Judge a taken port, for the checkout at `root` (empty: for none).

    `looked_after`: for a live lease of this checkout, whether a supervisor has the service. `started`: pids of
    processes that devinit has started for it.
    """
    owner = obstruction.owner if isinstance(obstruction, Taken) else None
    verdict = _judge(found, obstruction, root, started, looked_after=looked_after)
    return PortReport(
        port=found.port,
        kind=verdict.kind,
        summary=_summary(found, obstruction, root, verdict.kind),
        holders=found.holders or found.users,
        listeners=found.listeners,
        clients=found.clients,
        container=found.container,
        owner=owner,
        killable=bool(found.holders) and not verdict.advice,
        advice=verdict.advice,
    )


def _summary(found: PortHolders, obstruction: Obstruction, root: str, kind: VerdictKind) -> str:
    """Return who has a port; the holder comes first if it is not the service with the lease."""
    text = brief(obstruction, root, found)
    leased = isinstance(obstruction, Taken) and obstruction.live
    return (
        f"{found.reason}, and still {text}"
        if leased and found.holders and kind not in _HOLDS_A_LEASE
        else text
    )


def brief(obstruction: Obstruction, root: str, found: PortHolders | None = None) -> str:
    """Return who has a port, worded to follow "is": "leased by backend of shop (/home/me/shop)"."""
    match obstruction:
        case Taken(owner=None):
            return "leased by a devinit project that cannot be told"
        case Taken(owner=LeaseOwner(by_program=True) as owner, live=True):
            return f"leased by a program of yours, as {_whose(owner, root)}"
        case Taken(owner=LeaseOwner() as owner, live=True, taken_over=taken_over):
            took = ", which took it over while this project did not use it" if taken_over else ""
            return f"leased by {_whose(owner, root)}{took}"
        case Taken(owner=LeaseOwner() as owner, taken_over=taken_over, down=down):
            if found is not None and (found.listeners or found.users):
                return f"{found.reason}, and reserved for {_whose(owner, root)}"
            took = "took it over and " if taken_over else ""
            return f"reserved for {_whose(owner, root)}, which {took}{_not_running(down=down)}"
        case Application(name=name):
            if found is not None and (found.listeners or found.users):
                return found.reason
            return f"assigned to {name} in PM2, which is stopped"
        case Refusal.FORBIDDEN:
            return "refused by the kernel to this user"
    return found.reason if found else "taken"


def _judge(
    found: PortHolders, obstruction: Obstruction, root: str, started: Collection[int], *, looked_after: bool
) -> Barrier:
    """Return the kind and, unless the holders may be ended, the advice."""
    match obstruction:
        case Refusal.FORBIDDEN:
            return Barrier(VerdictKind.FORBIDDEN, FORBIDDEN)
        case Taken(owner=LeaseOwner(by_program=True) as owner, live=True):
            return _program(found, owner, root)
        case Taken(owner=owner, live=True):
            if owner is None or owner.root != root:
                return Barrier(VerdictKind.NEIGHBOUR, _leased(owner, root, found))
            if looked_after:
                return Barrier(VerdictKind.OURS, _leased(owner, root, found))
            return _orphan(found, owner, root, started)
        case Taken(owner=LeaseOwner() as owner, down=down):
            reserved = _reserved(owner, root, down=down)
            if _is_unused(found):
                return Barrier(VerdictKind.RESERVED, reserved)
            verdict = _holder(found, root)
            return Barrier(verdict.kind, verdict.advice or reserved)
        case Application() as application:
            name, command = application.name, application.delete_command
            advice = f"PM2 starts {name} on it: `{command}`, and `pm2 save`, gives it up"
            if _is_unused(found):
                return Barrier(VerdictKind.ASSIGNED, advice)
            verdict = _holder(found, root)
            return Barrier(verdict.kind, verdict.advice or advice)
    return _holder(found, root)


def _is_unused(found: PortHolders) -> bool:
    # A closed connection does not keep a process from listening there.
    return not found.listeners and (found.use is None or found.use.state is UseState.CLOSED)


def _orphan(found: PortHolders, owner: LeaseOwner, root: str, started: Collection[int]) -> Barrier:
    """Judge the holders of a port that an earlier run of this checkout's service still has leased.

    The listening process may be another one than the run left behind, such as the user's own server.
    """
    if not found.holders:
        return found.barrier or Barrier(VerdictKind.ORPHAN, _leased(owner, root, found))
    if found.barrier:
        return found.barrier
    if outside := next((each for each in found.holders if not works_in(each, root)), None):
        advice = (
            f"{named(outside)} does not work inside {root}, so nothing proves that it is {owner.service}: "
            f"`devinit stop {shlex.quote(owner.service)}` ends what is"
        )
        return Barrier(VerdictKind.STRANGER, advice)
    if all(each.identity.pid in started for each in found.holders):
        return Barrier(VerdictKind.ORPHAN, "")
    return managed_by(found.manager) if found.manager else Barrier(VerdictKind.STRAY, "")


def _program(found: PortHolders, owner: LeaseOwner, root: str) -> Barrier:
    """Judge a port that a program has leased for itself: it is ended only if the user agrees."""
    if owner.root != root or not found.holders:
        what = "runs on it" if found.listeners else "has it without listening"
        whose = "" if owner.root == root else f" of {owner.project} ({owner.root})"
        return Barrier(
            VerdictKind.PROGRAM,
            f"a program{whose} {what}, which devinit did not start: end it by hand, or choose another port",
        )
    return found.barrier or (managed_by(found.manager) if found.manager else Barrier(VerdictKind.PROGRAM, ""))


def _holder(found: PortHolders, root: str) -> Barrier:
    """Judge a port by its holders alone."""
    if not found.listeners:
        return _without_listener(found)
    if found.barrier:
        return found.barrier
    if not found.holders:
        return Barrier(VerdictKind.STRANGER, "its holder has gone: try again")
    if found.manager:
        return managed_by(found.manager)
    ours = all(works_in(each, root) for each in found.holders)
    return Barrier(VerdictKind.STRAY if ours else VerdictKind.STRANGER, "")


def _without_listener(found: PortHolders) -> Barrier:
    use = found.use
    if use is None:
        return Barrier(VerdictKind.BOUND, "no visible process has it: try again, or choose another port")
    if use.state is UseState.CLOSED:
        return Barrier(VerdictKind.CONNECTION, "the kernel lets go of it within a minute: try again")
    kind = VerdictKind.BOUND if use.state is UseState.BOUND else VerdictKind.CONNECTION
    whose = "that process" if use.processes else f"a process of user {use.user}"
    what = "it until it ends" if kind is VerdictKind.BOUND else "it as long as its connection lasts"
    return Barrier(kind, f"{whose} has {what}: wait for it, or choose another port")


def _leased(owner: LeaseOwner | None, root: str, found: PortHolders) -> str:
    """Return advice about a live lease; its service may be starting, or another process may listen instead."""
    listens = bool(found.listeners)
    if owner is None:
        what = "runs on it" if listens else "has it and does not listen on it now"
        return f"a devinit service {what}: `devinit status --all` lists the projects"
    service, does = (
        shlex.quote(service_of(owner.service)),
        "runs on it" if listens else "has it without listening",
    )
    if owner.root == root:
        return f"{owner.service} of this project {does}: `devinit stop {service}` ends it"
    there = shlex.quote(owner.root)
    return f"{owner.service} of {owner.project} {does}: `devinit -C {there} stop {service}` ends it"


def _reserved(owner: LeaseOwner, root: str, *, down: bool) -> str:
    there, project = f" -C {shlex.quote(owner.root)}", owner.project
    if owner.root == root:
        there, project = "", "this project"
    # What programs keep on record are the ports of compose: see `cli.composed`.
    command = "compose -- down" if owner.by_program else f"ports reset {shlex.quote(owner.service)}"
    return (
        f"{owner.service} of {project} {_not_running(down=down)} and will want it again: "
        f"`devinit{there} {command}` gives it up"
    )


def _not_running(*, down: bool) -> str:
    """Return in words that a service does not run while its project does (`down`), or is stopped."""
    return "does not run now" if down else "is stopped"


def _whose(owner: LeaseOwner, root: str) -> str:
    if owner.root == root:
        return f"{owner.service} of this project"
    return f"{owner.service} of {owner.project} ({owner.root})"

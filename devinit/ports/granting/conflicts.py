"""A conflict about a taken port as a question: the possible answers, and the harmless default. Pure."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import asdict

from devinit.model.port import Conflict, PortReport, ResolutionKind, VerdictKind


class ConflictsFound(Exception):
    """Questions for the user: the taken ports for which the policy has no answer. No port was taken."""

    def __init__(self, conflicts: tuple[Conflict, ...]) -> None:
        super().__init__("; ".join(f"{each.service}: port {each.port} is taken" for each in conflicts))
        self.conflicts = conflicts


def conflict_of(
    service: str,
    report: PortReport,
    *,
    move_to: int | None,
    used_up: str = "",
    reusable: bool = False,
    reuse: str = "",
    problem: str = "",
    failed: Collection[ResolutionKind] = (),
) -> Conflict:
    """Return the question that a service has about a port, with its possible answers.

    `move_to` is None for a service that must not move, and a last resort when the range is `used_up`. `failed`
    contains answers that could not be carried out and are not offered again; `problem` is the reason.
    """
    possible = {
        ResolutionKind.MOVE: move_to is not None,
        ResolutionKind.REUSE: reusable,
        ResolutionKind.KILL: report.killable,
        ResolutionKind.TAKE: report.kind is VerdictKind.RESERVED,
        ResolutionKind.RETRY: True,
        ResolutionKind.ABORT: True,
    }
    choices = [kind for kind, can in possible.items() if can and kind not in failed]
    default = _default(report, choices)
    return Conflict(
        **asdict(report),
        service=service,
        move_to=move_to,
        used_up=used_up,
        choices=(default, *(kind for kind in choices if kind is not default)),
        default=default,
        reuse=reuse,
        problem=problem,
    )


def _default(report: PortReport, choices: Collection[ResolutionKind]) -> ResolutionKind:
    """Return the preselected answer, which never ends a process that devinit did not start."""
    # A database that accepts the project's login may contain its data: moving away from it loses nothing.
    needless = report.kind is VerdictKind.ORPHAN and ResolutionKind.REUSE not in choices
    if needless and ResolutionKind.KILL in choices:
        return ResolutionKind.KILL
    return ResolutionKind.MOVE if ResolutionKind.MOVE in choices else ResolutionKind.ABORT

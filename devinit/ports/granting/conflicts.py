"""A taken port as a question: what can be answered, and which answer does no harm. Pure."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import asdict

from devinit.model.port import Conflict, PortReport, ResolutionKind, VerdictKind


class ConflictsFound(Exception):
    """Questions for a person: every taken port that the policy does not answer. Nothing was taken."""

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
    """Return the question that a service has about a port, with what can be answered.

    `move_to` is None for a service that must not move, and a last resort when the range is `used_up`; `failed` are
    answers that could not be carried
    out, which are not offered again, and `problem` says why.
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
    """Return the preselected answer: it ends no process that devinit has not started."""
    # A database that lets the project in may have its data: moving away from it loses nothing.
    needless = report.kind is VerdictKind.ORPHAN and ResolutionKind.REUSE not in choices
    if needless and ResolutionKind.KILL in choices:
        return ResolutionKind.KILL
    return ResolutionKind.MOVE if ResolutionKind.MOVE in choices else ResolutionKind.ABORT

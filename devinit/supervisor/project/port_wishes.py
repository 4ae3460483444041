"""How a caller wants ports, and the question that it gets when it has to decide."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from devinit.errors import PortConflict
from devinit.model.port import Conflict, ConflictPolicy, PortRequest, Resolution
from devinit.ports.granting.grants import ConflictsFound


class PortQuestion(PortConflict):
    """Ports are taken and the user has to decide: the facts travel with the error, answers come back."""

    def __init__(self, found: ConflictsFound) -> None:
        super().__init__(
            str(found), hint="answer it at a terminal, or choose --on-conflict kill, move, reuse or fail"
        )
        self.conflicts: tuple[Conflict, ...] = found.conflicts


class PortWishes(Struct, frozen=True, kw_only=True):
    """How a caller wants ports."""

    environ: dict[str, str]
    policy: ConflictPolicy = ConflictPolicy.MOVE
    can_answer: bool = False
    """A user is there to be asked; otherwise a service whose policy is to ask moves."""
    resolutions: tuple[Resolution, ...] = ()
    protected: tuple[int, ...] = ()
    """Pids that are never ended, nor are their ancestors."""
    used: dict[str, int] = field(default_factory=dict)
    """Services that are restarted, and the ports on which they used a server that devinit does not run: they use
    it again if it still lets them in."""


def without_questions(request: PortRequest) -> PortRequest:
    """Return a request that moves where it would have asked."""
    if request.policy is ConflictPolicy.ASK:
        return replace(request, policy=ConflictPolicy.MOVE)
    return request

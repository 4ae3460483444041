"""The caller's rules for ports."""

from __future__ import annotations

from collections.abc import Container

from msgspec import Struct, field
from msgspec.structs import replace

from devinit.model.port import ConflictPolicy, GrantedPort, PortRequest, Resolution
from devinit.ports.granting.overrides import Overrides


class PortWishes(Struct, frozen=True, kw_only=True):
    """The caller's rules for ports: environment, conflict policy, answers, protected processes."""

    environ: dict[str, str]
    policy: ConflictPolicy = ConflictPolicy.MOVE
    can_answer: bool = False
    """Whether a user can be asked; otherwise a service whose policy is to ask moves."""
    resolutions: tuple[Resolution, ...] = ()
    protected: tuple[int, ...] = ()
    """Pids that are never ended, and neither are their ancestors."""
    used: dict[str, int] = field(default_factory=dict)
    """Service that is restarted → port of a server not run by devinit that it used. It uses that server again
    if it is still let in.
    """


def without_questions(request: PortRequest) -> PortRequest:
    """Return the request with a move in place of a question."""
    if request.policy is ConflictPolicy.ASK:
        return replace(request, policy=ConflictPolicy.MOVE)
    return request


def is_for_now(granted: GrantedPort, asked_running: Container[str], stated: Overrides) -> bool:
    """Return whether a service got its port for this start only.

    `asked_running`: services for which a running server was asked whether they may use it.
    """
    if granted.uses:
        return False
    # It moved only because the server there did not let it in; it may do so the next time.
    if granted.service in asked_running:
        return True
    override = stated.ports.get(granted.service)
    return stated.skip_discovery or (override is not None and override.port == granted.port)


def is_refused(granted: GrantedPort | None, request: PortRequest, remembered: int | None) -> bool:
    """Return whether a service with a port for this start only would ask for the one that it moved away from.

    The server there did not let it in, so the service keeps its own port until it is stopped.
    """
    return granted is not None and granted.moved_from == request.expected(remembered)

"""Find the port on which a service listens instead of its own."""

from __future__ import annotations

from devinit.ports import verify
from devinit.supervisor.readiness.subject import Subject
from devinit.system.listeners import ephemeral_range

_RANDOM_PATIENCE = 15


def other_port(subject: Subject, port: int) -> int | None:
    """Return the other port on which the service listens, if there is exactly one."""
    if subject.published is not None:
        return None
    match verify.ownership(port, subject.pids(), expected=subject.extra_ports):
        case verify.Elsewhere((only,)):
            return only
    return None


def patience_with(port: int) -> int:
    """Return the factor for the time until another port counts as the service's choice.

    A port that the kernel assigned usually belongs to a reloader or debugger, which opens it before the main port.
    """
    return _RANDOM_PATIENCE if port in ephemeral_range() else 1

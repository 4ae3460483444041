"""Find the port that a service listens on in place of its own."""

from __future__ import annotations

from devinit.ports import verify
from devinit.supervisor.readiness.subject import Subject
from devinit.system.listeners import ephemeral_range

_RANDOM_PATIENCE = 15


def other_port(subject: Subject, port: int) -> int | None:
    """Return the one other port that the service listens on, if there is exactly one."""
    if subject.published is not None:
        return None
    match verify.ownership(port, subject.pids(), expected=subject.extra_ports):
        case verify.Elsewhere((only,)):
            return only
    return None


def patience_with(port: int) -> int:
    """Return how many times as long as usual a service may listen only on a port until it counts as chosen.

    A port that the kernel assigned is most often that of a reloader or debugger, opened before the main one.
    """
    return _RANDOM_PATIENCE if port in ephemeral_range() else 1

"""The result of a stop in a supervisor's answer: no command reports a running service as stopped."""

from __future__ import annotations

from devinit.errors import ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinit.model.status import StopReport

SHOWN = 5
"""How many services, and how many pids of each, an error names."""


def remaining_of(answer: StopReport) -> dict[str, list[int]]:
    """Return the services that did not end, with the remaining pids; missing in answers before 0.2."""
    found: dict[str, list[int]] = answer.get("remaining", {})
    return found


def refuse_remaining(answer: StopReport) -> None:
    """Raise ServiceError if any process of the services still runs."""
    if (error := still_running(answer)) is not None:
        raise error


def still_running(answer: StopReport) -> ServiceError | None:
    """Return the error about processes that still run; None if all have ended."""
    if not (remaining := remaining_of(answer)):
        return None
    return ServiceError(
        f"still running: {_named(remaining)}",
        hint="`devinit stop` tries again; a database that saves its data is waited for, and what KILL does "
        "not end waits for the kernel (a disk that is gone?)",
    )


def _named(remaining: Mapping[str, Sequence[int]]) -> str:
    names = [f"{name} (pid {_listed(pids)})" for name, pids in list(remaining.items())[:SHOWN]]
    more = len(remaining) - SHOWN
    return ", ".join([*names, f"{more} more services"] if more > 0 else names)


def _listed(pids: Sequence[int]) -> str:
    return ", ".join(map(str, pids[:SHOWN])) + (" …" if len(pids) > SHOWN else "")

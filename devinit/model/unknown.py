"""The error about the name of a service that does not exist."""

from __future__ import annotations

from devinit.errors import UsageError
from devinit.text import listed, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def unknown_service(name: str, known: Iterable[str], project: str) -> UsageError:
    """Return the error for a service that a project does not have, with the probable correct name."""
    return UsageError(
        f"there is no service {name!r} in {project}", hint=those_there_are(name, known, "services")
    )


def those_there_are(name: str, known: Iterable[str], what: str) -> str:
    """Return the known names as a hint; if one is similar, it comes first."""
    names = list(known)
    near, every = nearest(name, names), f"{what}: {listed(names) or 'none'}"
    return f"did you mean {near}? {every}" if near else every

"""The error about a name that no service has."""

from __future__ import annotations

from devinit.errors import UsageError
from devinit.text import listed, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def unknown_service(name: str, known: Iterable[str], project: str) -> UsageError:
    """Return the error for a service that a project does not have, with the one that was probably meant."""
    return UsageError(
        f"there is no service {name!r} in {project}", hint=those_there_are(name, known, "services")
    )


def those_there_are(name: str, known: Iterable[str], what: str) -> str:
    """Return the names that could have been meant, the most probable one first if there is one."""
    names = list(known)
    near, every = nearest(name, names), f"{what}: {listed(names) or 'none'}"
    return f"did you mean {near}? {every}" if near else every

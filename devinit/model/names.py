"""What somebody calls a service, when there is none of that name."""

from __future__ import annotations

from devinit.errors import UsageError
from devinit.text import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def unknown_service(name: str, known: Iterable[str], project: str) -> UsageError:
    """Return the error for a service that a project does not have, with the one that was probably meant."""
    names = list(known)
    near, services = nearest(name, names), f"services: {', '.join(names) or 'none'}"
    hint = f"did you mean {near}? {services}" if near else services
    return UsageError(f"there is no service {name!r} in {project}", hint=hint)

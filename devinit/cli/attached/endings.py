"""Messages for an attachment that ends because its service does."""

from __future__ import annotations

from devinit.cli.output import talk
from devinit.errors import ServiceError


def how_it_ended(service: str, phase: str, reason: str) -> int:
    """Report how a service ended. Raise ServiceError if it failed."""
    if phase == "failed":
        raise ServiceError(
            f"{service} has failed" + (f": {reason}" if reason else ""),
            hint=f"`devinit why {service}` shows more",
        )
    talk(f"{service} has been stopped" if phase == "stopped" else f"{service} has ended")
    return 0

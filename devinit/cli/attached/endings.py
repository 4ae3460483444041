"""How an attachment ends with its service, in words."""

from __future__ import annotations

from devinit.cli.output import talk
from devinit.errors import ServiceError


def how_it_ended(service: str, phase: str, reason: str) -> int:
    """Say how a service has ended. Raise ServiceError when it has failed."""
    if phase == "failed":
        raise ServiceError(
            f"{service} has failed" + (f": {reason}" if reason else ""),
            hint=f"`devinit why {service}` shows more",
        )
    talk(f"{service} has been stopped" if phase == "stopped" else f"{service} has ended")
    return 0

"""`devinit attach` for a service with a terminal: the caller's terminal shows it until a key detaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.cli.attached.endings import how_it_ended
from devinit.cli.attached.held import Held, Left
from devinit.cli.output import talk
from devinit.errors import Terminated

if TYPE_CHECKING:
    from pathlib import Path

    from devinit.cli.attached.detach_keys import DetachKeys


def lend(
    root: Path, service: str, keys: DetachKeys, lines: int | None, address: str | None, *, also: str = ""
) -> int:
    """Lend the caller's terminal to a service; return the exit code.

    `lines`: the number of earlier lines to show; `address`: the socket of the service's terminal, if it exists
    yet; `also`: text for the message that the service keeps running. Raise ServiceError when the service fails
    meanwhile, Terminated for SIGTERM and SIGHUP.
    """
    talk(f"attached to the terminal of {service}; {keys.words} detaches and leaves it running")
    held = Held(root, service, keys, lines)
    match held.until_left(address):
        case Left.DETACHED:
            talk(f"detached: {service} keeps running{also}")
            return 0
        case Left.TERMINATED:
            raise Terminated("terminated")
        case Left.ENDED:
            return ended(held)


def ended(held: Held) -> int:
    """Report how the service ended. Raise ServiceError if it failed."""
    service = held.service
    if held.phase == "gone":
        talk(f"{service} has ended; `devinit start {service}` starts it again")
        return 0
    return how_it_ended(service, held.phase, held.reason)

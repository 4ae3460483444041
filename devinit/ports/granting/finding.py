"""The search for the next free, unreserved port, for a caller that is not a service."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from devinit.errors import PortsExhausted
from devinit.model.port import HIGHEST_PORT, Passed, PortRequest
from devinit.ports.granting.avoid import reason_to_avoid
from devinit.ports.hold import Refusal, refusal_of
from devinit.system.listeners import ephemeral_range


class FreePort(NamedTuple):
    """A port that was free a moment ago."""

    port: int
    passed: tuple[Passed, ...]
    """The ports before it, with the reasons why they were passed over."""


def find_free(first: int, kept: Mapping[int, str]) -> FreePort:
    """Return the first free port from `first` on; `kept` maps ports that are not offered to the reasons.

    Nothing reserves the port afterwards: that needs a declared service. Raise PortsExhausted.
    """
    request = PortRequest(service="", preferred=first, first=first, last=HIGHEST_PORT, browser=True)
    avoided = partial(reason_to_avoid, request, ephemeral=ephemeral_range(), macos=sys.platform == "darwin")
    passed: list[Passed] = []
    for port in range(first, HIGHEST_PORT + 1):
        reason = kept.get(port) or avoided(port) or _refusal(port)
        if reason is None:
            return FreePort(port, tuple(passed))
        passed.append(Passed(port, reason))
    raise PortsExhausted(f"no free port in {first}-{HIGHEST_PORT}", hint="begin with a lower number")


def _refusal(port: int) -> str | None:
    """Return why a port is unavailable, in words; None if it is available."""
    match refusal_of(port):
        case Refusal.TAKEN:
            return "in use"
        case Refusal.FORBIDDEN:
            return "reserved for privileged programs"
    return None

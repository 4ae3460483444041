"""Present state of the holders that kept a service from its port: `why` reports whether they are still there."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from devinit.model.port import GrantedPort, PortReport
from devinit.model.status import Phase
from devinit.supervisor.lifecycle import Failure, LifecycleState

_PORT = re.compile(r"(?<![\d.])\d{4,5}(?![\d.])")


class PortReasons(Struct, frozen=True, kw_only=True):
    """The port-related reasons why a service has another port than the preferred one, and why it has failed."""

    moved: str | None = None
    failed: str | None = None
    """None: the reason in its state still holds."""


def reasons_now(
    name: str, state: LifecycleState, granted: GrantedPort | None, who: Callable[[int], PortReport | None]
) -> PortReasons:
    """Return both reasons as of now.

    `who` looks a port up in the kernel and returns None if the port is free.
    """
    return PortReasons(moved=_moved(name, granted, who), failed=_failed(name, state, who))


def _moved(name: str, granted: GrantedPort | None, who: Callable[[int], PortReport | None]) -> str | None:
    if granted is None:
        return None
    left = granted.moved_from
    if left is None or granted.kind is None:
        # No other program kept the service from its port.
        return granted.reason or None
    used_up = f"{granted.used_up} was used up: " if granted.used_up else ""
    if (found := who(left)) is not None:
        return f"{used_up}{left} is {found.summary}"
    before = next((each.reason for each in granted.passed if each.port == left), "taken")
    return (
        f"{used_up}{left} was {before}\n{left} is free now: "
        f"`devinit ports reset {name}` and `devinit restart {name}` return to it"
    )


def _failed(name: str, state: LifecycleState, who: Callable[[int], PortReport | None]) -> str | None:
    reason = state.reason or ""
    named = _PORT.search(reason)
    if state.phase is not Phase.FAILED or state.failure is not Failure.PORT or named is None:
        return None
    if who(int(named[0])) is not None:
        return None
    was = reason.replace(" is held by ", " was held by ", 1)
    return f"{was}\nport {named[0]} is free now: `devinit start {name}` tries again"

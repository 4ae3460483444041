"""The keys that apply to a service in its current state, and the reasons why others do not. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.dashboard.state import ALIVE, BUSY
from devinit.model.phases import AT_REST
from devinit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from devinit.dashboard.state import Stack, View

RUNS = ALIVE - BUSY
ON_THE_WAY = {
    "starting": ("is being started", "are being started"),
    "waiting": ("waits to be started", "wait to be started"),
    "backoff": ("waits to be started again", "wait to be started again"),
    "stopping": ("is being stopped", "are being stopped"),
}
"""Texts for phases in which services neither run nor rest: for one service, and for several."""
REVERSED_BY = {"start": ("stop",), "stop": ("start", "restart"), "restart": ("stop", "start")}
"""For each action, the pending orders after which it applies, whatever the displayed phase."""


def called_for(view: View | None) -> dict[str, int]:
    """Return the actions that a service's current state calls for, with their ranks in the footer."""
    found: dict[str, int] = {}
    if view is None:
        return found
    if view.prompt:
        found["attach"] = 3
    if view.phase == "waiting":
        found["go_to_blocker"] = 3
    if view.phase in ("failed", "unhealthy", "backoff"):
        found |= {"details": 3, "next_error": 5}
    if view.changed:
        found["restart_changed"] = 5
    return found


def refusal(action: str, view: View | None, ordered: str = "") -> str:
    """Return why an action does not apply to a service; "" if it does.

    `ordered`: its last unanswered order, which the displayed phase does not reflect yet.
    """
    if view is None:
        return "there is no service"
    if ordered in REVERSED_BY.get(action, ()):
        return ""
    name, phase = one_line(view.name), view.phase
    match action:
        case "start" if phase in RUNS:
            return f"{name} runs already"
        case "start" if phase not in AT_REST:
            return f"{name} {ON_THE_WAY[phase][0]}"
        case "stop" if phase in AT_REST:
            return f"{name} does not run"
        case "restart" | "attach" if phase in AT_REST:
            return f"{name} does not run: s starts it"
        case "restart" if phase not in ALIVE:
            return f"{name} {ON_THE_WAY[phase][0]}"
        case "open_url" | "copy_url" if not view.url:
            return f"{name} has no URL"
        case "open_url" if not (view.url or "").startswith("http"):
            return f"{name} has no page: u copies its URL"
        case "open_url" if phase in AT_REST:
            return f"{name} does not run: s starts it"
        case "open_url" if phase not in ALIVE:
            return f"{name} {ON_THE_WAY[phase][0]}"
    return ""


def refusal_for_all(action: str, stack: Stack, ordered: AbstractSet[str] = frozenset()) -> str:
    """Return why an action does not apply to all services; "" if it does.

    `ordered`: all unanswered orders, of any service.
    """
    if not ordered.isdisjoint(REVERSED_BY.get(action.removesuffix("_all"), ())):
        return ""
    at_rest = [view.phase in AT_REST for view in stack.services.values()]
    match action:
        case "start_all" if at_rest and not any(at_rest):
            return "everything is started already"
        case "stop_all" | "restart_all" if all(at_rest):
            return "nothing runs: S starts everything"
    return ""

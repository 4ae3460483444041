"""The pages behind the main screen. Each is loaded when it is opened: the first picture waits for none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.screen import Screen

    from devinit.dashboard.screens.details import Ask
    from devinit.dashboard.state import Stack


def page_of(
    what: str,
    service: str | None,
    stack: Callable[[], Stack],
    ask: Ask,
    restart: Callable[[list[str]], Awaitable[None]],
) -> Screen[None] | None:
    """Return the page of a name; None when there is none, or none without a service."""
    match what:
        case "details" if service is not None:
            from devinit.dashboard.screens.details import DetailsPage  # the first picture waits for no page

            return DetailsPage(service, ask, lambda name: changed(stack(), name))
        case "ports":
            from devinit.dashboard.screens.ports import PortsPage  # as above

            return PortsPage(ask, restart)
        case "environment":
            from devinit.dashboard.screens.environment import EnvironmentPage  # as above

            return EnvironmentPage(tuple(stack().services), ask)
        case "graph":
            from devinit.dashboard.screens.graph import GraphPage  # as above

            return GraphPage(stack)
        case "help":
            from devinit.dashboard.screens.help import HelpPage  # as above

            return HelpPage()
    return None


def changed(stack: Stack, service: str) -> str:
    """Return what of a service's configuration is newer than it is."""
    view = stack.services.get(service)
    return view.changed if view is not None else ""

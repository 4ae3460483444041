"""The pages behind the main screen. Each is imported when it is opened, so that none delays the first picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.screen import Screen

    from devinit.dashboard.keys import Key
    from devinit.dashboard.screens.details import Ask
    from devinit.dashboard.state import Stack


class Pages:
    """A factory that creates each page when it is opened."""

    def __init__(
        self,
        keys: Sequence[Key],
        stack: Callable[[], Stack],
        ask: Ask,
        restart: Callable[[list[str]], Awaitable[None]],
    ) -> None:
        self._keys, self._stack, self._ask, self._restart = keys, stack, ask, restart

    def page_of(self, what: str, service: str | None) -> Screen[None] | None:
        """Return the page with a name; None if there is none, or none without a service."""
        match what:
            case "details" if service is not None:
                from devinit.dashboard.screens.details import DetailsPage  # not needed for the first picture

                return DetailsPage(service, self._ask, lambda name: changed(self._stack(), name))
            case "ports":
                from devinit.dashboard.screens.ports import PortsPage  # as above

                return PortsPage(self._ask, self._restart)
            case "environment":
                from devinit.dashboard.screens.environment import EnvironmentPage  # as above

                return EnvironmentPage(tuple(self._stack().services), self._ask)
            case "graph":
                from devinit.dashboard.screens.graph import GraphPage  # as above

                return GraphPage(self._stack)
            case "help":
                from devinit.dashboard.screens.help import HelpPage  # as above

                return HelpPage(self._keys)
        return None


def changed(stack: Stack, service: str) -> str:
    """Return the changes to a service's configuration since its start."""
    view = stack.services.get(service)
    return view.changed if view is not None else ""

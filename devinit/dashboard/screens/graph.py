"""The page with the current dependency graph of the services."""

from __future__ import annotations

from collections.abc import Callable

from devinit.dashboard.graph import graph_lines
from devinit.dashboard.screens.page import Page
from devinit.dashboard.state import Stack

LOOK_SECONDS = 0.5


class GraphPage(Page):
    """A page that shows which service waits for which, and which talks to which."""

    def __init__(self, stack: Callable[[], Stack]) -> None:
        super().__init__()
        self._stack = stack
        self._shown: Stack | None = None

    def on_mount(self) -> None:
        """Show the graph, and follow changes."""
        self.look()
        self.set_interval(LOOK_SECONDS, self.look)

    def look(self) -> None:
        """Show the graph if it has changed."""
        stack = self._stack()
        if stack != self._shown:
            self._shown = stack
            self.say("Who needs whom", graph_lines(stack))

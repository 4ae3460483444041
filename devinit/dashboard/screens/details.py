"""The page about one service: its state and reason, its dependencies, its environment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from devinit.dashboard.details import explanation
from devinit.dashboard.screens.page import Page
from devinit.errors import DevinitError
from devinit.text import plain

Ask = Callable[[str, dict[str, Any] | None], Awaitable[Any]]
"""Sends a request to the supervisor. Any: data from the wire."""


class DetailsPage(Page):
    """A page that explains a service and follows its changes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("m", "reveal", "Passwords")]

    def __init__(self, service: str, ask: Ask, changed: Callable[[str], str]) -> None:
        super().__init__()
        self.service = service
        self._changed = changed
        """Returns the keys of a service that have changed since it started."""
        self._ask = ask
        self._revealed = False

    def on_mount(self) -> None:
        """Load the data now and every two seconds."""
        self.run_worker(self.look())
        self.set_interval(2, self.look)

    async def look(self) -> None:
        """Load and show the current data."""
        if not self.is_current:
            return
        try:
            why = await self._ask("why", {"service": self.service})
        except DevinitError as error:
            self.say(self.service, [[(plain(error.message), "bad")], [(plain(error.hint or ""), "")]])
            return
        try:
            inspection = await self._ask("inspect", {"service": self.service})
        except DevinitError as error:
            inspection = None
            why = {**why, "reason": f"{why['reason'] or ''}\n{error.message}".strip()}
        self.say(
            f"{self.service}: details",
            explanation(why, inspection, self._changed(self.service), revealed=self._revealed),
        )

    def action_reveal(self) -> None:
        """Show passwords, or hide them."""
        self._revealed = not self._revealed
        self.run_worker(self.look())

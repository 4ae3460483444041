"""Everything about one service: why it is as it is, what it waits for, what it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from devinit.dashboard.details import explanation
from devinit.dashboard.screens.page import Page
from devinit.errors import DevinitError
from devinit.text import plain

Ask = Callable[[str, dict[str, Any] | None], Awaitable[Any]]
"""Ask the supervisor. Any: whatever came off the wire."""


class DetailsPage(Page):
    """Explains a service, and goes on doing so while it changes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("m", "reveal", "Passwords")]

    def __init__(self, service: str, ask: Ask, changed: Callable[[str], str]) -> None:
        super().__init__()
        self.service = service
        self._changed = changed
        """Which keys of a service have changed since it started."""
        self._ask = ask
        self._revealed = False

    def on_mount(self) -> None:
        """Ask at once, and again while the page is open."""
        self.run_worker(self.look())
        self.set_interval(2, self.look)

    async def look(self) -> None:
        """Show what is known now."""
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

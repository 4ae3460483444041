"""The page about the runtime environment: .env.runtime, and services that were started with other values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from devinit.dashboard.details import changes, environment
from devinit.dashboard.presentation import Piece
from devinit.dashboard.screens.details import Ask
from devinit.dashboard.screens.page import Page
from devinit.errors import DevinitError
from devinit.model.names import ENVIRONMENT_FILE
from devinit.text import counted, plain


class EnvironmentPage(Page):
    """The environment of services and of `devinit run`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "reveal", "Passwords"),
        Binding("y", "copy", "Copy"),
    ]

    def __init__(self, services: Sequence[str], ask: Ask) -> None:
        super().__init__()
        self._services, self._ask = services, ask
        self._revealed = False
        self._values: dict[str, str] = {}
        self._changed: dict[str, list[dict[str, Any]]] = {}

    def on_mount(self) -> None:
        """Load the data now and every two seconds."""
        self.run_worker(self.look())
        self.set_interval(2, self.look)

    async def look(self) -> None:
        """Load and show the current data."""
        if not self.is_current:
            return
        try:
            self._values = await self._ask("environment", None)
            for name in self._services:
                self._changed[name] = (await self._ask("inspect", {"service": name}))["changed"]
        except DevinitError as error:
            self.say(ENVIRONMENT_FILE, [[(plain(error.message), "bad")], [(plain(error.hint or ""), "")]])
            return
        self.say(ENVIRONMENT_FILE, self._lines())

    def _lines(self) -> Iterator[list[Piece]]:
        yield from environment(self._values, revealed=self._revealed)
        for name, changed in self._changed.items():
            if changed:
                yield []
                yield [(name, "title")]
                yield from list(changes(changed, revealed=self._revealed))[1:]

    def action_reveal(self) -> None:
        """Show passwords, or hide them."""
        self._revealed = not self._revealed
        self.say(ENVIRONMENT_FILE, self._lines())

    def action_copy(self) -> None:
        """Copy all variables, passwords included, in a form that shells and python-dotenv read."""
        self.app.copy_to_clipboard(
            "".join(f"{name}={quoted(value)}\n" for name, value in self._values.items())
        )
        self.notify(f"{counted(len(self._values), 'variable')} copied, passwords included", timeout=3)


def quoted(value: str) -> str:
    """Return a value quoted for a shell."""
    from shlex import quote  # only copying needs it

    return quote(value)

"""A dialogue for one value: the port that a service is to have."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from devinit.dashboard.painting import words


class PortEntry(ModalScreen[int | None]):
    """Asks for a port; None when the person leaves it as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave it")]

    def __init__(self, service: str, now: int, first: int, last: int) -> None:
        super().__init__()
        self._service, self._now, self._first, self._last = service, now, first, last

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        with Vertical(classes="dialogue"):
            yield Label(words(f"Which port for {self._service}?"), classes="dialogue--title")
            yield Label(
                words(f"{self._first} to {self._last}; Enter takes it, Esc leaves it"),
                classes="dialogue--text",
            )
            yield Input(str(self._now), type="integer", max_length=5)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the number, if it is one that may be taken."""
        port = int(event.value) if event.value.isdecimal() else 0
        if self._first <= port <= self._last:
            self.dismiss(port)
        else:
            self.notify(f"a port of {self._service} is {self._first} to {self._last}", severity="error")

    def action_leave(self) -> None:
        """Leave it as it is."""
        self.dismiss(None)

"""Dialogues for one value: a port, a number of lines, the name of a file."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label
from textual.widgets._input import InputType

from devinit.dashboard.painting import words


class PortEntry(ModalScreen[int | None]):
    """A dialogue for a port; None if the user leaves it unchanged."""

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
        """Return the number if it is in the range."""
        port = int(event.value) if event.value.isdecimal() else 0
        if self._first <= port <= self._last:
            self.dismiss(port)
        else:
            self.notify(f"a port of {self._service} is {self._first} to {self._last}", severity="error")

    def action_leave(self) -> None:
        """Return None."""
        self.dismiss(None)


class TextEntry(ModalScreen[str | None]):
    """A dialogue for a text; None if the user cancels."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave it")]

    def __init__(self, question: str, said: str, text: str, *, kind: InputType = "text") -> None:
        super().__init__()
        self._question, self._said, self._text = question, said, text
        self._kind: InputType = kind

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        with Vertical(classes="dialogue"):
            yield Label(words(self._question), classes="dialogue--title")
            yield Label(words(self._said), classes="dialogue--text")
            yield Input(self._text, type=self._kind, classes="-long")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the text."""
        self.dismiss(event.value.strip())

    def action_leave(self) -> None:
        """Return None."""
        self.dismiss(None)

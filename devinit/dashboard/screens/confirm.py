"""A question before an order that cannot be undone."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Label

from devinit.dashboard.painting import words
from devinit.dashboard.screens.late import Late

SHORT = [(0, "-short"), (30, "-tall")]
"""The number of terminal lines from which dialogues have blank lines."""


class Confirm(Late, ModalScreen[bool]):
    """A yes-or-no question; Escape answers no, as does Enter by default."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,q", "answer(False)", "No"),
        Binding("left,right", "app.focus_next", show=False),
    ]
    VERTICAL_BREAKPOINTS = SHORT

    def __init__(self, question: str, consequence: str, yes: str, *, is_late: bool = False) -> None:
        super().__init__()
        self.is_late = is_late
        self._question, self._consequence, self._yes = question, consequence, yes

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        with VerticalScroll(classes="dialogue", can_focus=False):
            yield Label(words(self._question), classes="dialogue--title")
            yield Label(words(self._consequence), classes="dialogue--text")
            with Horizontal(classes="dialogue--buttons"):
                yield Button("No (n)", id="no")
                yield Button(words(f"{self._yes} (y)"), id="yes", variant="error")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Return the answer of a button."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """Return the answer of a key."""
        self.dismiss(answer)

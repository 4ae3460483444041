"""Lines to type in: a pattern for the logs; what a service reads where there is no terminal to give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message
from textual.widgets import Input

from devinit.dashboard.asked import History
from devinit.dashboard.painting import on_its_line


class PatternLine(Input):
    """One line for a regular expression."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Take it", key_display="Enter"),
        Binding("escape", "leave", "Leave it", key_display="Esc"),
    ]

    @dataclass
    class Left(Message):
        """The user wants no pattern."""

    def __init__(self) -> None:
        super().__init__(id="prompt", select_on_focus=False)

    def action_leave(self) -> None:
        """Leave everything as it was."""
        self.post_message(self.Left())


class TypeLine(Input):
    """One line for the standard input of a service; it stays for the next one until Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Send", key_display="Enter"),
        Binding("escape", "close", "Close", key_display="Esc"),
    ]

    @dataclass
    class Typed(Message):
        """The user has typed a line into a service."""

        service: str
        text: str
        is_hidden: bool
        """Whether it is a password."""

    @dataclass
    class Closed(Message):
        """The user types into no service any more."""

    def __init__(self) -> None:
        super().__init__(id="typing", select_on_focus=False)
        self.display = False
        self._service = ""
        self._kinds: dict[str, str] = {}
        """Of the services that wait for input, what kind of question that is."""
        self._histories: dict[str, History] = {}

    def type_into(self, service: str) -> None:
        """Let the user type into a service."""
        if service != self._service:
            self.value = ""
        self._service = service
        self.ask(self._kinds)
        self.border_title = f"type into {on_its_line(service)}"
        self.placeholder = "Enter sends the line, Esc closes; the service runs on"
        self._history.begin()
        self.display = True
        self.focus()

    def ask(self, kinds: dict[str, str]) -> None:
        """Note what kind of question each service asks: what answers one for a password is not shown."""
        self._kinds = kinds
        self.password = kinds.get(self._service) == "password"

    @property
    def _history(self) -> History:
        return self._histories.setdefault(self._service, History())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Send the line."""
        event.stop()
        if not self.password:
            self._history.add(event.value)
        self.post_message(self.Typed(self._service, event.value, self.password))
        self.value = ""

    def action_close(self) -> None:
        """Close the line."""
        self.value = ""
        self.display = False
        self.post_message(self.Closed())

    def key_up(self, event: Key) -> None:
        """Bring back the line before."""
        event.stop()
        self._bring_back(self._history.older())

    def key_down(self, event: Key) -> None:
        """Bring back the line after."""
        event.stop()
        self._bring_back(self._history.newer())

    def _bring_back(self, text: str | None) -> None:
        if text is not None and not self.password:
            self.value = text
            self.cursor_position = len(text)

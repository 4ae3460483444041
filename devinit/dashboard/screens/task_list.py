"""The tasks of the project, to choose one and run it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from devinit.dashboard.painting import content, words
from devinit.dashboard.presentation import Piece
from devinit.model.task import Task
from devinit.text import cut, one_line, pad, width

LONGEST_TITLE = 32
LONGEST_SAID = 60


class TaskList(ModalScreen[str | None]):
    """Which task is to run; None when none is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Back")]

    def __init__(self, tasks: Sequence[Task], running: Collection[str]) -> None:
        super().__init__()
        self._offered, self._at_work = tasks, running

    def compose(self) -> ComposeResult:
        """Lay the list out."""
        with Vertical(classes="dialogue -wide"):
            yield Label(words("Tasks"), classes="dialogue--title")
            yield Label(words("Enter or its key runs one, Esc goes back"), classes="dialogue--text")
            yield OptionList(*(Option(content(line)) for line in lines_of(self._offered, self._at_work)))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the task that was chosen."""
        self.dismiss(self._offered[event.option_index].name)

    def on_key(self, event: events.Key) -> None:
        """Take the task that has this key."""
        for task in self._offered:
            if task.key is not None and task.key == event.character:
                event.stop()
                self.dismiss(task.name)
                return

    def action_leave(self) -> None:
        """Run none."""
        self.dismiss(None)


def lines_of(tasks: Sequence[Task], running: Collection[str]) -> list[list[Piece]]:
    """Return a line for each task: its key, what it is called, and what it does. Pure."""
    titles = [cut(one_line(task.title), LONGEST_TITLE) for task in tasks]
    wide = max(map(width, titles), default=0)
    return [
        [
            (f"{task.key or ' '}  ", "busy"),
            (pad(title, wide) + "  ", "strong"),
            ("runs  ", "attention") if task.name in running else ("", ""),
            (cut(one_line(task.description or "; ".join(task.commands)), LONGEST_SAID - wide), "dim"),
        ]
        for task, title in zip(tasks, titles, strict=True)
    ]

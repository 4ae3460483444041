"""The dialogue that lists the project's tasks, to run one."""

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
    """A choice of a task to run; None for no task."""

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
        """Return the chosen task."""
        self.dismiss(self._offered[event.option_index].name)

    def on_key(self, event: events.Key) -> None:
        """Return the task with this key."""
        for task in self._offered:
            if task.key is not None and task.key == event.character:
                event.stop()
                self.dismiss(task.name)
                return

    def action_leave(self) -> None:
        """Return no task."""
        self.dismiss(None)


def lines_of(tasks: Sequence[Task], running: Collection[str]) -> list[list[Piece]]:
    """Return a line for each task: its key, title and description. Pure."""
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

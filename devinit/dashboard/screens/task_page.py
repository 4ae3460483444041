"""The page with the live output of a task, and its exit code."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from devinit.dashboard.lines.feed import Piece as LogPiece
from devinit.dashboard.lines.store import Store
from devinit.dashboard.painting import content
from devinit.dashboard.presentation import Piece
from devinit.dashboard.task_run import TaskRun
from devinit.dashboard.widgets.key_bar import KeyBar
from devinit.dashboard.widgets.log_pane import LogPane
from devinit.errors import StateFileError
from devinit.logs.lines import Line
from devinit.logs.secrets import mask_of
from devinit.text import counted, duration, one_line

LOOK_SECONDS = 0.1


class TaskPage(Screen[str | None]):
    """A page with the output of one run. Its result is the task's name if the task should run again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back"),
        Binding("r", "again", "Run again"),
        Binding("x", "end", "End"),
        Binding("y", "copy", "Copy all"),
        Binding("w", "wrap", "Wrap"),
        Binding("F", "fold", "Unfold"),
    ]

    def __init__(self, run: TaskRun, title: str, root: Path) -> None:
        super().__init__()
        self.task_run = run
        self._called = title
        self._mask = mask_of(root)
        self._store = Store()

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        yield Static(id="task-title", classes="page--title")
        yield LogPane()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the output so far, and follow it."""
        self.pane.show([], self.task_run.name, (self.task_run.name,))
        self.set_interval(LOOK_SECONDS, self.look)
        self.look()

    @property
    def pane(self) -> LogPane:
        """The pane with the output."""
        return self.query_one(LogPane)

    def look(self) -> None:
        """Show new output, and update the title."""
        code = self.task_run.code
        try:
            lines = [Line(self._mask(line.text), line.time, line.run) for line in self.task_run.lines()]
        except StateFileError as error:
            lines = [Line(error.message, 0.0)]
        if lines:
            new = self._store.add([LogPiece(self.task_run.name, lines)])
            self.pane.add(new, self._store.dropped.get(self.task_run.name, 0))
        title = self.query_one("#task-title", Static)
        title.update(content(said_of(self._called, code, self.task_run.seconds, len(self._store.of(None)))))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide actions that do not apply now."""
        if action == "again":
            return self.task_run.code is not None
        return self.task_run.code is None if action == "end" else True

    def action_leave(self) -> None:
        """Go back; the task keeps running."""
        self.dismiss(None)

    def action_again(self) -> None:
        """Run the task again."""
        self.dismiss(self.task_run.name)

    def action_end(self) -> None:
        """End the task."""
        self.task_run.end()

    def action_copy(self) -> None:
        """Copy the output, or the selection."""
        lines = self._store.of(None)
        self.app.copy_to_clipboard(self.get_selected_text() or "\n".join(line.plain for line in lines))
        self.notify(f"{counted(len(lines), 'line')} copied", timeout=2)

    def action_wrap(self) -> None:
        """Toggle the wrapping of long lines."""
        self.pane.wrap = not self.pane.wrap

    def action_fold(self) -> None:
        """Toggle the folding of structured lines and tracebacks."""
        self.pane.fold()


def said_of(title: str, code: int | None, seconds: float, count: int) -> list[Piece]:
    """Return the title of the page. Pure."""
    pieces: list[Piece] = [(f" {one_line(title)} ", "title"), (" ", "")]
    if code is None:
        return [*pieces, ("◐ runs", "busy"), (f" for {duration(seconds)}, {counted(count, 'line')}", "dim")]
    if code == 0:
        return [*pieces, ("✓ done", "good"), (f", exit code 0, {counted(count, 'line')}", "dim")]
    said = f"exit code {code}" if code > 0 else f"ended by signal {-code}"
    return [*pieces, (f"✗ {said}", "bad"), (f", {counted(count, 'line')}", "dim")]

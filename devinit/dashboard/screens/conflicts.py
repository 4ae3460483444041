"""A question about several taken ports: an overview, and one answer for all that have a suggestion."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList, Static
from textual.widgets.option_list import Option

from devinit.dashboard.details import port_overview
from devinit.dashboard.painting import content, words
from devinit.dashboard.screens.confirm import SHORT
from devinit.dashboard.screens.conflict import FRAME, Json
from devinit.dashboard.screens.late import Late
from devinit.model.port_words import accept_text, has_suggestion

ACCEPT, EACH, ABORT = "accept", "each", "abort"


class ConflictsDialogue(Late, ModalScreen[str]):
    """A question about several ports; the result is ACCEPT, EACH or ABORT."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "abort", "Abort")]
    VERTICAL_BREAKPOINTS = SHORT

    def __init__(self, conflicts: list[Json]) -> None:
        super().__init__()
        self._conflicts = conflicts

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        room = min(84, self.app.size.width * 96 // 100) - FRAME
        options = [Option("decide one by one", id=EACH), Option("abort", id=ABORT)]
        if any(map(has_suggestion, self._conflicts)):
            options.insert(0, Option(words(accept_text(self._conflicts, room)), id=ACCEPT))
        with VerticalScroll(classes="dialogue -wide", can_focus=False):
            yield Label(words(f"{len(self._conflicts)} ports are taken."), classes="dialogue--title")
            lines = [content(line) for line in port_overview(self._conflicts, room)]
            yield Static(Content("\n").join(lines), classes="dialogue--facts")
            yield OptionList(*options, markup=False)

    def on_mount(self) -> None:
        """Focus the answers."""
        self.query_one(OptionList).focus(scroll_visible=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the answer."""
        self.dismiss(str(event.option.id))

    def action_abort(self) -> None:
        """Abort."""
        self.dismiss(ABORT)

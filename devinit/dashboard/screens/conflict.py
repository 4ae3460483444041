"""A taken port, asked about where the person is: the same facts and the same choices as on the shell."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList, Static
from textual.widgets.option_list import Option

from devinit.dashboard.details import port_facts, port_heading
from devinit.dashboard.painting import content
from devinit.dashboard.screens.confirm import SHORT
from devinit.model.port_words import answer_text

Json = dict[str, Any]
# As it comes off the wire: model.port.Conflict.
LONGEST_ANSWER = 60


class ConflictDialogue(ModalScreen[str]):
    """Asks about one port; returns the kind of the resolution, "abort" included."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "abort", "Abort"),
        # Of the facts: the answers below them are on the screen however small it is.
        Binding("pageup", "scroll(-1)", show=False, priority=True),
        Binding("pagedown", "scroll(1)", show=False, priority=True),
    ]
    VERTICAL_BREAKPOINTS = SHORT

    def __init__(self, conflict: Json, number: int = 1, count: int = 1) -> None:
        super().__init__()
        self._conflict = conflict
        self._place = f"  {number} of {count}" if count > 1 else ""

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        conflict = self._conflict
        kinds = [kind for kind in conflict["choices"] if kind != "abort"] + ["abort"]
        with VerticalScroll(classes="dialogue -wide", can_focus=False):
            yield Label(port_heading(conflict) + self._place, classes="dialogue--title", markup=False)
            lines = [content(line) for line in port_facts(conflict)]
            yield Static(Content("\n").join(lines), classes="dialogue--facts")
            yield OptionList(
                *(Option(answer_text(kind, conflict, LONGEST_ANSWER), id=kind) for kind in kinds),
                markup=False,
            )

    def on_mount(self) -> None:
        """Begin with the answer that does no harm."""
        options = self.query_one(OptionList)
        default = self._conflict["default"]
        if default in self._conflict["choices"]:
            options.highlighted = options.get_option_index(default)
        options.focus(scroll_visible=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the answer."""
        self.dismiss(str(event.option.id))

    def action_scroll(self, pages: int) -> None:
        """Show more of the facts."""
        facts = self.query_one(VerticalScroll)
        facts.scroll_relative(y=pages * max(1, facts.container_size.height // 2), animate=False)

    def action_abort(self) -> None:
        """Leave everything as it is."""
        self.dismiss("abort")


def resolution(conflict: Json, kind: str) -> Json:
    """Return an answer as the supervisor wants it: it holds for exactly the holders that were shown."""
    return {
        "service": conflict["service"],
        "port": conflict["port"],
        "kind": kind,
        "holders": [holder["identity"] for holder in conflict["holders"]],
    }

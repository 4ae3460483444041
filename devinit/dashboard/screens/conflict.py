"""A question about a taken port: the same facts and the same choices as in the shell."""

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
from devinit.dashboard.painting import content, words
from devinit.dashboard.screens.confirm import SHORT
from devinit.dashboard.screens.late import Late
from devinit.model.port_answer import (
    ALWAYS_TEXT,
    LASTING,
    ONLY_NOW_TEXT,
    UNPINNED,
    PortAnswer,
    lasting_kinds,
    lasting_question,
)
from devinit.model.port_words import answer_text

Json = dict[str, Any]
# As on the wire: model.port.Conflict.
LONGEST_ANSWER = 60
FRAME = 8
"""The columns that a dialogue uses for its border, its padding and a scroll bar."""
ABORT, ALWAYS, BACK = "abort", "always", "back"
FOR_GOOD = "always "
"""The prefix of the kind of a permanent answer."""


class ConflictDialogue(Late, ModalScreen[PortAnswer]):
    """A question about one port, and about how long the answer applies; "abort" changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back"),
        # These keys scroll the facts; the answers below are visible on any screen size.
        Binding("pageup", "scroll(-1)", show=False, priority=True),
        Binding("pagedown", "scroll(1)", show=False, priority=True),
    ]
    VERTICAL_BREAKPOINTS = SHORT

    def __init__(
        self, conflict: Json, number: int, count: int, *, can_keep: bool, is_late: bool = True
    ) -> None:
        super().__init__()
        self.is_late = is_late
        self._conflict = conflict
        self._can_keep = can_keep
        """Whether permanent answers can be stored."""
        self._place = f"  {number} of {count}" if count > 1 else ""

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        conflict = self._conflict
        with VerticalScroll(classes="dialogue -wide", can_focus=False):
            yield Label(classes="dialogue--title", markup=False)
            lines = [content(line) for line in port_facts(conflict)]
            yield Static(Content("\n").join(lines), classes="dialogue--facts")
            yield OptionList(markup=False)

    def on_mount(self) -> None:
        """Preselect the suggested answer."""
        self.offer_for_now()
        self.query_one(OptionList).focus(scroll_visible=False)

    def offer_for_now(self) -> None:
        """Show the answers for this time."""
        room = min(LONGEST_ANSWER, self.app.size.width * 96 // 100 - FRAME)
        offered = [kind for kind in self._conflict["choices"] if kind != ABORT]
        options = [Option(words(answer_text(kind, self._conflict, room)), id=kind) for kind in offered]
        if lasting_kinds(self._conflict):
            options.append(Option(words(ALWAYS_TEXT), id=ALWAYS))
        options.append(Option(words(answer_text(ABORT, self._conflict, room)), id=ABORT))
        self.offer(port_heading(self._conflict) + self._place, options)

    def offer_for_good(self) -> None:
        """Show the permanent answers."""
        options = [Option(words(LASTING[kind]), id=FOR_GOOD + kind) for kind in lasting_kinds(self._conflict)]
        self.offer(lasting_question(self._conflict), [*options, Option(words(ONLY_NOW_TEXT), id=BACK)])

    def offer(self, question: str, options: list[Option]) -> None:
        """Show a question and its answers."""
        self.query_one(".dialogue--title", Label).update(words(question))
        answers = self.query_one(OptionList)
        answers.set_options(options)
        default = self._conflict["default"]
        ids = [option.id for option in options]
        answers.highlighted = ids.index(default) if default in ids else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the answer, or ask how long it applies."""
        kind = str(event.option.id)
        if kind == ALWAYS and self._can_keep:
            self.offer_for_good()
        elif kind == ALWAYS:
            self.query_one(".dialogue--facts", Static).update(words(UNPINNED))
        elif kind == BACK:
            self.offer_for_now()
        else:
            always = kind.startswith(FOR_GOOD)
            self.dismiss(PortAnswer(self._conflict, kind.removeprefix(FOR_GOOD), always))

    def action_scroll(self, pages: int) -> None:
        """Scroll the facts."""
        facts = self.query_one(VerticalScroll)
        facts.scroll_relative(y=pages * max(1, facts.container_size.height // 2), animate=False)

    def action_back(self) -> None:
        """Go back to the first answers, or abort."""
        if self.query_one(OptionList).options[-1].id == BACK:
            self.offer_for_now()
        else:
            self.dismiss(PortAnswer(self._conflict, ABORT))

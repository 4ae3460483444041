"""A page that fills the terminal, with a title, scrollable lines, and a way back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from devinit.dashboard.painting import content
from devinit.dashboard.presentation import Piece
from devinit.dashboard.widgets.key_bar import KeyBar


class Page(Screen[None]):
    """A page for content that does not fit on the main screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back", key_display="Esc"),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        yield Static(classes="page--title")
        with VerticalScroll(classes="page--scroll"):
            yield Static(classes="page--body")
        yield KeyBar()

    def say(self, title: str, lines: Iterable[list[Piece]]) -> None:
        """Show lines under a title."""
        self.query_one(".page--title", Static).update(content([(f" {title}", "title")]))
        self.query_one(".page--body", Static).update(Content("\n").join([content(line) for line in lines]))

    def action_scroll(self, step: int) -> None:
        """Scroll by a line."""
        self.query_one(VerticalScroll).scroll_relative(y=step, animate=False)

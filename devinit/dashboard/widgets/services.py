"""The table of services, with one line each, selected with the arrow keys or the mouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from devinit.dashboard.painting import COMPONENTS, strip
from devinit.dashboard.presentation import Piece, is_link_at, table
from devinit.dashboard.state import Stack


class ServiceTable(ScrollView, can_focus=True, inherit_bindings=False):
    """A table with the state, port, usage and URL of each service."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {*COMPONENTS, "services--cursor", "services--cursor-focus"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("enter", "enter", "Type", show=False),
    ]

    stack: reactive[Stack] = reactive(Stack, layout=True, always_update=True)
    cursor: reactive[int] = reactive(0)

    @dataclass
    class Selected(Message):
        """Another service is selected."""

        service: str

    @dataclass
    class Chosen(Message):
        """The user has selected a service by key or mouse."""

        service: str

    @dataclass
    class Opened(Message):
        """The user wants the details of a service."""

        service: str

    @dataclass
    class Entered(Message):
        """The user wants to type into a service."""

        service: str

    @dataclass
    class LinkClicked(Message):
        """The user clicked on a service's URL."""

        service: str

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(id="services")
        self.marked: frozenset[str] = frozenset()
        """Services that are marked for the next order."""
        self.groups: dict[str, str] = {}
        """The labels before the first service of each group."""
        self._clock = clock
        self._header: list[Piece] = []
        self._lines: list[list[Piece]] = []

    @property
    def selected(self) -> str | None:
        """The cursor's service."""
        names = list(self.stack.services)
        return names[self.cursor] if self.cursor < len(names) else None

    def select(self, service: str) -> None:
        """Put the cursor on a service."""
        names = list(self.stack.services)
        if service in names:
            self.cursor = names.index(service)

    def compose_lines(self) -> None:
        """Lay out the lines again, after some time or a change of the size."""
        self._header, self._lines = table(
            self.stack, self.size.width, self._clock(), marked=self.marked, groups=self.groups
        )
        self.refresh()

    def watch_stack(self, before: Stack, now: Stack) -> None:
        """Show a new stack; the cursor stays on its service, wherever that is now."""
        self.virtual_size = Size(0, len(now.services) + 1)
        names, names_before = list(now.services), list(before.services)
        name = names_before[self.cursor] if self.cursor < len(names_before) else ""
        self.cursor = names.index(name) if name in names else self.validate_cursor(self.cursor)
        self.compose_lines()

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a line."""
        return max(0, min(cursor, len(self.stack.services) - 1))

    def watch_cursor(self) -> None:
        """Post the selected service."""
        # The header covers the first line of the scrolled content.
        self.scroll_to_region(Region(0, self.cursor, 1, 2), animate=False, force=True)
        self.refresh()
        if self.selected is not None:
            self.post_message(self.Selected(self.selected))

    def on_resize(self) -> None:
        """Adapt to the new size."""
        self.compose_lines()

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        base = self.rich_style
        width = self.size.width
        if y == 0:
            return strip(self, self._header, base).adjust_cell_length(width, base)
        index = y - 1 + self.scroll_offset.y
        if index >= len(self._lines):
            return Strip.blank(width, base)
        if index == self.cursor:
            name = "services--cursor-focus" if self.has_focus else "services--cursor"
            base += Style(bgcolor=self.get_component_rich_style(name).bgcolor)
        return strip(self, self._lines[index], base).adjust_cell_length(width, base)

    def action_move(self, step: int) -> None:
        """Select the next service, or the previous one."""
        self.cursor += step
        self._choose()

    def _choose(self) -> None:
        if self.selected is not None:
            self.post_message(self.Chosen(self.selected))

    def action_enter(self) -> None:
        """Request the terminal of the service."""
        if self.selected is not None:
            self.post_message(self.Entered(self.selected))

    def action_open(self) -> None:
        """Request the details."""
        if self.selected is not None:
            self.post_message(self.Opened(self.selected))

    def on_click(self, event: events.Click) -> None:
        """Select with the mouse; open a link, or the details on a double click."""
        index = event.y - 1 + self.scroll_offset.y
        if event.y == 0 or index >= len(self._lines):
            return
        self.cursor = index
        self._choose()
        if is_link_at(self._lines[index], event.x):
            self.post_message(self.LinkClicked(self.selected or ""))
        elif event.chain == 2:  # noqa: PLR2004  a double click
            self.action_open()

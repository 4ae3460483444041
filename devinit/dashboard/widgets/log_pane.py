"""The log pane: follows, pauses, searches, filters, wraps; keeps up with a flood by painting only visible rows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from devinit.dashboard.lines.line import LogLine
from devinit.dashboard.lines.view import LogView, Match, Row
from devinit.dashboard.painting import COMPONENTS, style_of
from devinit.dashboard.widgets.log_row import crop, link_at, offsets, whole, with_links
from devinit.logs.links import Link
from devinit.system.matching import PatternTooSlow, bounded
from devinit.text import cut, pad, width

SERVICE_STYLES = ("busy", "violet", "accent", "good", "attention")
"""The styles that distinguish services' names when all lines are shown."""
TIME_WIDTH = len("12:34:56 ")
ALL_SECONDS = 3.0
"""The limit on the computing time of a search in all lines. Long lines of many services take one second."""
ROW_SECONDS = 0.05
"""The limit on finding the matches in a painted row, of which there are as many as the screen has lines."""


class LogPane(ScrollView, can_focus=True, inherit_bindings=False):
    """A scrollable view of the lines of one service, or of all."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*COMPONENTS, "log--cursor", "log--match"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("enter", "fold", show=False),
        Binding("left", "scroll_left", show=False),
        Binding("right", "scroll_right", show=False),
    ]

    following: reactive[bool] = reactive(True)
    wrap: reactive[bool] = reactive(False)
    timestamps: reactive[bool] = reactive(False)

    @dataclass
    class Changed(Message):
        """The pane's title needs an update."""

    @dataclass
    class LinkClicked(Message):
        """The user wants to open a link in a line."""

        link: Link
        service: str

    @dataclass
    class TooSlow(Message):
        """A regular expression took too long and was removed, so the lines must be shown again."""

        text: str

    def __init__(self, leads: Callable[[Link], bool] = lambda link: bool(link.url)) -> None:
        """`leads`: whether the target of a link exists."""
        super().__init__(id="log")
        self._leads = leads
        self.view = LogView()
        self.search: re.Pattern[str] | None = None
        self.match: Match | None = None
        """The current match, among those that existed when it was found."""
        self.cursor: int | None = None
        """The number of the cursor's line; None while following the end."""
        self._names: tuple[str, ...] = ()
        self._name_width = 0

    # Content

    def show(self, lines: Sequence[LogLine], service: str | None, names: tuple[str, ...]) -> None:
        """Show the lines of a service, or of all."""
        if service != self.view.service:
            self.cursor = None
        self.view.service, self._names = service, names
        self._name_width = min(max(map(width, names), default=0), 16)
        self.view.wrap_at = self._wrap_width()
        with self._bounded(self.view.filter, ALL_SECONDS):
            self.view.show(lines)
        self._rows_changed()
        # The scrollbar knows the new length only after a refresh.
        self.call_after_refresh(self._to_end)

    def _to_end(self) -> None:
        if self.following:
            self.scroll_end(animate=False, immediate=True, x_axis=False, force=True)

    def add(self, lines: Sequence[LogLine], dropped: int) -> None:
        """Add lines, and remove those that are no longer kept."""
        if self.view.service is not None and all(line.service != self.view.service for line in lines):
            return
        gone = self.view.drop_before(dropped)
        with self._bounded(self.view.filter, ALL_SECONDS):
            gone += self.view.add(lines)
        if gone and not self.following:
            # The visible lines stay in place for the reader.
            self.scroll_to(y=max(0, self.scroll_offset.y - gone), animate=False, force=True, immediate=True)
        self._rows_changed()

    @contextmanager
    def _bounded(self, pattern: re.Pattern[str] | None, seconds: float) -> Iterator[None]:
        """Remove a pattern that makes this block compute for longer than `seconds`."""
        if pattern is None:
            yield
            return
        try:
            with bounded(pattern.pattern, seconds):
                yield
        except PatternTooSlow as slow:
            self.view.filter = None if self.view.filter is pattern else self.view.filter
            self.search = None if self.search is pattern else self.search
            self.post_message(self.TooSlow(str(slow)))

    @property
    def prefix_width(self) -> int:
        """The width of the prefix of a line, in cells."""
        names = self._name_width + 2 if self.view.service is None else 0
        return 1 + names + (TIME_WIDTH if self.timestamps else 0)

    def _wrap_width(self) -> int | None:
        room = self.scrollable_content_region.width - self.prefix_width
        return max(room, 10) if self.wrap else None

    def _rows_changed(self) -> None:
        wide = 0 if self.wrap else self.view.widest + self.prefix_width
        self.virtual_size = Size(wide, len(self.view.rows))
        self._to_end()
        self.refresh()
        self.post_message(self.Changed())

    def lay_out(self) -> None:
        """Lay out the lines again."""
        self.view.wrap_at = self._wrap_width()
        lines = self.view.lines()
        top = self.view.rows[self.scroll_offset.y].line.number if self._has_top() else None
        with self._bounded(self.view.filter, ALL_SECONDS):
            self.view.show(lines)
        if top is not None and not self.following:
            self.scroll_to(y=self.view.row_of(top) or 0, animate=False, force=True, immediate=True)
        self._rows_changed()

    def _has_top(self) -> bool:
        return self.scroll_offset.y < len(self.view.rows)

    def watch_wrap(self) -> None:
        """Switch wrapping on or off."""
        self.lay_out()
        self.scroll_to(x=0, animate=False)

    def watch_timestamps(self) -> None:
        """Show or hide the time of each line."""
        self.view.with_times = self.timestamps
        if self.wrap:
            self.lay_out()
        else:
            self._rows_changed()  # the lines stay as they are: 12 ms less for ten thousand of them

    def on_resize(self) -> None:
        """Adapt to the new size."""
        if self.wrap:
            self.lay_out()
        self._to_end()

    # Position and search

    def watch_following(self) -> None:
        """Go to the end when following is switched on."""
        if self.following:
            self.cursor = None
            self.scroll_end(animate=False, immediate=True, x_axis=False, force=True)
        self.refresh()
        self.post_message(self.Changed())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Pause when the user scrolls up; follow again at the end."""
        super().watch_scroll_y(old_value, new_value)
        if new_value < old_value and new_value < self.max_scroll_y and self.following:
            self.following = False
        elif new_value > old_value and new_value >= self.max_scroll_y and self.cursor is None:
            self.following = True

    def action_move(self, step: int) -> None:
        """Move the cursor by a line."""
        rows = self.view.rows
        if not rows:
            return
        here = self.cursor_row()
        if here is None:
            here = min(len(rows), self.scroll_offset.y + self.size.height)
        row = max(0, min(len(rows) - 1, here + step))
        while 0 < row < len(rows) - 1 and not rows[row].is_first:
            row += step
        if step > 0 and here == len(rows) - 1:
            self.following = True
        else:
            self.look_at(rows[row].line.number)

    def cursor_row(self) -> int | None:
        """Return the cursor's row."""
        return None if self.cursor is None else self.view.row_of(self.cursor)

    def look_at(self, number: int) -> bool:
        """Put the cursor on a line and scroll to it; return False if it is not shown."""
        row = self.view.row_of(number)
        if row is None:
            return False
        self.following = False
        self.cursor = number
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if not top <= row < top + height:
            self.scroll_to(y=max(0, row - height // 2), animate=False, force=True, immediate=True)
        self.refresh()
        self.post_message(self.Changed())
        return True

    def search_for(self, pattern: re.Pattern[str] | None) -> None:
        """Mark matches from now on; None removes the marks."""
        self.search = pattern
        self.match = None
        self.refresh()
        self.post_message(self.Changed())

    def find(self, step: int, *, here_too: bool = False) -> bool:
        """Go to the next match of the search, downwards or upwards; return False if there is none.

        With `here_too`, the cursor's line may be that match.
        """
        if self.search is None:
            return False
        here = self.cursor_row()
        if here is None:
            start = len(self.view.rows) - 1 if step < 0 else self.scroll_offset.y
        else:
            start = here if here_too else here + step
        self.match = None
        with self._bounded(self.search, ALL_SECONDS):
            self.match = self.view.find(self.search, start, step)
        if self.match is None:
            return False
        line = self.view.rows[self.match.row].line
        if (block := self.view.folding.block_at(line)) and not self.search.search(block.says_it.plain):
            self.fold_line(line)
            line = next(each for each in block.lines if self.search.search(each.plain))
        return self.look_at(line.number)

    def fold(self) -> bool:
        """Toggle the folding of the cursor's line, or of every line without a cursor.

        Return False if there is nothing to unfold.
        """
        row = self.cursor_row()
        if row is not None:
            return self.fold_line(self.view.rows[row].line)
        self.view.folding.turn_all()
        self.lay_out()
        return True

    def action_fold(self) -> None:
        """Toggle the folding of the cursor's line."""
        self.fold()

    def fold_line(self, line: LogLine) -> bool:
        """Toggle the folding of a line; return False if there is nothing to unfold."""
        if not self.view.folding.turn(line):
            return False
        self.lay_out()
        return True

    def on_click(self, event: events.Click) -> None:
        """Open the clicked link, unfold the clicked traceback, or put the cursor there."""
        number = event.y + self.scroll_offset.y
        if number >= len(self.view.rows) or self.text_selection is not None:
            return
        row = self.view.rows[number]
        cell = event.x + self.scroll_offset.x - self.prefix_width + row.start
        link = link_at(whole(self, self.view, row), cell, self._leads)
        if link is not None:
            self.post_message(self.LinkClicked(link, row.line.service))
            return
        self.look_at(row.line.number)
        block = self.view.folding.block_at(row.line)
        if block is not None and cell > width(block.says_it.plain):
            self.fold_line(row.line)

    # Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text as it was printed: without times, names, and devinit's line breaks."""
        parts: list[str] = []
        before: LogLine | None = None
        for y, row in enumerate(self.view.rows):
            span = selection.get_span(y)
            if span is None:
                continue
            text = crop(self.view.text_of(row), row.start, row.end)
            begin = max(0, span[0] - self.prefix_width)
            piece = text[begin:] if span[1] == -1 else text[begin : max(0, span[1] - self.prefix_width)]
            goes_on = before is None or (before is row.line and row.start > 0)
            parts += [piece] if goes_on else ["\n", piece]
            before = row.line
        return "".join(parts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Show the selection."""
        self.refresh()

    def line_text(self) -> str:
        """Return the cursor's or the last line as it was printed; for a traceback, all its lines."""
        row = self.cursor_row()
        if row is None:
            row = len(self.view.rows) - 1
        return self.view.text(row, row) if row >= 0 else ""

    # Painting

    def render_line(self, y: int) -> Strip:
        """Paint one row."""
        scroll_x, scroll_y = self.scroll_offset
        number = scroll_y + y
        base, room = self.rich_style, self.size.width
        if number >= len(self.view.rows):
            return Strip.blank(room, base)
        row = self.view.rows[number]
        if row.line.number == self.cursor:
            base += Style(bgcolor=self.get_component_rich_style("log--cursor").bgcolor)
        text = Text(self._prefix(row), no_wrap=True, end="")
        self._paint_prefix(text, row)
        text.append_text(self._content(row))
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(number)) is not None:
            end = len(text) if span[1] == -1 else span[1]
            # Only the background: most themes define no text colour for a selection, and its style would give one.
            behind = self.screen.get_component_rich_style("screen--selection").bgcolor
            text.stylize(Style(bgcolor=behind), max(span[0], self.prefix_width), end)
        segments = Segment.apply_style(text.render(self.app.console), base)
        line = Strip(list(segments)).crop_extend(scroll_x, scroll_x + room, base)
        return line.apply_offsets(scroll_x, number)

    def _prefix(self, row: Row) -> str:
        gutter = "▎" if row.line.is_problem else " "
        if not row.is_first:
            return gutter + " " * (self.prefix_width - 1)
        clock = time.strftime("%H:%M:%S ", time.localtime(row.line.at))
        name = pad(cut(row.line.service, self._name_width), self._name_width) + "  "
        return gutter + (clock if self.timestamps else "") + (name if self.view.service is None else "")

    def _paint_prefix(self, text: Text, row: Row) -> None:
        text.stylize(style_of(self, "bad"), 0, 1)
        text.stylize(style_of(self, "dim"), 1, 1 + (TIME_WIDTH if self.timestamps else 0))
        if self.view.service is None:
            names = self._names
            index = names.index(row.line.service) if row.line.service in names else 0
            style = style_of(self, SERVICE_STYLES[index % len(SERVICE_STYLES)])
            text.stylize(style, self.prefix_width - self._name_width - 2)

    def _content(self, row: Row) -> Text:
        text = with_links(whole(self, self.view, row), self._leads)
        if self.search is not None:
            match_style = self.get_component_rich_style("log--match")
            with self._bounded(self.search, ROW_SECONDS):
                for found in self.search.finditer(text.plain):
                    text.stylize(match_style, *found.span())
        if row.start == 0 and row.end is None:
            return text
        places = offsets(text.plain, row.start, row.end)
        return text[places[0] : places[1]]

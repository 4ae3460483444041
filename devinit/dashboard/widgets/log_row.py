"""The text of a row in the log pane, with its colours, links and visible part."""

from __future__ import annotations

from collections.abc import Callable

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from devinit.dashboard.lines.line import Kind
from devinit.dashboard.lines.view import LogView, Row
from devinit.dashboard.log_styles import style_of_piece
from devinit.dashboard.painting import style_of
from devinit.logs.levels import Level, stated_level
from devinit.logs.links import Link, links_in
from devinit.text import counted, width


def whole(widget: Widget, view: LogView, row: Row) -> Text:
    """Return the whole styled line of a row."""
    line, block = row.line, view.folding.block_at(row.line)
    if block is not None and not row.part:
        text = Text(block.says_it.plain, style_of(widget, "bad"))
        if row.end is None:
            text.append(f"  ▸ {counted(len(block.lines), 'line')}", style_of(widget, "dim"))
        return text
    match line.kind:
        case Kind.RUN:
            return Text(line.plain, style_of(widget, "dim"))
        case Kind.NOTE:
            return Text(line.plain, style_of(widget, "attention"))
    if pieces := view.pieces(row):
        text = Text()
        for part, style in pieces:
            text.append(part, style_of(widget, style_of_piece(style, line.level)))
        return text
    if "\x1b" in line.raw:
        return Text.from_ansi(line.coloured)
    if line.is_problem:
        return Text(line.plain, style_of(widget, "bad"))
    is_warning = stated_level(line.plain) is Level.WARNING
    return Text(line.plain, style_of(widget, "attention") if is_warning else "")


def with_links(text: Text, leads: Callable[[Link], bool]) -> Text:
    """Underline the links in a text; terminals with hyperlinks open links to pages themselves."""
    for link in links_in(text.plain):
        if leads(link):
            page = link.url if link.url.isascii() else None
            text.stylize(Style(underline=True, link=page), link.start, link.end)
    return text


def link_at(text: Text, cell: int, leads: Callable[[Link], bool]) -> Link | None:
    """Return the link at a cell: a hyperlink of the program, or a text that reads like a link."""
    if cell < 0 or cell >= width(text.plain):
        return None
    place = offsets(text.plain, cell, None)[0]
    for span in text.spans:
        url = span.style.link if isinstance(span.style, Style) else None
        if url and span.start <= place < span.end:
            return Link(span.start, span.end, url=url)
    here = (link for link in links_in(text.plain) if link.start <= place < link.end)
    return next((link for link in here if leads(link)), None)


def crop(text: str, start: int, end: int | None) -> str:
    """Return the part of a text between two cells."""
    first, last = offsets(text, start, end)
    return text[first:last]


def offsets(text: str, start: int, end: int | None) -> tuple[int, int]:
    """Return the indexes of the characters at two cells of a text."""
    if text.isascii():
        return start, len(text) if end is None else end
    first = last = None
    here = 0
    for index, character in enumerate(text):
        if first is None and here >= start:
            first = index
        if end is not None and here >= end:
            last = index
            break
        here += width(character)
    return (len(text) if first is None else first), (len(text) if last is None else last)

"""From pieces of text with the names of styles to what Textual shows: one place that knows both."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from devinit.dashboard.presentation import Piece

STYLES = {
    "": "",
    "good": "$success",
    "bad": "$error bold",
    "attention": "$warning",
    "busy": "$primary",
    "dim": "$dim",
    "strong": "$foreground bold",
    "link": "$primary",
    "title": "$primary bold",
    "accent": "$accent",
    "violet": "$secondary",
}
COMPONENTS = {f"piece--{name}" for name in STYLES if name}
"""The component classes of a widget that paints lines itself; dashboard.tcss has the same styles."""


def content(pieces: Iterable[Piece]) -> Content:
    """Return pieces as one text that follows the theme."""
    return Content.assemble(*((text, STYLES[style]) for text, style in pieces))


def strip(widget: Widget, pieces: Iterable[Piece], base: Style) -> Strip:
    """Return pieces as a line of a widget that paints lines itself."""
    return Strip([Segment(text, base + style_of(widget, style)) for text, style in pieces])


def style_of(widget: Widget, name: str) -> Style:
    """Return a style as the theme has it now, without a background of its own."""
    if not name:
        return Style.null()
    found = widget.get_component_rich_style(f"piece--{name}", partial=True)
    return Style(color=found.color, bold=found.bold, dim=found.dim)

"""The conversion of styled pieces of text into Textual's types, the only place that knows both.

Textual passes escape sequences in a text to the terminal, and interprets brackets as markup. So every text
reaches widgets through these functions, which remove control sequences and know no markup.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from devinit.dashboard.presentation import Piece
from devinit.text import harmless

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
"""The component classes of a widget that paints lines itself; dashboard.tcss defines the same styles."""


def content(pieces: Iterable[Piece]) -> Content:
    """Return pieces as one text whose colours follow the theme."""
    return Content.assemble(*((harmless(text), STYLES[style]) for text, style in pieces))


def words(text: str) -> Content:
    """Return a text without a style."""
    return content([(text, "")])


def strip(widget: Widget, pieces: Iterable[Piece], base: Style) -> Strip:
    """Return pieces as a line for a widget that paints lines itself."""
    return Strip([Segment(on_its_line(text), base + style_of(widget, style)) for text, style in pieces])


def on_its_line(text: str) -> str:
    """Return a text without line breaks."""
    return harmless(text).replace("\n", " ")


def style_of(widget: Widget, name: str) -> Style:
    """Return a style in the current theme, without a background."""
    if not name:
        return Style.null()
    found = widget.get_component_rich_style(f"piece--{name}", partial=True)
    return Style(color=found.color, bold=found.bold, dim=found.dim)

"""The first picture of the dashboard, before Textual is loaded: the same lines in the same colours. Pure.

It shows what is known of a start then. Only the footer is empty: no key is read yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from devinit.dashboard.log_title import EVERYONE, FOLLOWING, log_title
from devinit.dashboard.presentation import Piece, cut_pieces, headline, table
from devinit.dashboard.starting import start_line
from devinit.dashboard.state import LinkState
from devinit.text import harmless, width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinit.dashboard.starting import Start
    from devinit.dashboard.state import Stack

STYLES = {
    "good": "success",
    "bad": "error",
    "attention": "warning",
    "busy": "primary",
    "dim": "dim",
    "link": "primary",
    "title": "primary",
    "accent": "accent",
    "violet": "secondary",
}
"""The colour of each style that has another one than the text."""
BOLD = ("bad", "strong", "title")
GREY_SATURATION = 0.15
"""Below this, one of the 24 greys of a terminal with 256 colours is nearer than its cube."""


class Row(NamedTuple):
    """A line of the screen, and the name of the colour behind it."""

    pieces: Sequence[Piece]
    background: str = "background"


def picture(stack: Stack, start: Start, now: float, columns: int, lines: int) -> list[Row]:
    """Return every line of the screen."""
    header, services = table(stack, columns, now)
    # The table takes half of the screen at most.
    rows = [Row(line, "background" if number else "panel") for number, line in enumerate(services)]
    above = [
        Row(headline(stack, columns, LinkState.HELD), "surface"),
        Row(start_line(start, stack, now, columns), "surface"),
        *[Row(header), *rows][: max(lines // 2, 1)],
        Row(log_title(EVERYONE, [FOLLOWING], 0, columns)),
    ]
    blank = [Row([])] * max(0, lines - len(above) - 1)
    return [*above, *blank, Row([], "surface")][:lines]


def painted(
    rows: Sequence[Row], colours: Mapping[str, str], columns: int, *, true_colours: bool = True
) -> bytes:
    """Return what makes a terminal show these lines, from its first one on."""
    codes = {name: code_of(colour, true_colours=true_colours) for name, colour in colours.items()}
    drawn = []
    for number, row in enumerate(rows, 1):
        shown = [
            (harmless(text).replace("\n", " "), style) for text, style in cut_pieces(row.pieces, columns)
        ]
        rest = " " * (columns - sum(width(text) for text, _ in shown))
        behind = f"\x1b[0;48;{codes[row.background]}"
        written = "".join(
            f"{behind};38;{codes[STYLES.get(style, 'foreground')]}{';1' if style in BOLD else ''}m{text}"
            for text, style in shown
        )
        drawn.append(f"\x1b[{number};1H{written}{behind}m{rest}")
    return ("".join(drawn) + "\x1b[0m").encode()


def code_of(colour: str, *, true_colours: bool) -> str:
    """Return a colour like #7cb7ff, or #7bf, as the end of an escape sequence."""
    digits = colour.removeprefix("#")
    if len(digits) == len("7bf"):
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = (int(digits[at : at + 2], 16) for at in (0, 2, 4))
    if true_colours:
        return f"2;{red};{green};{blue}"
    return f"5;{of_256(red, green, blue)}"


def of_256(red: int, green: int, blue: int) -> int:
    """Return the number of the colour that a terminal with 256 of them shows instead, as Textual chooses it."""
    high, low = max(red, green, blue) / 255, min(red, green, blue) / 255
    light = (high + low) / 2
    room = 2 * light if light <= 0.5 else 2 - 2 * light  # noqa: PLR2004  the middle
    if high == low or (high - low) / room < GREY_SATURATION:
        grey = round(light * 25)
        return 16 if grey == 0 else 231 if grey == 25 else 231 + grey  # noqa: PLR2004  black, white, and between
    sixth = [value / 95 if value < 95 else 1 + (value - 95) / 40 for value in (red, green, blue)]  # noqa: PLR2004  the steps of the cube
    return 16 + 36 * round(sixth[0]) + 6 * round(sixth[1]) + round(sixth[2])

"""Output of the command line: colours on terminals only, symbols next to colours, tables, JSON, and messages."""

from __future__ import annotations

import os
import sys

from devinit.masking import masked_data
from devinit.system import terminal
from devinit.text import pad, plain, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TextIO

GREEN, YELLOW, RED, DIM, BOLD, RESET = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[1m", "\x1b[0m"
SEVERAL = ("36", "35", "34", "32", "33", "96", "95", "94")
"""Colours that distinguish several items; red is reserved for failures."""


class Paint:
    """Colours for one stream, or none."""

    def __init__(self, stream: TextIO) -> None:
        self._on = wants_color(stream)

    def good(self, text: str) -> str:
        """Paint a text about a good state."""
        return self._paint(GREEN, text)

    def attention(self, text: str) -> str:
        """Paint a text that needs the user's attention."""
        return self._paint(YELLOW, text)

    def bad(self, text: str) -> str:
        """Paint a text about a failure."""
        return self._paint(RED, text)

    def dim(self, text: str) -> str:
        """Paint a text of minor importance."""
        return self._paint(DIM, text)

    def bold(self, text: str) -> str:
        """Paint an emphasised text."""
        return self._paint(BOLD, text)

    def distinct(self, text: str, number: int) -> str:
        """Paint one of several adjacent items in its own colour."""
        return self._paint(f"\x1b[{SEVERAL[number % len(SEVERAL)]}m", text)

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{RESET}" if self._on and text else text


def wants_color(stream: TextIO) -> bool:
    """Whether a stream is a terminal that supports colours, which the user has not turned off."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_quiet() -> bool:
    """Whether the user wants no messages (QUIET=true)."""
    return is_true(os.environ.get("QUIET", ""))


def is_true(value: str) -> bool:
    """Whether the value of an environment variable turns a switch on."""
    return value.strip().lower() in ("1", "true", "yes", "on")


def columns_of(stream: TextIO) -> int | None:
    """Return the width of the terminal of a stream; None if it is no terminal."""
    if not stream.isatty():
        return None
    return size_of(stream)[0]


def size_of(stream: TextIO) -> tuple[int, int]:
    """Return the current columns and lines of a terminal; 80 by 24 if unknown."""
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        columns, lines = 0, 0
    return columns or 80, lines or 24


def talk(text: str) -> None:
    """Print a message that is not the result to standard error, unless the user wants quiet."""
    if not is_quiet():
        terminal.write(sys.stderr, [wrapped(plain(text), columns_of(sys.stderr))])


def wrapped(text: str, columns: int | None) -> str:
    """Return a text with line breaks between words if the terminal is too narrow for it."""
    if columns is None or max(map(width, text.split("\n"))) <= columns:
        return text
    from textwrap import fill  # few texts are that long

    return "\n".join(
        fill(line, max(columns, 20), break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    )


def symbol(good: str, plain: str, stream: TextIO) -> str:
    """Return `good` if the stream can encode it, else `plain`."""
    try:
        good.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return plain
    return good


def print_json(value: Any) -> None:
    """Print a result as one line of JSON, with secrets masked. Any: data from the wire."""
    print_whole_json(masked_data(value))


def print_whole_json(value: Any) -> None:
    """Print a result as one line of JSON, unmasked: for the text of files, which `***` would corrupt."""
    from devinit.control import wire  # only with --json

    text = wire.encode(value)
    try:
        text.encode(sys.stdout.encoding)
    except (UnicodeEncodeError, LookupError):
        # An 8-bit locale, or a path that is not UTF-8: JSON has escapes for both.
        import json

        text = json.dumps(value)
    # Each line is written at once for readers of events. An escaped name is safe to display and still the same.
    terminal.data(escaped(text) + "\n")


def escaped(text: str) -> str:
    """Return JSON with an escape for each unprintable character, which programs read as the same text."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else escape(each) for each in text)


def escape(character: str) -> str:
    """Return the JSON escape of a character; beyond U+FFFF, a pair of surrogates."""
    code = ord(character)
    if code <= 0xFFFF:  # noqa: PLR2004  the last that needs no pair
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def table(rows: Sequence[Sequence[str]], *, header: Sequence[str]) -> list[str]:
    """Return rows in aligned columns under a header; the last column is not padded."""
    every = [header, *rows]
    widths = [max(width(row[column]) for row in every) for column in range(len(header) - 1)]
    return ["  ".join([*map(pad, row[:-1], widths), row[-1]]).rstrip() for row in every]

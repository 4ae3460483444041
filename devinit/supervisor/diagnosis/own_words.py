"""Distinguish a program's error line from ordinary ones by its words, where no table knows the message. Pure.

A program that ends without a traceback may have printed the reason in its own words ("no DB url"), or may have
printed none: its last line is then about something else, and is reported as such.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LAST_LINES = 3
"""A program that prints why it ends may still print a farewell."""
SOUNDS_LIKE_AN_ERROR = (
    r"(?i)(?<!\b0 )\b(?<!no )(?:errors?|fail(?:ed|s|ure)?|fatal|panic(?:ked)?|exception|abort(?:ed|ing)?)\b"
    r"|\b(?:cannot|can't|couldn't|could not|unable|missing|invalid|illegal|required?|refused|denied|forbidden"
    r"|unknown|undefined|unsupported|unexpected|exceeded|corrupt(?:ed)?|killed|segmentation|must|needs?|expired"
    r"|not (?:found|set|allowed|permitted|supported|defined|configured|available|exist)|out of memory"
    r"|does(?: not|n't) exist|no (?!errors?\b|longer\b|changes?\b|problems?\b)\w+|in use)\b"
    r"|(?-i:\w(?:Error|Exception)\b|\bE[A-Z]{4,}\b)"
)
"""English words of failure, exceptions by their names, and errno's (ECONNREFUSED)."""
ORDINARY = (
    r"(?i)\b(?:listening|serving|started|starting|running|ready|connected|watching|accepting|loaded|initiali[sz]ed"
    r"|compiled|built|shutting down|stopp(?:ed|ing)|bye)\b|https?://|\"?(?:GET|POST|HEAD|PUT) /"
)
FRAME = r"^\s*(?:\d+: |at |-{3,} )"
"""A frame of a stack, or the line above one."""


def error_line(own: Sequence[str]) -> str | None:
    """Return the last line of a program that sounds like an error. `own`: its lines, without its reloader's."""
    last = [line for line in own if line.strip() and not re.search(FRAME, line)][-LAST_LINES:]
    return next((line.strip() for line in reversed(last) if re.search(SOUNDS_LIKE_AN_ERROR, line)), None)


def is_ordinary(line: str) -> bool:
    """Return whether a line is about a program that works."""
    return re.search(ORDINARY, line) is not None and re.search(SOUNDS_LIKE_AN_ERROR, line) is None


def with_last_line(said: str, own: Sequence[str]) -> str:
    """Return a text about a program's end, with the last line that it printed itself, which may tell more."""
    last = next((line.strip() for line in reversed(own) if line.strip() and not re.search(FRAME, line)), "")
    return f"{said}; its last line: {last}" if last else said

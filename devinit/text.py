"""Text that came from somewhere else, made safe and made to fit: what services print, commands, reasons.

A terminal obeys what it is shown. A log line that clears the screen, sets the title or answers a query must
not do so when somebody reads it later.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SEQUENCES = (
    r"(?m)\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements, erasing
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # OSC, DCS, SOS, PM, APC: titles, links; up to their end or the line's
    r"|\x1b[ -/]*[0-~]"  # every other escape sequence
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # control characters but tab and line break; C1 has an 8-bit CSI
)
"""What a terminal would obey (ECMA-48, ISO 2022). Compiled when it is first needed: many commands never do."""
COLOUR = r"\x1b\[[0-9;:]*m"
"""SGR: colours and weights. All that is let through."""
RESET = "\x1b[0m"
ELLIPSIS = "…"


def plain(text: str) -> str:
    """Return text without anything that a terminal would obey; tabs and line breaks stay."""
    if text.isprintable():
        return text
    import re  # 5 ms with what it needs, which many a command never does

    return re.sub(SEQUENCES, "", text)


def coloured(text: str) -> str:
    """Return text of which only the colours are left; they end with it."""
    if text.isprintable():
        return text
    import re  # as above

    kept = re.sub(SEQUENCES, lambda found: found[0] if re.fullmatch(COLOUR, found[0]) else "", text)
    return kept + RESET if "\x1b" in kept else kept


def last_state(line: str) -> str:
    """Return what a terminal would show of a line that was written over: the last state of a progress bar."""
    if "\r" not in line:
        return line
    return next((part for part in reversed(line.split("\r")) if part), "")


def one_line(text: str) -> str:
    """Return text on one line, for places that have no more: a command with line breaks in it, a reason."""
    return " ".join(plain(text.replace("\r", " ")).split())


def without_folder(program: str) -> str:
    """Return a program without its folder: "vite".

    In a title that a process gave itself ("node /srv/api.js") the program is the first word.
    """
    title = " /" in program or (" " in program and not program.startswith("/"))
    first, space, words = program.partition(" ") if title else (program, "", "")
    return (first.rpartition("/")[2] or first) + space + words


def width(text: str) -> int:
    """Return how many cells of a terminal a text takes; it must be plain."""
    if text.isascii():
        return len(text)
    return sum(map(cells, text))


def cells(character: str) -> int:
    """Return how many cells a character takes: 0 when it joins the one before, 2 for East Asian and emoji."""
    if character < "\u0300":
        return 1
    import unicodedata  # most output has no such characters

    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, columns: int, ellipsis: str = ELLIPSIS) -> str:
    """Return as much of a text as fits, with a sign when something is missing."""
    if width(text) <= columns:
        return text
    left = columns - width(ellipsis)
    if left < 0:
        return ""
    for position, character in enumerate(text):
        left -= cells(character)
        if left < 0:
            return text[:position].rstrip() + ellipsis
    return text


def pad(text: str, columns: int) -> str:
    """Return a text with spaces up to a width."""
    return text + " " * (columns - width(text))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, if there is one."""
    import difflib  # 1 ms that only a mistake pays

    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return close[0] if close else None


def duration(seconds: float) -> str:
    """Return a time span as a person would say it: 85 ms, 2.4 s, 3 min, 2 h."""
    if seconds < 0.9995:  # noqa: PLR2004  what is more would be rounded to 1000 ms
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:  # noqa: PLR2004  tenths stop to matter
        return f"{seconds:.1f} s"
    if seconds < 5400:  # noqa: PLR2004  an hour and a half
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"

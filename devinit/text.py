"""Foreign text, made safe to show and cut to size: output of services, commands, reasons.

A terminal executes control sequences in its input. A log line that clears the screen, sets the title or answers a
query must not do so when a user reads it later. A name with controls for the writing direction must not look like
another name. A password in the command line of a foreign process must not be shown. `plain` and `one_line` remove
all three before a text is cut, because no pattern recognises half a URL. `devinit.system.terminal` removes them
again from all output.
"""

from __future__ import annotations

from devinit.masking import masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SEQUENCES = (
    r"(?m)\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements, erasing
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # OSC, DCS, SOS, PM, APC: titles, links; up to their end or the line's
    r"|\x1b[ -/]*[0-~]"  # every other escape sequence
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # control characters but tab and line break; C1 has an 8-bit CSI
    r"|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f]"  # what turns the direction of writing
    r"|[\ud800-\udfff]"  # undecodable bytes: adjacent ones might form a control character
)
"""Control sequences of terminals (ECMA-48, ISO 2022), and characters that disguise a text (Unicode TR36).

The marks U+200E, U+200F and U+061C are included: they only move neighbouring signs, but they are invisible.
Compiled on first use, because many commands never need it.
"""
COLOUR = r"\x1b\[[0-9;:]*m"
"""SGR sequences for colours and weights, the only ones that are kept."""
LINK = r"\x1b\]8;[^;\x07\x1b]{0,200};(?P<url>https?://[!-~]{1,2000}|)(?:\x07|\x1b\\)"
"""OSC 8: the beginning or the end of a link to a page."""
RESET, LINK_END = "\x1b[0m", "\x1b]8;;\x1b\\"
ELLIPSIS = "…"
MOST_COMPARED = 300
"""In a longer list, no similar name is searched: each takes about 30 µs."""
LONGEST_COMPARED = 100
"""In characters. A longer text is not a mistyped name."""
MOST_LISTED = 50
"""The maximum number of names in a message."""
NO_TEXT = "\ufffd"
"""The replacement for bytes that cannot be decoded, as everywhere in Python."""


def plain(text: str) -> str:
    """Return text that is safe to show: without secrets and control sequences.

    Tabs and line breaks stay.
    """
    return masked(harmless(text))


def harmless(text: str) -> str:
    """Return text without control sequences; tabs, line breaks and passwords stay."""
    if is_harmless(text):
        return text
    import re  # 5 ms with its own imports, which many commands never need

    return re.sub(SEQUENCES, lambda found: replacement(found[0]), text)


def coloured(text: str) -> str:
    """Return harmless text with its colours, which are reset at its end; secrets stay."""
    if is_harmless(text) or is_only_coloured(text):
        return text
    import re  # as above

    kept = re.sub(
        SEQUENCES, lambda found: found[0] if re.fullmatch(COLOUR, found[0]) else replacement(found[0]), text
    )
    return kept + RESET if "\x1b" in kept else kept


def linked(text: str) -> str:
    """Return the same, with links to pages (OSC 8), which are closed at its end."""
    if "\x1b]8;" not in text:
        return coloured(text)
    import re  # as above

    is_open = False

    def kept(found: re.Match[str]) -> str:
        nonlocal is_open
        if re.fullmatch(COLOUR, found[0]):
            return found[0]
        if (link := re.fullmatch(LINK, found[0])) is None:
            return replacement(found[0])
        before, is_open = is_open, bool(link["url"])
        return f"\x1b]8;;{link['url']}\x1b\\" if before or is_open else ""

    shown = re.sub(SEQUENCES, kept, text)
    return shown + (LINK_END if is_open else "") + (RESET if "\x1b" in shown else "")


def is_harmless(text: str) -> bool:
    """Whether a text has no control sequences. The check is quick; False only means "probably not"."""
    return text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable()


def is_only_coloured(text: str) -> bool:
    """Whether the only control sequences of a text are colours that are reset at its end. Quick, as above."""
    first, *rest = text.split("\x1b[")
    parts = [part.partition("m") for part in rest]
    return (
        bool(parts)
        and parts[-1][0] == "0"
        and all(end and code.isascii() and code.replace(";", "").isdigit() for code, end, _ in parts)
        and is_harmless(first + "".join(after for _, _, after in parts))
    )


def replacement(found: str) -> str:
    """Return the replacement for a character that is not shown."""
    return NO_TEXT if "\ud800" <= found <= "\udfff" else ""


def last_state(line: str) -> str:
    """Return the visible state of an overwritten line: the last state of a progress bar."""
    if "\r" not in line:
        return line
    return next((part for part in reversed(line.split("\r")) if part), "")


def one_line(text: str) -> str:
    """Return text that is safe to show as a single line: a command, a reason."""
    return " ".join(plain(text.replace("\r", " ")).split())


def without_folder(program: str) -> str:
    """Return a program without its folder: "vite".

    In a title that a process set itself ("node /srv/api.js"), the program is the first word.
    """
    title = " /" in program or (" " in program and not program.startswith("/"))
    first, space, words = program.partition(" ") if title else (program, "", "")
    return (first.rpartition("/")[2] or first) + space + words


def width(text: str) -> int:
    """Return the width of a plain text in terminal cells."""
    if text.isascii():
        return len(text)
    return sum(map(cells, text))


def cells(character: str) -> int:
    """Return the width of a character in cells: 0 if it joins the previous one, 2 for East Asian and emoji."""
    if character < "\u0300":
        return 1
    import unicodedata  # most output has no such characters

    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, columns: int, ellipsis: str = ELLIPSIS) -> str:
    """Return a text cut to a number of columns, with an ellipsis if anything is missing."""
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


def shortened(text: str, most: int) -> str:
    """Return the first `most` characters of a text, followed by the number of missing ones."""
    missing = len(text) - most
    return text if missing <= 0 else f"{text[:most]}{ELLIPSIS} [{missing:,} more characters]"


def pad(text: str, columns: int) -> str:
    """Return a text padded with spaces to a width."""
    return text + " " * (columns - width(text))


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 line, 2,000 lines."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the most similar known name, if any."""
    import difflib  # 1 ms that only a mistake pays

    names = list(known)
    if len(names) > MOST_COMPARED or len(name) > LONGEST_COMPARED:
        return None
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return close[0] if close else None


def listed(names: Sequence[str]) -> str:
    """Return the first names of a list, and the number of others."""
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def duration(seconds: float) -> str:
    """Return a time span in words: 85 ms, 2.4 s, 3 min, 2 h."""
    if seconds < 0.9995:  # noqa: PLR2004  what is more would be rounded to 1000 ms
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:  # noqa: PLR2004  tenths stop to matter
        return f"{seconds:.1f} s"
    if seconds < 5400:  # noqa: PLR2004  an hour and a half
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"

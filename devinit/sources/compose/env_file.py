"""The variables of a `.env` file for a compose file, or of an `env_file` for its services. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devinit.sources.interpolation import LONGEST_VALUE, Unreadable, expanded, pieces_of

MOST_LINES = 2_000
LONGEST_SUM = 100_000
"""The maximum length of all values together, after substitution, in characters."""
_LINE = re.compile(r"[ \t]{0,100}(?:export[ \t]{1,100})?([A-Za-z_][\w.-]{0,200})[ \t]{0,100}=(.{0,20000})")
_COMMENT = re.compile(r"[ \t]#")


def statements(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line number, name and raw value of each statement, without quotes."""
    for number, line in enumerate(text.split("\n")[:MOST_LINES], start=1):
        found = _LINE.fullmatch(line.rstrip("\r"))
        if found is not None:
            yield number, found[1], _value(found[2].strip())


def _value(text: str) -> str:
    quote = text[:1]
    if quote in ("'", '"') and quote:
        end = text.find(quote, 1)
        if end > 0:
            inner = text[1:end]
            return inner.replace("$", "$$") if quote == "'" else inner
    comment = _COMMENT.search(f" {text}")
    return (f" {text}"[: comment.start()] if comment else text).strip()


def names_in(text: str) -> dict[str, str]:
    """Return the variables; a value may refer to variables above it."""
    names: dict[str, str] = {}
    length = 0
    for _, name, written in statements(text):
        if len(written) > LONGEST_VALUE:
            continue
        try:
            value = expanded(pieces_of(written), names)
        except Unreadable:
            value = written
        length += len(value)
        if length > LONGEST_SUM:
            break
        names[name] = value
    return names

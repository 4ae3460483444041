"""Interpolate `$NAME` and `${NAME:-default}` in the files of compose and of process-compose. Pure.

Each value is needed in two forms. With its variables replaced, it shows what the service is. As a template of
devinit, it still names the variables, because the values in `.env` do not belong in a devinit.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

LONGEST_VALUE = 8_000
"""In characters. Variables whose defaults name variables could multiply the length."""
DEEPEST = 10
_START = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(:?[-?+])?)")


class Variable(Struct, frozen=True):
    """A reference such as `${NAME:-default}`."""

    name: str
    operator: str = ""
    """One of `:-`, `-`, `:?`, `?`, `:+`, `+`, or ""."""
    operand: Pieces = ()


Pieces: TypeAlias = tuple[str | Variable, ...]


class Unreadable(ValueError):
    """Raised for a value with malformed variables, or for one that becomes too long."""


def pieces_of(text: str) -> Pieces:
    """Split a value into text and variables. Raise Unreadable."""
    pieces, end = _pieces(text[: LONGEST_VALUE + 1], 0, 0)
    if end > LONGEST_VALUE:
        raise Unreadable(f"it has more than {LONGEST_VALUE:,} characters")
    return pieces


def _pieces(text: str, start: int, depth: int) -> tuple[Pieces, int]:
    pieces: list[str | Variable] = []
    position = start
    while position < len(text):
        dollar = text.find("$", position)
        brace = text.find("}", position) if depth else -1
        if brace >= 0 and (dollar < 0 or brace < dollar):
            pieces.append(text[position:brace])
            return tuple(filter(None, pieces)), brace
        if dollar < 0:
            if depth:
                break
            pieces.append(text[position:])
            return tuple(filter(None, pieces)), len(text)
        pieces.append(text[position:dollar])
        variable, position = _variable(text, dollar, depth)
        pieces.append(variable)
    if depth:
        raise Unreadable("a brace is not closed")
    return tuple(filter(None, pieces)), position


def _variable(text: str, start: int, depth: int) -> tuple[str | Variable, int]:
    found = _START.match(text, start)
    if found is None:
        if text.startswith("${", start):
            raise Unreadable("a name is expected after ${")
        return "$", start + 1
    if found[1]:
        return "$", found.end()
    if found[2]:
        return Variable(found[2]), found.end()
    if depth == DEEPEST:
        raise Unreadable(f"it has more than {DEEPEST} variables within each other")
    operand: Pieces = ()
    end = found.end()
    if found[4]:
        operand, end = _pieces(text, end, depth + 1)
    if not text.startswith("}", end):
        raise Unreadable("a brace is not closed")
    return Variable(found[3], found[4] or "", operand), end + 1


def expanded(pieces: Pieces, names: Mapping[str, str]) -> str:
    """Return the value that compose would use; a variable without a value is empty. Raise Unreadable."""
    parts: list[str] = []
    length = 0
    for part in _expanded(pieces, names):
        length += len(part)
        if length > LONGEST_VALUE:
            raise Unreadable(f"it has more than {LONGEST_VALUE:,} characters")
        parts.append(part)
    return "".join(parts)


def _expanded(pieces: Pieces, names: Mapping[str, str]) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, str):
            yield piece
            continue
        value = names.get(piece.name)
        has_value = bool(value) if piece.operator.startswith(":") else value is not None
        if piece.operator.endswith("+"):
            if has_value:
                yield from _expanded(piece.operand, names)
        elif has_value:
            yield value or ""
        elif piece.operator.endswith("-"):
            yield from _expanded(piece.operand, names)


def variables_in(pieces: Pieces) -> Iterator[Variable]:
    """Yield the variables of a value, including those in defaults."""
    for piece in pieces:
        if isinstance(piece, Variable):
            yield piece
            yield from variables_in(piece.operand)


def missing(pieces: Pieces, names: Mapping[str, str]) -> str | None:
    """Return the first required variable (`${NAME:?}`) without a value, which stops compose; else None."""
    for each in variables_in(pieces):
        if each.operator.endswith("?") and not names.get(each.name):
            return each.name
    return None


def template(pieces: Pieces, names: Mapping[str, str]) -> str:
    """Return the value as a template of devinit that still names its variables."""
    return "".join(_template(pieces, names))


def _template(pieces: Pieces, names: Mapping[str, str]) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, str):
            yield literal(piece)
        elif piece.operator.endswith("+"):
            yield literal(expanded((piece,), names))
        else:
            default = template(piece.operand, names) if piece.operator.endswith("-") else ""
            is_empty = piece.operator == "-" and names.get(piece.name) == ""
            yield f"${{{piece.name}:-{'' if is_empty else default}}}"


def literal(text: str) -> str:
    """Return a text escaped for a template."""
    return text.replace("$", "$$")

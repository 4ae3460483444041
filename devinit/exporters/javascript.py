"""Render JavaScript literals. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
LONGEST_LINE = 100


class Expression(Struct, frozen=True):
    """JavaScript code that is written unchanged."""

    code: str


Node: TypeAlias = "str | int | float | bool | Expression | Mapping[str, Node] | Sequence[Node]"


def literal(value: str | float | bool) -> str:
    """Return a literal in ASCII: U+2028 ends a line in older engines."""
    return json.dumps(value)


def rendered(node: Node, depth: int = 0) -> str:
    """Return a value as a person would have written it."""
    if isinstance(node, Expression):
        return node.code
    if isinstance(node, Mapping):
        entries = [f"{_key(key)}: {rendered(value, depth + 1)}" for key, value in node.items()]
        return _enclosed("{", entries, "}", depth, is_short=False)
    if isinstance(node, Sequence) and not isinstance(node, str):
        entries = [rendered(each, depth + 1) for each in node]
        return _enclosed("[", entries, "]", depth, is_short=True)
    return literal(node)


def _enclosed(opening: str, entries: Sequence[str], closing: str, depth: int, *, is_short: bool) -> str:
    if not entries:
        return opening + closing
    flat = f"{opening}{', '.join(entries)}{closing}"
    if is_short and len(flat) + 2 * depth <= LONGEST_LINE and "\n" not in flat:
        return flat
    return "\n".join((opening, *_lines(entries, "  " * (depth + 1)), "  " * depth + closing))


def _lines(entries: Sequence[str], indent: str) -> Iterator[str]:
    return (f"{indent}{each}," for each in entries)


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else literal(key)

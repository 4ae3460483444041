"""Render YAML that all parsers read alike: texts are quoted, so that none is a number, a date or `yes`. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Node: TypeAlias = "str | int | float | bool | Mapping[str, Node] | Sequence[Node] | None"
_PLAIN_KEY = re.compile(r"[A-Za-z_][\w.-]*")
LAST_OF_FOUR_DIGITS = 0xFFFF
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


class Anchored(dict[str, Node]):
    """A mapping with an anchor that others refer to."""

    def __init__(self, anchor: str, items: Mapping[str, Node]) -> None:
        super().__init__(items)
        self.anchor = anchor


class Merged(dict[str, Node]):
    """A mapping with all entries of an anchored one, and more."""

    def __init__(self, anchor: str, items: Mapping[str, Node]) -> None:
        super().__init__(items)
        self.anchor = anchor


def rendered(node: Mapping[str, Node]) -> str:
    """Return a document."""
    return "".join(f"{line}\n" for line in _mapping(node, 0))


def text(value: str) -> str:
    """Return a text in double quotes."""
    # YAML forbids some characters that JSON allows, and does not combine surrogate pairs as JSON does.
    return "".join(
        each if each.isprintable() else _escaped(each) for each in json.dumps(value, ensure_ascii=False)
    )


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number <= LAST_OF_FOUR_DIGITS else f"\\U{number:08x}"


def _mapping(node: Mapping[str, Node], depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(node, Merged):
        yield f"{indent}<<: *{node.anchor}"
    for key, value in node.items():
        yield from _entry(f"{indent}{_key(key)}:", value, depth)


def _entry(start: str, value: Node, depth: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        if not value and not isinstance(value, Merged):
            yield f"{start} {{}}"
        else:
            yield f"{start} &{value.anchor}" if isinstance(value, Anchored) else start
            yield from _mapping(value, depth + 1)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if all(not isinstance(each, Mapping | list | tuple) for each in value):
            flat = ", ".join(_scalar(each) for each in value)
            if len(flat) <= 80:  # noqa: PLR2004 - what one line shows
                yield f"{start} [{flat}]"
                return
        yield start
        yield from _items(value, depth + 1)
    else:
        yield f"{start} {_scalar(value)}"


def _items(values: Sequence[Node], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for each in values:
        if isinstance(each, Mapping):
            first, *rest = _mapping(each, depth + 1)
            yield f"{indent}- {first.lstrip()}"
            yield from rest
        else:
            yield f"{indent}- {_scalar(each)}"


def _scalar(value: Node) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    assert isinstance(value, str)  # noqa: S101 - the rest was taken apart before
    return text(value)


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) and key.lower() not in _RESERVED else text(key)

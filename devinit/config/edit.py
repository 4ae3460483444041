"""Edits of a single key in devinit.toml: comments, order and layout belong to the developer and stay.

A line is replaced or added, then both texts are parsed. If they differ in anything but that key, the file stays
unchanged: an unusual layout is left to the developer, and the message names the line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from devinit.config.problems import dotted

_HEADER = re.compile(r"\s*\[")
_VALUE = r"""("[^"]*"|'[^']*')"""


def with_key(text: str, path: Sequence[str], key: str, value: str) -> str | None:
    """Return the text with a key of the table at `path` set to a plain word; None if the result is uncertain."""
    lines = text.split("\n")
    start = next((number for number, line in enumerate(lines) if _table_of(line) == list(path)), None)
    if start is None:
        changed = _with_table(text, path, key, value)
    else:
        rest = range(start + 1, len(lines))
        end = next((number for number in rest if _HEADER.match(lines[number])), len(lines))
        section = _with_line(lines[start + 1 : end], key, value)
        changed = "\n".join([*lines[: start + 1], *section, *lines[end:]])
    try:
        return changed if tomllib.loads(changed) == _expected(text, path, key, value) else None
    except (tomllib.TOMLDecodeError, AttributeError, TypeError):
        return None


def _with_table(text: str, path: Sequence[str], key: str, value: str) -> str:
    """Return the text with a new table at the end, for a service that was only detected."""
    newline = "\r\n" if "\r\n" in text else "\n"
    above = text.rstrip("\r\n")
    begun = [above, ""] if above else []
    return newline.join([*begun, f"[{dotted(tuple(path))}]", f'{key} = "{value}"', ""])


def _with_line(section: list[str], key: str, value: str) -> list[str]:
    """Return the lines of a table with a key replaced, or added after the last one."""
    stated = re.compile(rf"(\s*{key}\s*=\s*){_VALUE}")
    for number, line in enumerate(section):
        if match := stated.match(line):
            replaced = f'{match[1]}"{value}"{line[match.end() :]}'
            return [*section[:number], replaced, *section[number + 1 :]]
    content = [number for number, line in enumerate(section) if line.strip() and line.strip()[0] != "#"]
    last = content[-1] + 1 if content else 0
    first = section[content[0]] if content else ""
    indent = first[: len(first) - len(first.lstrip())]
    ending = "\r" if section and section[0].endswith("\r") else ""
    return [*section[:last], f'{indent}{key} = "{value}"{ending}', *section[last:]]


def _table_of(line: str) -> list[str] | None:
    """Return the path of the table that begins in this line, or None."""
    if not _HEADER.match(line):
        return None
    try:
        table = tomllib.loads(line.rstrip())
    except tomllib.TOMLDecodeError:
        return None
    path = []
    while isinstance(table, dict) and len(table) == 1:
        [(name, table)] = table.items()
        path.append(name)
    return path if table == {} else None


def _expected(text: str, path: Sequence[str], key: str, value: str) -> dict[str, Any]:
    document = deepcopy(tomllib.loads(text))
    table = document
    for name in path:
        table = table.setdefault(name, {})
    table[key] = value
    return document

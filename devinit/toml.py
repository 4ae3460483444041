"""TOML within bounds: `tomllib` takes a time that grows with the square of the number of a key's parts.

A line of 100 KB (`[a.a.a…]`) cost 9 s, one of 500 KB more than a minute (measured with Python 3.11).
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

MOST_PARTS = 32
"""Of a dotted key. The longest that devinit reads have six: `profiles.ci.services.web.environment.NAME`."""
TOO_DEEP = "it is nested too deeply"
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(
    rf"(?:^|[{{,])[ \t\[]*+(?P<key>{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MOST_PARTS}}})", re.MULTILINE
)
"""Text that only looks like such a key, in a string of several lines, is refused as well: no real file has any."""


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of a text (Any: nothing about them has been checked).

    Raise TOMLDecodeError, which names the place, for what is no TOML and for keys of more than MOST_PARTS parts;
    RecursionError for tables that are nested too deeply; ValueError for numbers of thousands of digits.
    """
    if (found := _LONG_KEY.search(text)) is not None:
        line = text.count("\n", 0, found.start("key")) + 1
        column = found.start("key") - text.rfind("\n", 0, found.start("key"))
        raise tomllib.TOMLDecodeError(
            f"A key has more than {MOST_PARTS} parts (at line {line}, column {column})"
        )
    return tomllib.loads(text)

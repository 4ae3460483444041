"""TOML within limits: the time of `tomllib` grows with the square of the number of parts in a key.

A line of 100 KB (`[a.a.a…]`) took 9 s, one of 500 KB more than a minute (measured with Python 3.11).
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

MOST_PARTS = 32
"""The maximum for a dotted key. devinit's longest has six: `profiles.ci.services.web.environment.NAME`."""
TOO_DEEP = "it is nested too deeply"
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(
    rf"(?:^|[{{,])[ \t\[]*+(?P<key>{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MOST_PARTS}}})", re.MULTILINE
)
"""It also refuses text in a multi-line string that looks like such a key, which no real file has."""


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of a text (Any: the values are unchecked).

    Raise TOMLDecodeError, with the position, for invalid TOML and for keys of more than MOST_PARTS parts;
    RecursionError for tables that are nested too deeply; ValueError for numbers with thousands of digits.
    """
    if (found := _LONG_KEY.search(text)) is not None:
        line = text.count("\n", 0, found.start("key")) + 1
        column = found.start("key") - text.rfind("\n", 0, found.start("key"))
        raise tomllib.TOMLDecodeError(
            f"A key has more than {MOST_PARTS} parts (at line {line}, column {column})"
        )
    return tomllib.loads(text)

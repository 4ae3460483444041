"""Versions of interpreters and tools as numbers. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

Version: TypeAlias = tuple[int, ...]
"""A version such as `(3, 12, 4)`. A shorter one leaves the rest open: `(3, 12)` is any 3.12."""

LONGEST = 200
"""In characters of a version or range; handwritten ones are shorter."""
UNBOUNDED = 10**9
"""Stands for the highest patch release."""
_NUMBERS = re.compile(r"[vV=]?(\d{1,9}(?:\.\d{1,9}){0,3})")


def version_of(text: str) -> Version | None:
    """Return the numbers at the start of a text: (20, 11, 0) for `v20.11.0`; None without any."""
    found = _NUMBERS.match(text.strip()[:LONGEST])
    return tuple(map(int, found[1].split("."))) if found else None


def shown(version: Version) -> str:
    """Return a version as text: `3.12.4`."""
    return ".".join(map(str, version))


def padded(version: Version, filler: int = 0) -> Version:
    """Return a version with all three numbers."""
    return (*version, filler, filler, filler)[:3]


def whatever_the_rest(version: Version, is_allowed: Callable[[Version], bool]) -> bool | None:
    """Return whether a version is allowed whatever its unknown numbers are; None when they decide."""
    first, last = is_allowed(padded(version)), is_allowed(padded(version, UNBOUNDED))
    return first if first == last else None

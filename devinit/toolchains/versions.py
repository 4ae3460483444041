"""Versions of interpreters and tools as numbers. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

Version: TypeAlias = tuple[int, ...]
"""`(3, 12, 4)`. Shorter where only so much is known: `(3, 12)` is some 3.12."""

LONGEST = 200
"""Characters of a version or a range that are looked at; nothing that a person writes is longer."""
UNBOUNDED = 10**9
"""Stands for the highest patch release."""
_NUMBERS = re.compile(r"[vV=]?(\d{1,9}(?:\.\d{1,9}){0,3})")


def version_of(text: str) -> Version | None:
    """Return the numbers at the beginning of a text, behind a `v`; None without any. `v20.11.0` → (20, 11, 0)."""
    found = _NUMBERS.match(text.strip()[:LONGEST])
    return tuple(map(int, found[1].split("."))) if found else None


def shown(version: Version) -> str:
    """Return a version as it is written: `3.12.4`."""
    return ".".join(map(str, version))


def padded(version: Version, filler: int = 0) -> Version:
    """Return a version with all of its three numbers."""
    return (*version, filler, filler, filler)[:3]


def whatever_the_rest(version: Version, is_allowed: Callable[[Version], bool]) -> bool | None:
    """Return what holds for a version of which the last numbers may be unknown; None where they decide."""
    first, last = is_allowed(padded(version)), is_allowed(padded(version, UNBOUNDED))
    return first if first == last else None

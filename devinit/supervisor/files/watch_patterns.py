"""The patterns of `watch`: which files they match, and in which folders these lie. Pure.

`*` and `?` stay within a folder, `**` crosses folders; the name of a folder matches everything in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import takewhile

from devinit.model.names import OWN_FOLDER
from devinit.system.matching import PatternTooSlow, is_found

IGNORED = frozenset({".git", "node_modules", ".venv", "venv", "__pycache__", OWN_FOLDER})


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return a predicate that tells whether a path, relative to the service's folder, matches a pattern."""
    expressions = [rf"\A(?:{expression_of(pattern)})\Z" for pattern in with_folders(patterns)]

    def matches(path: str) -> bool:
        if IGNORED.intersection(path.split("/")):
            return False
        try:
            return any(is_found(expression, path) for expression in expressions)
        except PatternTooSlow:
            return (
                True  # Caused by many `**` in one pattern. A restart too many is better than a missed change.
            )

    return matches


def with_folders(patterns: Iterable[str]) -> list[str]:
    """Return the patterns, with the content of folders that they name: `src` adds `src/**`."""
    found = []
    for pattern in patterns:
        plain = pattern.rstrip("/")
        found += [plain] if re.search(r"[*?]", plain.rpartition("/")[2]) else [plain, f"{plain}/**"]
    return found


def expression_of(pattern: str) -> str:
    """Return a pattern as a regular expression: `*` and `?` stay within a folder, `**` crosses folders."""
    found = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("./")):
        found += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part) or re.escape(part)
    return found


def reach(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return a predicate: may a pattern match files below a folder? "" is the service's own folder."""
    each_in_parts = [pattern.removeprefix("./").split("/") for pattern in patterns]

    def reaches(folder: str) -> bool:
        names = folder.split("/") if folder else []
        return IGNORED.isdisjoint(names) and any(_leads_below(parts, names) for parts in each_in_parts)

    return reaches


def _leads_below(parts: list[str], names: list[str]) -> bool:
    for part, name in zip(parts, names, strict=False):
        if "**" in part:
            return True
        if part != name and not re.search(r"[*?]", part):
            return False
    return len(names) < len(parts)


def folders_named_by(patterns: Iterable[str]) -> frozenset[str]:
    """Return the folders that patterns name before their first wildcard."""
    found = set()
    for pattern in patterns:
        parts = pattern.removeprefix("./").split("/")[:-1]
        named = list(takewhile(lambda part: not re.search(r"[*?]", part), parts))
        found |= {"/".join(named[:count]) for count in range(1, len(named) + 1)}
    return frozenset(found)

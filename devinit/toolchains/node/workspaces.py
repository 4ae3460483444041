"""Match the packages of a workspace: npm, yarn and bun list them in package.json, pnpm in its own file. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator
from typing import Any

PNPM_FILE = "pnpm-workspace.yaml"
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)")
LONGEST_PATTERN = 200
"""In characters."""


def stated_patterns(described: dict[str, Any], pnpm: str) -> Iterator[str]:
    """Yield the patterns of a workspace's packages; patterns with `!` exclude packages.

    They are in its package.json and in the text of its pnpm-workspace.yaml.
    """
    stated = described.get("workspaces")
    if isinstance(stated, dict):
        stated = stated.get("packages")
    yield from (each for each in stated if isinstance(each, str)) if isinstance(stated, list) else ()
    yield from _listed(pnpm)


def is_member(folder: str, patterns: Iterable[str]) -> bool:
    """Return whether a folder, relative to the workspace root, is one of its packages."""
    names, usable = folder.split("/"), [each for each in patterns if len(each) <= LONGEST_PATTERN]
    is_wanted = any(fits(names, parts_of(each)) for each in usable if not each.startswith("!"))
    return is_wanted and not any(fits(names, parts_of(each[1:])) for each in usable if each.startswith("!"))


def _listed(text: str) -> Iterator[str]:
    """Yield the patterns in a pnpm-workspace.yaml, one per line or all in brackets."""
    is_list = False
    for words in text.splitlines():
        plain = words.partition(" #")[0].rstrip()
        if not plain or plain.lstrip().startswith("#"):
            continue
        if is_list and (item := _ITEM.fullmatch(plain)):
            yield item[1].strip().strip("\"'")
        elif plain[0] not in " \t-":
            is_list = plain.startswith("packages:")
            inline = plain.removeprefix("packages:").strip()
            if is_list and inline.startswith("[") and inline.endswith("]"):
                yield from (each.strip().strip("\"'") for each in inline[1:-1].split(","))


def parts_of(pattern: str) -> list[str]:
    """Return the parts of a pattern: folder names or wildcards."""
    return [part for part in pattern.strip().strip("/").split("/") if part not in ("", ".")]


def fits(names: list[str], parts: list[str]) -> bool:
    """Return whether folder names match a pattern, in which `**` stands for any number of folders."""
    places = {0}
    for name in names:
        reached = _past_stars(places, parts)
        places = {
            place + 1 for place in reached if place < len(parts) and fnmatch.fnmatchcase(name, parts[place])
        }
        places |= {place for place in reached if place < len(parts) and parts[place] == "**"}
    return len(parts) in _past_stars(places, parts)


def _past_stars(places: set[int], parts: list[str]) -> set[int]:
    """Return the possible positions of a match, as each `**` may stand for no folder."""
    reached = set(places)
    for place in range(len(parts)):
        if place in reached and parts[place] == "**":
            reached.add(place + 1)
    return reached

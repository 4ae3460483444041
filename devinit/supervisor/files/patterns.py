"""Find the files that match a pattern with wildcards: `schema/**/*.graphql`.

`Path.glob` visits a folder once for each way in which `**` can lead there, which is too often for `**/**/**`, and
recurses for each level. Here each folder is visited once, with all parts of the pattern that may follow.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from fnmatch import translate
from pathlib import Path

from devinit.system.bounds import Bounds, bounds_within
from devinit.system.paths import is_legible
from devinit.system.walking import DEEPEST

MOST_FOLDERS = 20_000
"""Maximum number of folders searched for one pattern. The rest is ignored, as is everything deeper than
`DEEPEST`.
"""
_WILDCARDS = re.compile(r"[*?\[]")


def files_of(pattern: str, directory: Path, root: Path) -> Iterator[Path]:
    """Yield the files below a folder that match a pattern; `**` stands for any folders, and follows no link.

    From the first wildcard on, the pattern matches no link out of the project at `root`, and only names in UTF-8.
    """
    parts = [part for part in pattern.split("/") if part not in {"", "."}]
    first = next((count for count, part in enumerate(parts) if _WILDCARDS.search(part)), len(parts))
    base = directory.joinpath(*parts[:first])
    if first == len(parts):
        if base.is_file():
            yield base
        return
    bounds = bounds_within(root, directory)
    # A folder named in the pattern may lie elsewhere; its content then counts as inside.
    yield from _Search(parts[first:], Bounds(root, (*bounds.tops, os.path.realpath(base)))).below(base)


class _Search:
    """The part of a pattern from its first wildcard on. A position is the index of the part that follows."""

    def __init__(self, parts: list[str], bounds: Bounds) -> None:
        # `**` at the end stands for all files below.
        self._parts = [*parts, "*"] if parts[-1] == "**" else parts
        self._bounds = bounds
        self._inside: dict[tuple[int, int], bool] = {}
        """Device and inode of a link → whether it leads to something within the bounds."""
        self._matches = [re.compile(translate(part)).match for part in self._parts]

    def below(self, base: Path) -> Iterator[Path]:
        waiting = [(str(base), self._with_skipped({0}), 0)]
        searched = 0
        while waiting and searched < MOST_FOLDERS:
            folder, positions, depth = waiting.pop()
            searched += 1
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                if not is_legible(entry.name):
                    continue
                following = self._behind(entry, positions)
                if len(self._parts) in following and _is(entry.is_file):
                    yield Path(entry.path)
                following = following - {len(self._parts)}
                if following and depth < DEEPEST and _is(entry.is_dir):
                    waiting.append((entry.path, following, depth + 1))

    def _behind(self, entry: os.DirEntry[str], positions: frozenset[int]) -> frozenset[int]:
        """Return the positions that follow an entry of a folder."""
        found = set()
        for position in positions:
            if self._parts[position] != "**":
                if self._matches[position](entry.name):
                    found.add(position + 1)
            elif not entry.is_symlink():
                found.add(position)
        if found and entry.is_symlink() and not self._leads_inside(entry):
            return frozenset()
        return self._with_skipped(found)

    def _leads_inside(self, link: os.DirEntry[str]) -> bool:
        """Return whether a link leads to something within the bounds. Links in a circle come up repeatedly."""
        try:
            itself = link.stat(follow_symlinks=False)
        except OSError:
            return False  # it is gone
        key = itself.st_dev, itself.st_ino
        if key not in self._inside:
            self._inside[key] = self._bounds.holds(link.path)
        return self._inside[key]

    def _with_skipped(self, positions: set[int]) -> frozenset[int]:
        """Return positions with those after `**`, which may stand for no folder at all."""
        found = set(positions)
        for position, part in enumerate(self._parts):
            if position in found and part == "**":
                found.add(position + 1)
        return frozenset(found)


def _is(kind: Callable[[], bool]) -> bool:
    try:
        return kind()
    except OSError:
        return False

"""Links in log lines: pages, and places in source files. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LOOKED_AT = 4_000
"""Characters of a line that are searched."""
LONGEST_PATH = 300
OPENING = {")": "(", "]": "["}
_URL = re.compile(r"\bhttps?://[^\s\"'<>`{}|\\^]{1,2000}")
_OF_PYTHON = re.compile(r'\bFile "([^"]{1,300})", line (\d{1,7})\b')
_NUMBERS = re.compile(r":(\d{1,7})(?::(\d{1,5}))?(?![\w.])|\((\d{1,7}),(\d{1,5})\)")
_NO_PATH = frozenset("\"'`<>()[]{}|,;=* \t")
_LETTER = re.compile(r"[A-Za-z]")


class Link(NamedTuple):
    """A part of a line that links to a page or a place."""

    start: int
    end: int
    url: str = ""
    """The page; empty for a place in a file."""
    path: str = ""
    line: int = 0
    column: int = 0
    """Counted from 1; 0 if unknown."""


def links_in(text: str) -> list[Link]:
    """Return the links in a line, in their order."""
    text = text[:LOOKED_AT]
    found = [*_pages(text), *_of_python(text)]
    taken = [range(link.start, link.end) for link in found]
    found += [link for link in _places(text) if not any(link.start in each for each in taken)]
    return sorted(found)


def _pages(text: str) -> Iterator[Link]:
    for found in _URL.finditer(text):
        url = found[0].rstrip(".,;:!?*")
        while url.endswith((")", "]")) and url.count(OPENING[url[-1]]) < url.count(url[-1]):
            url = url[:-1].rstrip(".,;:!?*")
        yield Link(found.start(), found.start() + len(url), url=url)


def _of_python(text: str) -> Iterator[Link]:
    for found in _OF_PYTHON.finditer(text):
        yield Link(found.start(), found.end(), path=found[1], line=int(found[2]))


def _places(text: str) -> Iterator[Link]:
    """Yield places in the notations of other languages: `src/a.ts:4:2`, `a.ts(4,2)`, `file:///shop/a.mjs:1:2`."""
    for found in _NUMBERS.finditer(text):
        start = found.start()
        while start > 0 and found.start() - start < LONGEST_PATH and text[start - 1] not in _NO_PATH:
            start -= 1
        path = text[start : found.start()].removeprefix("file://")
        name = path.rpartition("/")[2]
        if "://" in path or "." not in name or not _LETTER.search(name):
            continue
        line, column = (found[1], found[2]) if found[1] else (found[3], found[4])
        yield Link(start, found.end(), path=path, line=int(line), column=int(column or 0))

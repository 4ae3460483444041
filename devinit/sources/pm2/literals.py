"""Read the literals of a JavaScript file: objects, lists and texts. Pure.

Computed values become None. The reader looks for `apps: [`, and reads each object in that list.
"""

from __future__ import annotations

import re
from typing import Any

MOST_APPLICATIONS = 50
DEEPEST = 8
_LIST = re.compile(r"[\"']?\bapps[\"']?[ \t]{0,20}:\s{0,20}\[")
_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?(?![\w.])")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_ESCAPE = {"n": "\n", "t": "\t"}
_OPENING, _CLOSING = "([{", ")]}"


def applications(text: str) -> list[tuple[dict[str, Any], int]]:
    """Return the objects of `apps`, each with its position in the text (Any: their contents are unchecked)."""
    found = _LIST.search(text)
    if found is None:
        return []
    reader = _Reader(text, found.end())
    objects: list[tuple[dict[str, Any], int]] = []
    while len(objects) < MOST_APPLICATIONS:
        reader.skip()
        if reader.at in ("", "]"):
            break
        start = reader.place
        value = reader.value(0)
        if isinstance(value, dict):
            objects.append((value, start))
        reader.to_the_end_of_a_value(start)
    return objects


class _Reader:
    """Reads one value after the other; it always advances, even in malformed text."""

    def __init__(self, text: str, place: int) -> None:
        self.text, self.place = text, place

    @property
    def at(self) -> str:
        return self.text[self.place : self.place + 1]

    def skip(self) -> None:
        """Skip whitespace, commas and comments."""
        while self.at:
            if self.at.isspace() or self.at == ",":
                self.place += 1
            elif self.text.startswith("//", self.place):
                self.place = self._after("\n")
            elif self.text.startswith("/*", self.place):
                self.place = self._after("*/")
            else:
                return

    def _after(self, end: str) -> int:
        found = self.text.find(end, self.place + 2)
        return found + len(end) if found >= 0 else len(self.text)

    def value(self, depth: int) -> Any:
        """Return the value at the current place; None for a computed one."""
        if depth > DEEPEST:
            return None
        if self.at == "{":
            return self._object(depth)
        if self.at == "[":
            return self._list(depth)
        if self.at in ("'", '"', "`"):
            return self._text()
        if found := _NUMBER.match(self.text, self.place):
            self.place = found.end()
            return float(found[0]) if "." in found[0] else int(found[0])
        return None

    def _object(self, depth: int) -> dict[str, Any]:
        read: dict[str, Any] = {}
        self.place += 1
        while True:
            self.skip()
            if self.at in ("", "}"):
                self.place += 1
                return read
            begin = self.place
            key = self._key()
            self.skip()
            if key is not None and self.at == ":":
                self.place += 1
                self.skip()
                value = self.value(depth + 1)
                self.skip_blanks()
                # `"a" + b` is computed.
                read[key] = value if self.at in (",", "}", "") or self._is_comment() else None
            self.to_the_end_of_a_value(begin)

    def _list(self, depth: int) -> list[Any]:
        read: list[Any] = []
        self.place += 1
        while True:
            self.skip()
            if self.at in ("", "]"):
                self.place += 1
                return read
            start = self.place
            read.append(self.value(depth + 1))
            self.to_the_end_of_a_value(start)

    def _key(self) -> str | None:
        if self.at in ("'", '"'):
            return self._text()
        found = _WORD.match(self.text, self.place)
        if found is None:
            return None
        self.place = found.end()
        return found[0]

    def _text(self) -> str | None:
        quote, self.place = self.at, self.place + 1
        letters: list[str] = []
        while self.at and self.at != quote:
            if self.at == "\\":
                self.place += 1
                letters.append(_ESCAPE.get(self.at, self.at))
            else:
                letters.append(self.at)
            self.place += 1
        self.place += 1
        text = "".join(letters)
        return None if quote == "`" and "${" in text else text

    def skip_blanks(self) -> None:
        while self.at.isspace():
            self.place += 1

    def _is_comment(self) -> bool:
        return self.text.startswith(("//", "/*"), self.place)

    def to_the_end_of_a_value(self, start: int) -> None:
        """Advance to the comma or bracket that ends a value, past computed parts, and always beyond its start."""
        depth = 0
        if self.place == start and self.at in ("]", "}"):
            self.place += 1  # it closes nothing
        while self.at:
            if depth == 0 and self.at in (",", "]", "}"):
                return
            if self._is_comment():
                self.skip()
                continue
            if self.at in ("'", '"', "`"):
                self._text()
                continue
            depth += (self.at in _OPENING) - (self.at in _CLOSING)
            self.place += 1

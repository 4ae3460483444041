"""Container names in code: `http://backend:8000` is an address only in a network of Docker. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from msgspec import Struct, structs

from devinit.model.evidence import Evidence
from devinit.sources.files import LONGEST_WORDS
from devinit.sources.fixed.constant import Constant

_CALLED = (
    r"(?P<before>://(?:[^\s@/\"'`]{0,200}@)?"
    r"|\bhost(?:name)?[\"']?[ \t]{0,20}(?:=>|:=|[=:])[ \t]{0,20}[\"']?)"
    r"(?P<name>[A-Za-z][\w-]{0,60})(?![\w.-])"
)
_HOST = re.compile(_CALLED, re.IGNORECASE)
_HOST_IN_BYTES = re.compile(_CALLED.encode(), re.IGNORECASE)
"""Matches a host of one word, in a URL or beside the other parts of an address."""


class Containers(Struct, frozen=True):
    """The containers that a compose file names."""

    names: frozenset[str] = frozenset()
    """In lower case."""

    def are_named(self, content: bytes) -> bool:
        """Return whether a file names one of them."""
        found = _HOST_IN_BYTES.finditer(content) if self.names else ()
        return any(each["name"].decode(errors="replace").lower() in self.names for each in found)

    def as_local(self, text: str) -> tuple[str, dict[int, str]]:
        """Return a text with `localhost` in their place, and the first name on each line, counted from 1."""
        named: dict[int, str] = {}
        if not self.names or not any(each["name"].lower() in self.names for each in _HOST.finditer(text)):
            return text, named
        lines = text.split("\n")
        for number, line in enumerate(lines, 1):
            for found in _HOST.finditer(line):
                if found["name"].lower() in self.names:
                    named.setdefault(number, found["name"])
            if number in named:
                lines[number - 1] = _HOST.sub(self._local, line)
        return "\n".join(lines), named

    def _local(self, found: re.Match[str]) -> str:
        return f"{found['before']}localhost" if found["name"].lower() in self.names else found[0]


def containers(names: Collection[str]) -> Containers:
    """Return the containers with these names in a compose file, without `localhost`."""
    return Containers(frozenset(name.lower() for name in names) - {"localhost"})


def of_container(constant: Constant, named: dict[int, str], text: str) -> Constant:
    """Return a constant with the container on its line, and with that line as it is in the unchanged text.

    Beside the same port of this machine it is one of a choice that the code takes inside of a container.
    """
    host = named.get(constant.evidence.line, "")
    if not host:
        return constant
    here = re.compile(rf"://(?:localhost|127\.0\.0\.1):{constant.port}\b")
    for number, line in enumerate(text.split("\n"), 1):
        if number not in named and here.search(line):
            return structs.replace(
                constant, evidence=_as_written(structs.replace(constant.evidence, line=number), text)
            )
    return structs.replace(constant, host=host, evidence=_as_written(constant.evidence, text))


def _as_written(evidence: Evidence, text: str) -> Evidence:
    return structs.replace(evidence, says=text.split("\n")[evidence.line - 1].strip()[:LONGEST_WORDS])

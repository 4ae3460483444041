"""Names of containers in code: `http://backend:8000` is an address in a network of Docker alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from msgspec import Struct, structs

from devinit.model.evidence import Evidence
from devinit.sources.files import LONGEST_WORDS
from devinit.sources.fixed.constant import Constant

_BEFORE = (
    r"(?P<before>://(?:[^\s@/\"'`]{0,200}@)?|\bhost(?:name)?[\"']?[ \t]{0,20}(?:=>|:=|[=:])[ \t]{0,20}[\"']?)"
)


class Containers(Struct, frozen=True):
    """The containers that a compose file names, as code calls them."""

    pattern: re.Pattern[str] | None = None
    raw: re.Pattern[bytes] | None = None

    def are_named(self, content: bytes) -> bool:
        """Tell whether a file names one of them."""
        return self.raw is not None and self.raw.search(content) is not None

    def as_local(self, text: str) -> tuple[str, dict[int, str]]:
        """Return a text in which they are this machine, and which of them stood on which line, counted from 1."""
        if self.pattern is None or self.pattern.search(text) is None:
            return text, {}
        named: dict[int, str] = {}
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if found := self.pattern.search(line):
                named[number + 1] = found["name"]
                lines[number] = self.pattern.sub(r"\g<before>localhost", line)
        return "\n".join(lines), named


def containers(names: Collection[str]) -> Containers:
    """Return how these names of services of a compose file are found; one that is this machine's is none."""
    plain = sorted(
        name for name in names if re.fullmatch(r"[a-zA-Z][\w-]{0,60}", name) and name != "localhost"
    )
    if not plain:
        return Containers()
    text = f"{_BEFORE}(?P<name>{'|'.join(map(re.escape, plain))})(?![\\w.-])"
    return Containers(re.compile(text, re.IGNORECASE), re.compile(text.encode(), re.IGNORECASE))


def of_container(constant: Constant, named: dict[int, str], text: str) -> Constant:
    """Return a constant with the container that stood on its line of the text as it is."""
    host = named.get(constant.evidence.line, "")
    if not host:
        return constant
    return structs.replace(constant, host=host, evidence=_as_written(constant.evidence, text))


def _as_written(evidence: Evidence, text: str) -> Evidence:
    return structs.replace(evidence, says=text.split("\n")[evidence.line - 1].strip()[:LONGEST_WORDS])

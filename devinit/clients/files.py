"""The files of the client for JavaScript, marked when they are copied: a later version replaces only its own."""

from __future__ import annotations

import re
from enum import Enum, auto
from pathlib import Path

from devinit.system.digest import blake2b
from devinit.system.files import read_text

PACKAGE = Path(__file__).with_name("javascript")
"""The package as npm takes it: `npm install FOLDER`."""
ALONE = "devinit.js"
"""The module that needs no other one."""
TYPES = "devinit.d.ts"
MANIFEST = "package.json"
OUR_NAME = '"name": "@devinit/client"'
_MARK = re.compile(r"^// written by devinit \S+ \(([0-9a-f]{16})\)")


class Standing(Enum):
    """What a file on disk is, beside the one that would be written."""

    MISSING = auto()
    SAME = auto()
    EARLIER = auto()
    """The client of another version, as it was written."""
    FOREIGN = auto()
    """Anything else, also a client that a person has edited."""


def names() -> list[str]:
    """Return the names of the files of the package."""
    return sorted(each.name for each in PACKAGE.iterdir() if each.suffix in (".js", ".ts", ".json"))


def text_of(name: str, version: str) -> str:
    """Return a file as it is copied: with a first line that says where it comes from."""
    text = read_text(PACKAGE / name) or ""
    if name == MANIFEST:  # JSON has no comments
        return text.replace('"version": "0.0.0"', f'"version": "{version}"')
    return (
        f"// written by devinit {version} ({_digest(text)}); do not edit: `devinit client` writes it\n{text}"
    )


def standing(there: str | None, text: str) -> Standing:
    """Say what a file is that lies where one of the client would be written."""
    if there is None:
        return Standing.MISSING
    there = there.replace("\r\n", "\n")
    if there == text:
        return Standing.SAME
    if there.startswith("{"):
        return Standing.EARLIER if OUR_NAME in there else Standing.FOREIGN
    first, _, rest = there.partition("\n")
    found = _MARK.match(first)
    return Standing.EARLIER if found is not None and _digest(rest) == found[1] else Standing.FOREIGN


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()

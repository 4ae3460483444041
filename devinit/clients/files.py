"""The files of the JavaScript client; copies are marked, so that a later version replaces only unedited ones."""

from __future__ import annotations

import re
from enum import Enum, auto
from pathlib import Path

from devinit.system.digest import blake2b
from devinit.system.files import read_text

PACKAGE = Path(__file__).with_name("javascript")
"""The folder of the npm package: `npm install FOLDER`."""
ALONE = "devinit.js"
"""The module that works without any other one."""
TYPES = "devinit.d.ts"
MANIFEST = "package.json"
OUR_NAME = '"name": "@devinit/client"'
_MARK = re.compile(r"^// written by devinit \S+ \(([0-9a-f]{16})\)")


class Standing(Enum):
    """State of a file on disk, compared with the one to be written."""

    MISSING = auto()
    SAME = auto()
    EARLIER = auto()
    """The client of another version, unedited."""
    FOREIGN = auto()
    """Anything else, including an edited client."""


def names() -> list[str]:
    """Return the names of the files of the package."""
    return sorted(each.name for each in PACKAGE.iterdir() if each.suffix in (".js", ".ts", ".json"))


def text_of(name: str, version: str) -> str:
    """Return the text of a file's copy, which has a first line about its origin."""
    text = read_text(PACKAGE / name) or ""
    if name == MANIFEST:  # JSON has no comments
        return text.replace('"version": "0.0.0"', f'"version": "{version}"')
    return (
        f"// written by devinit {version} ({_digest(text)}); do not edit: `devinit client` writes it\n{text}"
    )


def standing(there: str | None, text: str) -> Standing:
    """Return the state of an existing file (`there`) compared with the text to be written."""
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

"""The first line of an exported file: where it comes from, and a digest by which an edit is noticed. Pure."""

from __future__ import annotations

import re
from enum import Enum, auto

from devinit.exporters.exporter import File
from devinit.model.names import EXPORT_MARK
from devinit.system.digest import blake2b
from devinit.text import one_line

DIGEST_BYTES = 8
LONGEST_MARKER = 500
"""Characters of a first line in which the marker is looked for."""
_MARKER = re.compile(rf"\b{EXPORT_MARK} .*\((?P<digest>[0-9a-f]{{16}})\)")


class Standing(Enum):
    """How a file that is there relates to what would be written."""

    MISSING = auto()
    SAME = auto()
    OUTDATED = auto()
    """An earlier export, as it was written."""
    EDITED = auto()
    """An export that was changed since."""
    FOREIGN = auto()
    """No export."""


def marked(file: File, form: str, source: str) -> str:
    """Return the whole text of a file. `source`: what it was read from, in words."""
    line = f"{EXPORT_MARK} {form} from {one_line(source)}; do not edit"
    begins, ends = file.comment
    return f"{begins}{line} ({digest_of(file.text)}){ends}\n{file.text}"


def standing(there: str | None, text: str) -> Standing:
    """Say what a file on disk is, beside what would be written. Line ends do not count: git changes them."""
    if there is None:
        return Standing.MISSING
    there = there.removeprefix("\ufeff").replace("\r\n", "\n")
    if there == text:
        return Standing.SAME
    first, _, rest = there.partition("\n")
    found = _MARKER.search(first[:LONGEST_MARKER])
    if found is None:
        return Standing.FOREIGN
    return Standing.OUTDATED if digest_of(rest) == found["digest"] else Standing.EDITED


def is_as_written(text: str) -> bool:
    """Return whether a text is an export that no person has changed since."""
    return standing(text, "") is Standing.OUTDATED


def digest_of(text: str) -> str:
    """Return a short digest: it shows an edit, and protects from nothing."""
    return blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()

"""The first line of an exported file: its source, and a digest that reveals edits. Pure."""

from __future__ import annotations

import re
from enum import Enum, auto

from devinit.exporters.exporter import File
from devinit.model.names import EXPORT_MARK
from devinit.system.digest import blake2b
from devinit.text import one_line

DIGEST_BYTES = 8
LONGEST_MARKER = 500
"""In characters: the part of the first line in which the marker is searched."""
_MARKER = re.compile(rf"\b{EXPORT_MARK} .*\((?P<digest>[0-9a-f]{{16}})\)")


class Standing(Enum):
    """The relation between an existing file and the export."""

    MISSING = auto()
    SAME = auto()
    OUTDATED = auto()
    """An earlier export, unedited."""
    EDITED = auto()
    """An export that was edited."""
    FOREIGN = auto()
    """A file that is no export."""


def marked(file: File, form: str, source: str) -> str:
    """Return the whole text of a file. `source` says in words what it was exported from."""
    line = f"{EXPORT_MARK} {form} from {one_line(source)}; do not edit"
    begins, ends = file.comment
    return f"{begins}{line} ({digest_of(file.text)}){ends}\n{file.text}"


def remarked(first: str, text: str) -> str:
    """Return the first line of an export with the digest of another text."""
    found = _MARKER.search(first)
    return first if found is None else first.replace(found["digest"], digest_of(text))


def standing(there: str | None, text: str) -> Standing:
    """Return the state of a file on disk against the new text. Line endings do not count: git changes them."""
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
    """Return whether a text is an unedited export."""
    return standing(text, "") is Standing.OUTDATED


def digest_of(text: str) -> str:
    """Return a short digest, which reveals edits and is no protection."""
    return blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()

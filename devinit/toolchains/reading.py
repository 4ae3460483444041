"""Read the version requirements in the files around a program. Nothing is run."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from devinit.errors import StateFileError
from devinit.system.bounds import Bounds
from devinit.system.files import BYTE_ORDER_MARK, LARGEST_SETTINGS, read_bytes
from devinit.toolchains import pinned
from devinit.toolchains.asked import Asked, Reader
from devinit.toolchains.go import asking as go
from devinit.toolchains.node import asking as node
from devinit.toolchains.python import asking as python
from devinit.toolchains.ruby import asking as ruby

READERS: dict[str, Reader] = {
    **python.READERS,
    **node.READERS,
    **ruby.READERS,
    **go.READERS,
    **pinned.READERS,
}
"""File → its reader."""


def asked_in(folders: Iterable[Path], bounds: Bounds) -> list[Asked]:
    """Return the requirements in the files of these folders, nearest folder first.

    For each kind of file and each tool, the nearest file counts. Links out of the bounds are not followed.
    """
    found: dict[tuple[str, str], Asked] = {}
    for folder in folders:
        for name in _names_in(folder):
            path = folder / name
            for stated in READERS[name](text_of(path)) if bounds.holds(path) else ():
                found.setdefault((name, stated.tool), Asked(path, stated))
    return list(found.values())


def text_of(path: Path) -> str:
    """Return the text of a file; "" when it is missing or unreadable."""
    try:
        content = read_bytes(path, most=LARGEST_SETTINGS) or b""
    except StateFileError:
        return ""
    return content.removeprefix(BYTE_ORDER_MARK).decode(errors="replace")


def _names_in(folder: Path) -> list[str]:
    """Return the files in a folder that may state requirements, with a single system call."""
    try:
        names = frozenset(os.listdir(folder))  # noqa: PTH208 - names are wanted
    except OSError:
        return []
    return [name for name in READERS if name in names]

"""What a detector returns, and how it reads a repository: in bounds, and never stopped by a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from devinit.model.service import Service
from devinit.system.bounds import Bounds
from devinit.system.regular import open_regular

LARGEST_FILE = 500_000
MOST_FILES = 500
DEEPEST = 5
"""Limits of a search: a project shows itself in its first files, and no start should wait for the rest."""

_SKIPPED = {
    "node_modules", "venv", "env", "site-packages", "__pycache__", "dist", "build", "tests", "test",
    "migrations", "alembic", "versions", "static", "media",
}  # fmt: skip


class Finding(Struct, frozen=True):
    """A service that was found, if one was, and what the developer should know about it."""

    service: Service | None = None
    notes: tuple[str, ...] = ()


_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
"""Byte order mark → encoding, as pip reads requirements. UTF-32 first: its mark begins like that of UTF-16."""

_ESCAPED_HALF = r"\ud"
"""How JSON escapes one half of a character outside of the first 65,536, which may stand there alone."""


def read(path: Path, bounds: Bounds) -> str:
    """Return a file's text; "" when it is missing, unreadable, out of bounds or too long to be handwritten."""
    return read_source(path) if bounds.holds(path) else ""


def read_source(path: Path) -> str:
    """Return the text of a file that `sources` found, as `read` does."""
    return decoded(_content_of(path))


def _content_of(path: Path) -> bytes:
    try:
        content = beginning_of(path)
    except (OSError, ValueError):
        return b""
    return content if len(content) <= LARGEST_FILE else b""


def beginning_of(path: Path) -> bytes:
    """Return what a file holds, up to a byte more than is read; b"" when there is none. Raise OSError."""
    if not path.is_file():  # opening a named pipe would wait for its writer
        return b""
    with open(open_regular(path), "rb") as file:  # noqa: PTH123  a descriptor has no Path
        return file.read(LARGEST_FILE + 1)


def decoded(content: bytes) -> str:
    """Return a text without its byte order mark, which says how it is encoded; UTF-8 without one."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace")
    return content.decode(errors="replace")


def read_package(folder: Path, bounds: Bounds) -> dict[str, Any] | None:
    """Return package.json, as far as it is one (Any: nothing about it has been checked)."""
    import json  # only repositories with Node in them need it

    path = folder / "package.json"
    try:
        # As npm reads it: UTF-8, with or without a byte order mark.
        content = _content_of(path) if bounds.holds(path) else b""
        text = content.decode("utf-8-sig", errors="replace")
        package = json.loads(text)
        if _ESCAPED_HALF in text.lower():
            # Half of a character, which nothing can print, send or write: it becomes a question mark.
            plain = json.dumps(package, ensure_ascii=False).encode(errors="replace")
            package = json.loads(plain)
    except (ValueError, RecursionError):
        return None
    return package if isinstance(package, dict) else None


def table(value: Any, key: str) -> dict[str, Any]:
    """Return a nested table of a parsed file, or an empty one."""
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def sources(folder: Path, suffix: str | tuple[str, ...], bounds: Bounds) -> Iterator[Path]:
    """Yield files with a suffix, nearest first, without installed packages, tests, migrations and links out."""
    for entry in entries_below(folder, suffix):
        if not entry.is_symlink() or bounds.holds(entry.path):
            yield Path(entry.path)


def entries_below(folder: Path, suffix: str | tuple[str, ...]) -> Iterator[os.DirEntry[str]]:
    """Yield what has a name with a suffix, nearest first, in folders that are no links."""
    level, count = [folder], 0
    for _ in range(DEEPEST):
        below: list[Path] = []
        for directory in level:
            for entry in _entries(directory):
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith(".") and entry.name not in _SKIPPED:
                        below.append(Path(entry.path))
                elif entry.name.endswith(suffix):
                    yield entry
                    count += 1
                    if count == MOST_FILES:
                        return
        level = below


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []

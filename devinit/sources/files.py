"""How a repository is read: in bounds, and never stopped by a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devinit.model.evidence import Evidence
from devinit.system.bounds import Bounds
from devinit.system.regular import open_regular

LARGEST_FILE = 500_000
MOST_FILES = 500
DEEPEST = 5
LONGEST_WORDS = 500
"""Limits of a search: a project shows itself in its first files, and no start should wait for the rest."""

_SKIPPED = {
    "node_modules", "venv", "env", "site-packages", "__pycache__", "dist", "build", "tests", "test",
    "migrations", "alembic", "versions", "static", "media",
}  # fmt: skip


_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
"""Byte order mark → encoding, as pip reads requirements. UTF-32 first: its mark begins like that of UTF-16."""


def read(path: Path, bounds: Bounds) -> str:
    """Return a file's text; "" when it is missing, unreadable, out of bounds or too long to be handwritten."""
    return read_source(path) if bounds.holds(path) else ""


def read_source(path: Path) -> str:
    """Return the text of a file that `source_files` found, as `read` does."""
    return decoded(content_of(path))


def content_of(path: Path) -> bytes:
    """Return what a file holds; b"" when it is missing, unreadable, or too long to be handwritten."""
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
    """Return a text without its byte order mark, which says how it is encoded; UTF-8 without one.

    Each line ends with a line feed, as in what Python reads itself: a file of Windows, or of old programs, too.
    """
    mark, encoding = next((each for each in _MARKS if content.startswith(each[0])), (b"", "utf-8"))
    text = content[len(mark) :].decode(encoding, errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def table(value: Any, key: str) -> dict[str, Any]:
    """Return a nested table of a parsed file, or an empty one."""
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def source_files(folder: Path, suffix: str | tuple[str, ...], bounds: Bounds) -> Iterator[Path]:
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
            for entry in _entries_inside(directory):
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith(".") and entry.name not in _SKIPPED:
                        below.append(Path(entry.path))
                elif entry.name.endswith(suffix):
                    yield entry
                    count += 1
                    if count == MOST_FILES:
                        return
        level = below


def _entries_inside(directory: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder. One in which there is but a folder is no level: `com/example/shop`."""
    entries = _entries(directory)
    for _ in range(DEEPEST):
        if len(entries) != 1 or not entries[0].is_dir(follow_symlinks=False) or entries[0].name in _SKIPPED:
            break
        entries = _entries(Path(entries[0].path))
    return entries


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def seen(about: str, path: Path, bounds: Bounds, text: str, position: int) -> Evidence:
    """Return the line of a file's text in which a position lies, as what a service was read from."""
    beginning = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    return Evidence(
        about=about,
        file=str(path.relative_to(bounds.root)),
        line=text.count("\n", 0, position) + 1,
        says=text[beginning : end if end >= 0 else None][:LONGEST_WORDS].strip(),
    )

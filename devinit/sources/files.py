"""Read the files of a repository within bounds; no unreadable file stops a search."""

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
"""Limits of a search. Its first files identify a project, and a start should not wait for the rest."""

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
"""Byte order mark → encoding, as pip reads requirements. UTF-32 comes first: its mark begins like that of UTF-16.
"""


def read(path: Path, bounds: Bounds) -> str:
    """Return the text of a file; "" when it is missing, unreadable, out of bounds or too long."""
    return read_source(path) if bounds.holds(path) else ""


def read_source(path: Path) -> str:
    """Return the text of a file that `source_files` found, as `read` does."""
    return decoded(content_of(path))


def content_of(path: Path) -> bytes:
    """Return the content of a file; b"" when it is missing, unreadable or too long to be handwritten."""
    try:
        content = beginning_of(path)
    except (OSError, ValueError):
        return b""
    return content if len(content) <= LARGEST_FILE else b""


def beginning_of(path: Path) -> bytes:
    """Return a file's content, at most one byte more than the limit; b"" when it is no file. Raise OSError."""
    if not path.is_file():  # opening a named pipe would wait for its writer
        return b""
    with open(open_regular(path), "rb") as file:  # noqa: PTH123  a descriptor has no Path
        return file.read(LARGEST_FILE + 1)


def decoded(content: bytes) -> str:
    """Decode a text by its byte order mark, which is removed; as UTF-8 without one.

    Every line ends with a line feed, as in text that Python reads itself, also in files of Windows or of old
    programs.
    """
    mark, encoding = next((each for each in _MARKS if content.startswith(each[0])), (b"", "utf-8"))
    text = content[len(mark) :].decode(encoding, errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def table(value: Any, key: str) -> dict[str, Any]:
    """Return a nested table of a parsed file; an empty one when it is missing or no table."""
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def source_files(folder: Path, suffix: str | tuple[str, ...], bounds: Bounds) -> Iterator[Path]:
    """Yield files with a suffix, nearest first; without packages, tests, migrations and links out of bounds."""
    for entry in entries_below(folder, suffix):
        if not entry.is_symlink() or bounds.holds(entry.path):
            yield Path(entry.path)


def entries_below(folder: Path, suffix: str | tuple[str, ...]) -> Iterator[os.DirEntry[str]]:
    """Yield directory entries whose names have a suffix, nearest first; links to folders are not followed."""
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
    """Return the entries of a folder; nested single folders count as one level: `com/example/shop`."""
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
    """Return the line of a text at a position, as evidence for a value of a service."""
    beginning = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    return Evidence(
        about=about,
        file=str(path.relative_to(bounds.root)),
        line=text.count("\n", 0, position) + 1,
        says=text[beginning : end if end >= 0 else None][:LONGEST_WORDS].strip(),
    )

"""The extensions that a project's migrations create, and the extensions of a PostgreSQL installation.

The embedded wheel has neither pgcrypto nor uuid-ossp nor postgis. A migration that needs one fails half-way, so
the migrations are read before a server is chosen and anything is migrated.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path

from devinit.errors import DevinitError
from devinit.kinds.postgres.pg_config import said_by
from devinit.kinds.programs import Origin, Program, moved_away
from devinit.system.files import LARGEST_SETTINGS, read_bytes
from devinit.system.walking import DEEPEST, walk

SUFFIXES = frozenset(
    (".sql", ".py", ".prisma", ".rb", ".js", ".ts", ".ex", ".exs", ".go", ".kt", ".php", ".xml")
)
MIGRATIONS = frozenset(
    ("migrations", "migration", "migrate", "versions", "alembic", "prisma", "drizzle", "flyway", "changelog")
)
"""Folders with programs that change the database; SQL files and Prisma's schema count in any folder."""
ANYWHERE = frozenset((".sql", ".prisma"))
PASSED_OVER = frozenset(
    ("node_modules", "vendor", "venv", "env", "dist", "build", "target", "site-packages", "__pycache__")
)
MOST_FILES = 3000
MOST_BYTES = 16 * 2**20
MOST_EXTENSIONS = 300
"""A repository has fewer; if one has more, the rest is not read."""

_SQL = re.compile(
    rb"""CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?\\?["'`]?([a-z][a-z0-9_-]*)""", re.IGNORECASE
)
_CALLED = re.compile(
    rb"""\b(?:enable_extension|CreateExtension)\s{0,50}\(?\s{0,50}(?:name\s{0,50}=\s{0,50})?["']([a-z][a-z0-9_-]*)["']"""
)
_DJANGO = re.compile(
    rb"\b(BloomExtension|BtreeGinExtension|BtreeGistExtension|CITextExtension|CryptoExtension"
    rb"|HStoreExtension|TrigramExtension|UnaccentExtension)\s*\("
)
_PRISMA = re.compile(rb"^[ \t]*extensions[ \t]*=[ \t]*\[([^\]]{0,2000})\]", re.MULTILINE)
_PRISMA_NAME = re.compile(rb"""(\w+)\s{0,50}(?:\(([^)]{0,500})\))?""")
_MAPPED = re.compile(rb"""\bmap\s*:\s*"([^"]+)\"""")
_NAMES = {
    b"BloomExtension": "bloom",
    b"BtreeGinExtension": "btree_gin",
    b"BtreeGistExtension": "btree_gist",
    b"CITextExtension": "citext",
    b"CryptoExtension": "pgcrypto",
    b"HStoreExtension": "hstore",
    b"TrigramExtension": "pg_trgm",
    b"UnaccentExtension": "unaccent",
}
_PRISMA_NAMES = {"uuidOssp": "uuid-ossp"}
_COMMENT = re.compile(rb"[^\S\n]*(?:--|#|//|\*)")


def wanted_by(root: Path) -> dict[str, str]:
    """Return the extensions that a project's migrations create, each with its first place: `db/1.sql, line 3`."""
    found: dict[str, str] = {}
    left = MOST_BYTES
    for path in _files_below(root):
        if left <= 0:
            break
        try:
            content = read_bytes(path, inside=root, most=LARGEST_SETTINGS) or b""
        except DevinitError:
            continue  # not a file, or too large for a migration
        left -= len(content)
        for line, name in named_in(content, prisma=path.suffix == ".prisma"):
            found.setdefault(name, f"{path.relative_to(root)}, line {line}")
            if len(found) == MOST_EXTENSIONS:
                return found
    return found


def named_in(content: bytes, *, prisma: bool = False) -> Iterator[tuple[int, str]]:
    """Yield the line number and the name of each extension that a file creates; pure."""
    lines = _Lines(content)
    for matched in chain(_SQL.finditer(content), _CALLED.finditer(content)):
        line = lines.number(matched.start())
        if not lines.is_comment(line):
            yield line, matched[1].decode().lower()
    for matched in _DJANGO.finditer(content):
        line = lines.number(matched.start())
        if not lines.is_comment(line):
            yield line, _NAMES[matched[1]]
    for matched in _PRISMA.finditer(content) if prisma else ():
        line = lines.number(matched.start())
        for each in _PRISMA_NAME.finditer(matched[1]):
            mapped = _MAPPED.search(each[2] or b"")
            name = (mapped or each)[1].decode()
            yield line, _PRISMA_NAMES.get(name, name)


class _Lines:
    """The lines of a file; each is checked only once, however many extensions it names."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._comments: dict[int, bool] = {}

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer(b"\n", self._content))]

    def number(self, offset: int) -> int:
        return bisect_right(self._starts, offset)

    def is_comment(self, number: int) -> bool:
        if number not in self._comments:
            start = self._starts[number - 1]
            self._comments[number] = _COMMENT.match(self._content, start) is not None
        return self._comments[number]


def lacking(wanted: Mapping[str, str], program: Program) -> dict[str, str]:
    """Return the extensions that a PostgreSQL lacks; none if its extensions are unknown."""
    folder = folder_of(program) if wanted else None
    if folder is None:
        return {}
    return {name: place for name, place in wanted.items() if not (folder / f"{name}.control").exists()}


def folder_of(program: Program) -> Path | None:
    """Return the folder with the extensions of a PostgreSQL."""
    beside = program.path.resolve().parent
    said = said_by(beside / "pg_config", "--sharedir")
    places = (
        *([Path(said)] if said else []),
        beside.parent / "share",
        beside.parent / "share/postgresql",
        Path(f"/usr/share/postgresql/{program.major}"),  # Debian
        Path(f"/usr/share/postgresql{program.major}"),  # Alpine
    )
    return next((place / "extension" for place in places if (place / "extension").is_dir()), None)


def told(missing: Mapping[str, str], program: Program, cluster: Path) -> str:
    """Return a note on the extensions that a server lacks, the migrations that create them, and advice; pure."""
    names = ", ".join(f"{name} ({place})" for name, place in missing.items())
    helps = f"install {'it' if len(missing) == 1 else 'them'} for PostgreSQL {program.major}"
    if program.origin is Origin.EMBEDDED:
        helps = (
            "install PostgreSQL and its contrib packages from your system, then begin anew with that: "
            f"devinit stop && {moved_away(cluster)}"
        )
    return f"{program.title} does not have what migrations create: {names}. To have it, {helps}"


def _files_below(root: Path) -> Iterator[Path]:
    seen = 0
    for folder, folders, files in walk(root, deepest=DEEPEST):
        folders[:] = sorted(each for each in folders if each not in PASSED_OVER and not each.startswith("."))
        parts = {part.lower() for part in Path(folder).relative_to(root).parts}
        migrations = bool(parts & MIGRATIONS)
        for name in sorted(files):
            suffix = os.path.splitext(name)[1]  # noqa: PTH122  thousands of names
            if suffix in ANYWHERE or (migrations and suffix in SUFFIXES):
                seen += 1
                yield Path(folder, name)
        if seen > MOST_FILES:
            return

"""Name what detection passes over because it is a link out of the repository: a clone may hold any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from devinit.sources.files import entries_below
from devinit.sources.folders.finding import FILES, FOLDERS
from devinit.system.bounds import Bounds, not_read

SETTINGS = (".env*", "alembic.ini", "prisma/schema.prisma", "manage.py")
SOURCES = (".py", ".ts", ".js", ".mjs")


def links_out(bounds: Bounds) -> Iterator[str]:
    """Yield a line for each link that detection would have followed, with the way to have it followed."""
    for name in FOLDERS:
        folder = bounds.root / name
        if name and (target := bounds.target_beyond(folder)):
            yield not_read(folder, bounds.root, target)
            continue
        for path in dict.fromkeys(_files(folder)):
            if target := bounds.target_beyond(path):
                yield not_read(path, bounds.root, target)


def _files(folder: Path) -> Iterator[Path]:
    for pattern in (*FILES, *SETTINGS):
        yield from sorted(folder.glob(pattern))
    if folder.name == "backend":
        yield from (Path(entry.path) for entry in entries_below(folder, SOURCES) if entry.is_symlink())

"""Report links that lead out of the repository: detection does not follow them, as a clone may hold any link."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from devinit.sources.applications.tree import Tree
from devinit.sources.applications.unit import declares_dependencies
from devinit.system.bounds import not_read
from devinit.toolchains.python.language import VENV_FOLDERS

_NAMES = (
    ".env*",
    "alembic.ini",
    "schema.prisma",
    "manage.py",
    "*.py",
    "*.ts",
    "*.js",
    "*.mjs",
    "go.mod",
    "Gemfile",
)


def links_out(tree: Tree) -> Iterator[str]:
    """Yield a note for each link that detection would have followed, with the way to allow it."""
    for name, target in tree.links_out:
        path = tree.path(name)
        is_named = declares_dependencies(path.parent.name, path.name)
        if is_named or _is_folder(path) or any(fnmatchcase(path.name, pattern) for pattern in _NAMES):
            yield not_read(path, tree.bounds.root, target)


def _is_folder(path: Path) -> bool:
    """Return whether a link leads to a folder that detection would search, not a hidden one such as `.devinit`."""
    return path.is_dir() and (not path.name.startswith(".") or path.name in VENV_FOLDERS)

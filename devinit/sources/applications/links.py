"""Name what detection passes over because it is a link out of the repository: a clone may hold any."""

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
    """Yield a line for each link that detection would have followed, with the way to have it followed."""
    for name, target in tree.links_out:
        path = tree.path(name)
        is_named = declares_dependencies(path.parent.name, path.name)
        if is_named or _is_folder(path) or any(fnmatchcase(path.name, pattern) for pattern in _NAMES):
            yield not_read(path, tree.bounds.root, target)


def _is_folder(path: Path) -> bool:
    """Return whether a link leads to a folder in which detection would look: no hidden one, such as `.devinit`."""
    return path.is_dir() and (not path.name.startswith(".") or path.name in VENV_FOLDERS)

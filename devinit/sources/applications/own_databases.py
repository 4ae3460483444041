"""Databases that several programs of one repository have each for itself, on one server.

Three services with `.env` files of their own name three databases. In a single one, the migrations of the second
would refuse those of the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from devinit.model.evidence import Evidence
from devinit.sources.applications.tree import Tree, joined

_FILES = (
    ".env", ".env.development", ".env.dev", ".env.local", ".env.example", ".env.sample", ".env.template",
    ".env.development.example",
)  # fmt: skip
"""Where a program states its database; the first one with a statement counts."""
_URL = re.compile(
    r"^[^#\n]{0,100}=[ \t\"']{0,9}postgres(?:ql)?(?:\+\w{1,30})?://(?:[^\s/@]{0,200}@)?"
    r"(?:localhost|127\.0\.0\.1|[A-Za-z][\w-]{0,60})(?::\d{1,5})?/(?P<database>[A-Za-z_][\w-]{0,62})",
    re.MULTILINE,
)
_PART = re.compile(
    r"^[ \t]{0,9}(?:export[ \t]{1,9})?"
    r"(?:DB|PG|POSTGRES|POSTGRESQL|DATABASE)_?(?:NAME|DATABASE|DBNAME|DB)[ \t]{0,9}="
    r"[ \t]{0,9}[\"']?(?P<database>[A-Za-z_][\w-]{0,62})[\"']?[ \t\r]{0,9}(?:#|$)",
    re.MULTILINE,
)
MOST_DATABASES = 20


def own_databases(tree: Tree, folders: Iterable[str]) -> dict[str, Evidence]:
    """Return the databases that the programs in these folders state; nothing where they do not name several.

    What the project's own folder states is for all of them.
    """
    found: dict[str, Evidence] = {}
    for folder in filter(None, dict.fromkeys(folders)):
        stated = next(filter(None, (_stated(tree, joined(folder, name)) for name in _FILES)), None)
        if stated is not None:
            found.setdefault(*stated)
    return dict([*found.items()][:MOST_DATABASES]) if len(found) > 1 else {}


def _stated(tree: Tree, file: str) -> tuple[str, Evidence] | None:
    text = tree.text(file)
    found = _URL.search(text) or _PART.search(text)
    return (found["database"], tree.seen("provider", file, found.start("database"))) if found else None

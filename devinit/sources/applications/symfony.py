"""Recognise the applications of Symfony and Slim, which PHP's built-in server runs for development."""

from __future__ import annotations

import re

from devinit.model.defaults import LOCAL_HOST
from devinit.model.evidence import Evidence
from devinit.sources.applications.tree import Tree, joined
from devinit.sources.applications.unit import Finding, Role, Unit

_FRAMEWORKS = {"symfony/framework-bundle": "Symfony", "slim/slim": "Slim"}
"""Package → name; both serve all requests by `public/index.php`."""
_ENV_FILES = (".env.local", ".env.dev", ".env", ".env.example")
_DATABASE = re.compile(
    r"^DATABASE_URL[ \t]{0,10}=[ \t]{0,10}['\"]?(?P<scheme>\w{1,30})(?:\+\w{1,30})?:", re.MULTILINE
)
_OURS = frozenset({"postgresql", "postgres", "pgsql", "sqlite"})
_ELSEWHERE = {"mysql": "MySQL", "mysql2": "MySQL", "mariadb": "MariaDB", "sqlsrv": "SQL Server"}
_PORT = 8000
"""The default of `symfony server:start`."""


def found_in(tree: Tree) -> Finding:
    """Return the applications, with migrations if the database is a file in the checkout or run by devinit."""
    units: list[Unit] = []
    notes: list[str] = []
    for folder in tree.folders:
        file = joined(folder, "composer.json")
        text = tree.text(file) if tree.has(folder, "composer.json") else ""
        name = next((each for each in _FRAMEWORKS if f'"{each}"' in text), None)
        if name is None or tree.has(folder, "artisan") or not _is_there(tree, folder, "public/index.php"):
            continue
        stated = _stated_database(tree, folder)
        migrate, shown = _migrations(tree, folder, text, stated)
        units.append(
            Unit(
                folder=folder,
                role=Role.BACKEND,
                kind=_FRAMEWORKS[name],
                language="php",
                command=f"php -S {LOCAL_HOST}:${{PORT}} -t public",
                port=_PORT,
                before_start=migrate,
                evidence=(tree.seen("command", file, text.find(f'"{name}"')), *shown),
            )
        )
        title = _ELSEWHERE.get(stated[0]) if stated else None
        if stated and title:
            notes.append(
                f"{stated[1].place}: {_FRAMEWORKS[name]} needs {title}, which devinit does not provide: "
                "start it yourself"
            )
    return Finding(tuple(units), tuple(notes))


def _is_there(tree: Tree, folder: str, name: str) -> bool:
    """Return whether a file exists, also in folders that the walk does not enter."""
    path = tree.path(joined(folder, name))
    return path.is_file() and tree.bounds.holds(path)


def _stated_database(tree: Tree, folder: str) -> tuple[str, Evidence] | None:
    """Return the scheme of the database URL in the settings, with its line; None without one."""
    for name in _ENV_FILES:
        file = joined(folder, name)
        if found := _DATABASE.search(tree.text(file)):
            return found["scheme"], tree.seen("before_start", file, found.start())
    return None


def _migrations(
    tree: Tree, folder: str, composer: str, stated: tuple[str, Evidence] | None
) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    if "doctrine/doctrine-migrations-bundle" not in composer or not _is_there(tree, folder, "bin/console"):
        return (), ()
    if (
        stated is None
        or stated[0] not in _OURS
        or not any(tree.path(joined(folder, "migrations")).glob("*.php"))
    ):
        return (), ()
    return ("php bin/console doctrine:migrations:migrate --no-interaction",), (stated[1],)

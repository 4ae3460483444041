"""Find the command for the migrations of a Python application: by Alembic or by Flask-Migrate."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from msgspec import Struct

from devinit.model.evidence import Evidence
from devinit.sources.applications.tree import Tree, joined
from devinit.sources.files import read
from devinit.sources.shell import word

_SCRIPT_LOCATION = re.compile(r"^script_location[ \t]{0,20}=[ \t]{0,20}([^\s#]{1,200})", re.MULTILINE)
_SCRIPTED = re.compile(
    r"\balembic[ \t]{1,10}(?:-c|--config)[ \t=]{1,10}(?P<file>[\w./-]{1,200}alembic\.ini)"
    r"[ \t]{1,10}upgrade[ \t]{1,10}head\b"
)
_SCRIPTS = (".sh", "Dockerfile", "Procfile", "Makefile", "justfile")
"""Beginnings or endings of file names that may run Alembic with a configuration in another folder."""
_RUN_BY_CODE = re.compile(r"\bcommand\.upgrade\(")
"""Matches Alembic's function in an application that migrates its own database."""
_FOLDERS = ("migrations", "alembic", "migration")
"""Folders of migrations, which the walk does not enter."""


class Migrations(Struct, frozen=True):
    """The commands that migrate a database before an application starts."""

    commands: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def migrations_of(tree: Tree, folder: str, packages: Collection[str], flask: str) -> Migrations:
    """Return the migrations of an application; empty when there is no revision to apply.

    `flask` is the application in Flask's command line; empty for other frameworks.
    """
    file = joined(folder, "alembic.ini")
    if tree.has(folder, "alembic.ini") and _has_revisions(tree, folder, tree.text(file)):
        return Migrations(("python -m alembic upgrade head",), (tree.seen("before_start", file),))
    if flask and "python:flask-migrate" in packages:
        environment = tree.path(joined(folder, "migrations/env.py"))
        if environment.is_file() and any(environment.parent.glob("versions/*.py")):
            declared = next(_declaring(tree, folder), None)
            return Migrations((f"flask --app {flask} db upgrade",), (declared,) if declared else ())
    return next(_scripted(tree, folder), Migrations())


def unapplied(tree: Tree, folder: str) -> Iterator[str]:
    """Yield a note on migrations below an application's folder if no command for them was found."""
    if any(_RUN_BY_CODE.search(tree.text(file)) for file in tree.sources(folder, ".py")):
        return
    for place in tree.below(folder):
        for name in ("alembic.ini", *(f"{each}/alembic.ini" for each in _FOLDERS)):
            path = tree.path(joined(place, name))
            if not path.is_file() or not tree.bounds.holds(path):
                continue
            inside = f"{joined(place, name).rpartition('/')[0]}"
            text = read(path, tree.bounds)
            # The path of the migrations is relative to that folder, or to the folder in which the application
            # runs.
            if any(_has_revisions(tree, each, text) for each in (inside, folder)) or any(
                path.parent.glob("versions/*.py")
            ):
                yield (
                    f"{joined(place, name)}: nothing shows how its migrations are run; `before_start` of the "
                    "service in devinit.toml runs them"
                )
                return


def _declaring(tree: Tree, folder: str) -> Iterator[Evidence]:
    for name in tree.files.get(folder, ()):
        file = joined(folder, name)
        if name.startswith(("requirement", "pyproject", "Pipfile")):
            found = re.search(r"flask[-_]migrate", tree.text(file), re.IGNORECASE)
            if found is not None:
                yield tree.seen("before_start", file, found.start())


def _scripted(tree: Tree, folder: str) -> Iterator[Migrations]:
    """Yield the migrations in scripts beside an application: Alembic with a configuration that they name."""
    for place in (folder, joined(folder, "scripts"), joined(folder, "bin")):
        for name in tree.files.get(place, ()):
            if not name.startswith(_SCRIPTS) and not name.endswith(_SCRIPTS):
                continue
            file = joined(place, name)
            for found in _SCRIPTED.finditer(tree.text(file)):
                config = found["file"].removeprefix("./")
                path = tree.path(joined(folder, config))
                is_inside = not config.startswith("/") and ".." not in config.split("/")
                if is_inside and path.is_file() and tree.bounds.holds(path):
                    command = f"python -m alembic -c {word(config)} upgrade head"
                    yield Migrations((command,), (tree.seen("before_start", file, found.start()),))


def _has_revisions(tree: Tree, folder: str, text: str) -> bool:
    found = _SCRIPT_LOCATION.search(text)
    location = found[1].replace("%(here)s/", "").replace(":", "/") if found else "alembic"
    path = tree.path(joined(folder, location))
    if location.startswith("/") or ".." in location.split("/") or not tree.bounds.holds(path):
        return False
    return any(path.glob("versions/**/*.py"))

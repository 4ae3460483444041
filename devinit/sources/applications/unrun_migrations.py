"""Report migrations of Go, Rust, Elixir and D1 that no command runs, with the command of their tool."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from shlex import quote

from msgspec import Struct

from devinit.sources.applications.tree import Tree, joined, upwards
from devinit.sources.applications.unit import Role, Unit
from devinit.sources.files import read

_FOLDERS = (
    "migrations",
    "migration",
    "db/migrations",
    "db/migration",
    "database/migrations",
    "internal/db/migrations",
    "internal/database/migrations",
    "sql/migrations",
    "sql/schema",
    "schema/migrations",
)
"""Folders of migrations, relative to a program's folder or one of its parents."""
_GOOSE = re.compile(r"^--[ \t]{0,9}\+goose[ \t]{1,9}Up", re.MULTILINE)


class _Tool(Struct, frozen=True):
    """A program that applies migrations."""

    command: str
    """With `{folder}` as the placeholder of the folder of the migrations."""
    revisions: str
    """Pattern of their file names."""
    by_code: re.Pattern[str]
    """Matches source code of a program that applies them itself when it starts."""
    declared: re.Pattern[str] | None = None
    """Matches the manifest of a program that uses the tool."""


_BY_GO = re.compile(
    r"\bgoose\.|\bmigrate\.New|golang-migrate/migrate/v4\"|iofs\.New|\.Up\(|[Mm]igrateUp|[Rr]unMigrations"
)
_SQLX = _Tool(
    "sqlx migrate run",
    "*.sql",
    re.compile(r"\bmigrate!\s{0,9}\(|Migrator\b"),
    re.compile(r"^[ \t]*sqlx\b", re.MULTILINE),
)
_DIESEL = _Tool(
    "diesel migration run", "*/up.sql", re.compile(r"embed_migrations!|run_pending_migrations"),
    re.compile(r"^[ \t]*diesel\b", re.MULTILINE),
)  # fmt: skip
_MIGRATE = _Tool('migrate -path {folder} -database "$DATABASE_URL" up', "*.up.sql", _BY_GO)
_GOOSE_TOOL = _Tool('goose -dir {folder} postgres "$DATABASE_URL" up', "*.sql", _BY_GO)
_ECTO = _Tool("mix ecto.migrate", "*.exs", re.compile(r"Ecto\.Migrator\b"))
_SCHEMA_FOLDERS = ("", "db", "database", "sql")
_SCHEMAS = ("schema.sql", "init.sql", "database.sql", "tables.sql", "db.sql")
_WRANGLER = ("wrangler.jsonc", "wrangler.json", "wrangler.toml")
_D1 = re.compile(r"[\"']?\bdatabase_name[\"']?[ \t]{0,9}[:=][ \t]{0,9}[\"'](?P<name>[\w-]{1,80})[\"']")
_D1_FOLDER = re.compile(
    r"[\"']?\bmigrations_dir[\"']?[ \t]{0,9}[:=][ \t]{0,9}[\"'](?:\./)?(?P<name>[\w./-]{1,80})[\"']"
)
_MANIFESTS = {"Go": ("go.mod", ".go"), "Rust": ("Cargo.toml", ".rs"), "Phoenix": ("mix.exs", ".ex")}
"""Kind of program → its manifest, and the suffix of its source files."""


def unrun_migrations(tree: Tree, units: Iterable[Unit]) -> Iterator[str]:
    """Yield a note for each folder of migrations that neither a program nor a command of devinit applies."""
    named: set[str] = set()
    for folder in tree.folders:
        if any(tree.has(folder, name) for name in _WRANGLER):
            yield from _of_d1(tree, folder)
    for unit in units:
        manifest, suffix = _MANIFESTS.get(unit.kind, ("", ""))
        if not manifest or unit.role is not Role.BACKEND or unit.before_start:
            continue
        text = tree.text(joined(unit.folder, manifest))
        for tool, folder in _found(tree, unit, text):
            place = f"{folder}/"
            sources = [tree.text(file) for file in tree.sources(unit.folder, suffix)]
            if place in named or any(tool.by_code.search(each) for each in sources):
                continue
            named.add(place)
            command = tool.command.format(folder=os.path.relpath(folder, unit.folder or "."))
            yield (
                f"{place}: nothing runs these migrations; `{command}` in `before_start` of the service in "
                "devinit.toml does"
            )


def unloaded_schemas(tree: Tree, units: Iterable[Unit]) -> Iterator[str]:
    """Yield a note on a PostgreSQL schema in a file that nothing loads, if no program has migrations."""
    servers = [each for each in units if each.role is Role.BACKEND]
    if not servers or any(each.before_start for each in servers):
        return
    own = [each.folder for each in servers]
    places = dict.fromkeys(
        joined(at, below) if below else at for at in (*own, "") for below in _SCHEMA_FOLDERS
    )
    for file in (joined(place, name) for place in places for name in _SCHEMAS):
        path = tree.path(file)
        name = file.rpartition("/")[2]
        if path.is_file() and tree.bounds.holds(path) and not _is_named(tree, name):
            yield f"{file}: nothing loads this schema; `devinit psql -f {quote(file)}` does, once it is up"
            return


def _is_named(tree: Tree, name: str) -> bool:
    """Return whether a compose file or a program mentions a file, and so may load it."""
    composes = (f for f in tree.files.get("", ()) if "compose" in f)
    return any(name in tree.text(each) for each in composes) or any(
        name in tree.text(file) for file in tree.sources("", (".py", ".js", ".ts", ".go", ".rs", ".mjs"))
    )


def _of_d1(tree: Tree, folder: str) -> Iterator[str]:
    """Yield a note for a D1 database of Cloudflare with migrations, which `wrangler dev` does not apply."""
    for name in _WRANGLER:
        text = tree.text(joined(folder, name))
        database, stated = _D1.search(text), _D1_FOLDER.search(text)
        place = joined(folder, stated["name"] if stated else "migrations")
        if database is not None and _has(tree, place, "*.sql"):
            yield (
                f"{place}/: nothing runs these migrations; `npx wrangler d1 migrations apply {database['name']} "
                "--local` in `before_start` of the service in devinit.toml does"
            )
            return


def _found(tree: Tree, unit: Unit, manifest: str) -> Iterator[tuple[_Tool, str]]:
    """Yield the tools of a program, each with the folder of its migrations."""
    if unit.kind == "Phoenix":
        folder = joined(unit.folder, "priv/repo/migrations")
        if _has(tree, folder, _ECTO.revisions):
            yield _ECTO, folder
        return
    for folder in (joined(place, each) for place in upwards(unit.folder) for each in _FOLDERS):
        if unit.kind == "Rust":
            tools = [each for each in (_DIESEL, _SQLX) if each.declared and each.declared.search(manifest)]
        else:
            tools = [_MIGRATE, *((_GOOSE_TOOL,) if _is_of_goose(tree, folder) else ())]
        tool = next((each for each in tools if _has(tree, folder, each.revisions)), None)
        if tool is not None:
            yield tool, folder
            return


def _has(tree: Tree, folder: str, revisions: str) -> bool:
    path = tree.path(folder)
    return tree.bounds.holds(path) and any(path.glob(revisions))


def _is_of_goose(tree: Tree, folder: str) -> bool:
    path = tree.path(folder)
    first = next(iter(sorted(path.glob("*.sql"))), None) if tree.bounds.holds(path) else None
    return first is not None and _GOOSE.search(read(first, tree.bounds)) is not None

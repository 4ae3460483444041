"""Find the command by which a Node package applies its recorded migrations without asking questions."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from devinit.model.evidence import Evidence
from devinit.sources.commands.workspace import Package, needed_by
from devinit.sources.files import read, seen, table
from devinit.sources.packages import line_of_script, read_package
from devinit.sources.shell import word
from devinit.system.bounds import Bounds

RUN = {"npm": "npx --no-install", "pnpm": "pnpm exec", "yarn": "yarn run", "bun": "bunx"}
"""Package manager → its command for a program of the package."""
_SEVERAL = re.compile(r"&&|\|\||[;|&]")
"""Matches a script that does more than migrate: it may also add sample data."""
_FILES = ("*.js", "*.cjs", "*.mjs", "*.ts", "*.sql")
_DIRECTORY = re.compile(r"\bdirectory[\"']?\s{0,20}:\s{0,20}[\"'](?:\./)?([\w./-]{1,100})[\"']")
_OUT = re.compile(r"\bout[\"']?\s{0,20}:\s{0,20}[\"'](?:\./)?([\w./-]{1,100})[\"']")
_ELSEWHERE = re.compile(r"\bdriver[\"']?\s{0,9}:|[\"'](?:turso|gel|singlestore)[\"']")
"""Matches a database of Drizzle that is neither a server nor a file, such as one in a cloud or on a phone."""
_SOURCE_FOLDERS = (
    "migrations",
    "src/migrations",
    "src/migration",
    "src/db/migrations",
    "src/database/migrations",
)


class Tool(Struct, frozen=True, kw_only=True):
    """A program that applies recorded migrations."""

    packages: frozenset[str]
    program: tuple[str, ...]
    """The words of its command that are the same in every project."""
    configurations: tuple[str, ...] = ()
    """Files that replace its options; without any, only a script of the package knows the options."""
    folder: re.Pattern[str] | None = None
    """Matches the folder of the migrations in a configuration file."""
    folders: tuple[str, ...] = _SOURCE_FOLDERS
    """Folders of the migrations if no configuration file names one."""
    revisions: tuple[str, ...] = _FILES
    """Patterns of files that prove that there are migrations."""
    elsewhere: re.Pattern[str] | None = None
    """Matches a configuration for a database that cannot run on this machine."""


_PRISMA = Tool(
    packages=frozenset({"prisma", "@prisma/client"}),
    program=("prisma", "migrate", "deploy"),
    revisions=("*/migration.sql",),
)
TOOLS = (
    _PRISMA,
    Tool(
        packages=frozenset({"drizzle-kit"}),
        program=("drizzle-kit", "migrate"),
        configurations=tuple(
            f"drizzle.config.{each}" for each in ("ts", "js", "mjs", "mts", "cjs", "cts", "json")
        ),
        folder=_OUT,
        folders=("drizzle",),
        revisions=("meta/_journal.json", "*/migration.sql"),
        elsewhere=_ELSEWHERE,
    ),
    Tool(
        packages=frozenset({"knex"}),
        program=("knex", "migrate:latest"),
        configurations=("knexfile.js", "knexfile.cjs", "knexfile.mjs"),
        folder=_DIRECTORY,
    ),
    Tool(
        packages=frozenset({"sequelize-cli"}),
        program=("sequelize-cli", "db:migrate"),
        configurations=(".sequelizerc", "config/config.json", "config/config.js"),
    ),
    Tool(packages=frozenset({"typeorm"}), program=("migration:run",)),
    Tool(packages=frozenset({"@mikro-orm/cli"}), program=("mikro-orm", "migration:up")),
    Tool(
        packages=frozenset({"node-pg-migrate"}),
        program=("node-pg-migrate", "up"),
        folders=("migrations",),
    ),
)
_SCRIPT = re.compile(
    r"(?:(?:db|database|prisma|typeorm|knex|drizzle|sequelize|orm)[:-])?(?:migrat\w{0,5}(?:[:-](?:run|up|latest|deploy|dev|local))?"
    r"|(?<=[:-])(?:push|sync))"
)
"""Matches the name of a script that changes the schema of a database."""
_DEPLOYED = re.compile(r"prod|staging|remote|preview|[:.-](?:test|ci|live|stage|release)\b")
"""Matches a script for another database than that of development."""
_SETS = re.compile(r"(?!NODE_)[A-Za-z_]\w{0,80}=.*", re.DOTALL)
"""Matches a variable in a script, other than Node's own: it may name another database."""
_CLIENT = re.compile(
    r"generator\s{1,9}\w{1,40}\s{0,9}\{[^}]{0,400}?\bprovider\s{0,20}=\s{0,20}\"prisma-client(?:-js)?\""
    r"[^}]{0,400}?\boutput\s{0,20}=\s{0,20}\"(?P<output>[\w./-]{1,200})\""
)
_WITHOUT_TABLES = re.compile(r"provider\s{0,20}=\s{0,20}\"mongodb\"")
_OTHERS = frozenset(
    {
        "generate",
        "gen",
        "create",
        "make",
        "revert",
        "rollback",
        "undo",
        "down",
        "reset",
        "status",
        "drop",
        "prod",
    }
)


class Migration(Struct, frozen=True):
    """The command that updates the database of a package."""

    command: str
    said: Evidence
    """The line that shows the command."""


def migration_of(
    folder: Path, described: Mapping[str, Any], manager: str, bounds: Bounds
) -> Migration | None:
    """Return the command by which a package applies its recorded migrations; None when it has none."""
    packages = table(dict(described), "dependencies") | table(dict(described), "devDependencies")
    for tool in TOOLS:
        if tool.packages.isdisjoint(packages):
            continue
        file = _configuration_of(folder, described, tool, bounds)
        text = read(file, bounds) if file else ""
        stated = tool.folder.search(text) if tool.folder else None
        if (tool.elsewhere and tool.elsewhere.search(text)) or not _is_recorded(
            folder, file, tool, (stated[1],) if stated else tool.folders, bounds
        ):
            continue
        script = _script_of(described, tool)
        for line in line_of_script(folder, script, bounds) if script else ():
            return Migration(f"{manager} run {word(script)}", replace(line, about="before_start"))
        if file:
            command = f"{RUN[manager]} {' '.join(tool.program)}"
            return Migration(
                command, seen("before_start", file, bounds, text, stated.start() if stated else 0)
            )
    return None


def _configuration_of(folder: Path, described: Mapping[str, Any], tool: Tool, bounds: Bounds) -> Path | None:
    if tool is _PRISMA:
        return schema_of(folder, described, bounds)
    files = (folder / name for name in tool.configurations)
    return next((each for each in files if bounds.holds(each) and os.path.isfile(each)), None)  # noqa: PTH113


def _is_recorded(folder: Path, file: Path | None, tool: Tool, names: tuple[str, ...], bounds: Bounds) -> bool:
    """Return whether there are recorded migrations; Prisma keeps them beside its schema."""
    if tool is _PRISMA:
        places = [file.parent / "migrations"] if file else []
    else:
        places = [folder / name for name in names if ".." not in name.split("/") and not name.startswith("/")]
    return any(
        not found.name.endswith(".d.ts")
        for place in places
        if bounds.holds(place)
        for pattern in tool.revisions
        for found in place.glob(pattern)
    )


def _script_of(described: Mapping[str, Any], tool: Tool) -> str:
    """Return the script of a package that only applies the migrations; "" without one.

    Its name has to say so: developers read that name, and `runtime.forms.migrations` relies on it.
    """
    for name, text in table(dict(described), "scripts").items():
        if (
            not isinstance(text, str)
            or "migrat" not in name
            or _SEVERAL.search(text)
            or _DEPLOYED.search(f"{name} {text}")
        ):
            continue
        try:
            stated = shlex.split(text)
        except ValueError:
            continue
        words = [each.rpartition("/")[2] for each in stated]
        if any(map(_SETS.fullmatch, stated)):
            continue
        if all(each in words for each in tool.program):
            return name
    return ""


def schema_of(folder: Path, described: Mapping[str, Any], bounds: Bounds) -> Path | None:
    """Return the schema that Prisma finds in a folder by itself."""
    stated = table(dict(described), "prisma").get("schema")
    names = ([stated] if isinstance(stated, str) else []) + ["prisma/schema.prisma", "schema.prisma"]
    inside = (folder / name for name in names if ".." not in name.split("/") and not name.startswith("/"))
    return next((path for path in inside if bounds.holds(path) and read(path, bounds)), None)


def client_missing(folder: Path, described: Mapping[str, Any], bounds: Bounds) -> Path | None:
    """Return the folder of a package's Prisma client if it has not been generated; else None."""
    packages = table(dict(described), "dependencies") | table(dict(described), "devDependencies")
    schema = schema_of(folder, described, bounds) if {"prisma", "@prisma/client"} & packages.keys() else None
    found = _CLIENT.search(read(schema, bounds)) if schema else None
    if schema is None or found is None:
        return None
    output = Path(os.path.normpath(schema.parent / found["output"]))
    is_inside = output.is_relative_to(bounds.root) and "node_modules" not in output.parts
    # Path.exists() raises for a path that is too long.
    return output if is_inside and not os.path.lexists(output) else None


def migrations_used(
    package: Package, packages: Mapping[str, Package], manager: str, bounds: Bounds
) -> Iterator[Migration]:
    """Yield the migrations of all workspace packages that a package uses, as commands for its own folder."""
    for name in sorted(needed_by(packages, package)):
        folder = bounds.root / packages[name].folder
        found = migration_of(folder, read_package(folder, bounds) or {}, manager, bounds)
        if found is not None:
            there = os.path.relpath(packages[name].folder, package.folder or ".")
            yield Migration(f"cd {word(there)} && {found.command}", found.said)


def by_hand(folder: Path, described: Mapping[str, Any], manager: str, bounds: Bounds) -> str:
    """Return a note on how to update the database of a package without recorded migrations; "" without one."""
    for name, text in table(dict(described), "scripts").items():
        parts = re.split(r"[:-]", name)
        if _SCRIPT.fullmatch(name) and not _OTHERS.intersection(parts) and isinstance(text, str):
            for line in line_of_script(folder, name, bounds):
                return (
                    f"{line.place}: `{manager} run {name}` changes the schema of its database; nothing runs it "
                    "but `devinit run`, or `before_start` of its service in devinit.toml"
                )
    schema = schema_of(folder, described, bounds)
    if schema is None or _WITHOUT_TABLES.search(read(schema, bounds)):
        return ""
    place = schema.relative_to(bounds.root)
    return f"{place}: it has no migrations; `{RUN[manager]} prisma db push` in its folder makes its tables"

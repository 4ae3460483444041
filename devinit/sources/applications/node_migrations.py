"""Which command brings the database of a package for Node up to date: only where there are revisions to apply."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from msgspec import Struct

from devinit.model.evidence import Evidence
from devinit.sources.applications.package import Package
from devinit.sources.applications.scripts import run_of
from devinit.sources.applications.tree import joined

_SEVERAL = re.compile(r"&&|\|\||[;|&]")
"""In a script that does more than migrate: it may fill the database with examples, too."""
_RUN = {"npm": "npx --no-install", "pnpm": "pnpm exec", "yarn": "yarn run", "bun": "bunx"}
"""Package manager → how it runs a program of the package."""


class Tool(Struct, frozen=True, kw_only=True):
    """A program that applies revisions."""

    packages: frozenset[str]
    program: tuple[str, ...]
    """The command, as far as it is the same in every project."""
    configurations: tuple[str, ...] = ()
    """Files with which it runs without options; without any, only a script of the package knows its options."""
    folder: re.Pattern[str] | None = None
    """How a configuration names the folder of the revisions."""
    folders: tuple[str, ...] = ("migrations",)
    """Where the revisions lie, if no configuration says so."""
    revisions: tuple[str, ...] = (".js", ".cjs", ".mjs", ".ts", ".sql")
    """How the names of files, or of folders, of the revisions end."""


_DIRECTORY = re.compile(r"\bdirectory[\"']?\s{0,20}:\s{0,20}[\"'](?:\./)?([\w./-]{1,100})[\"']")
_OUT = re.compile(r"\bout[\"']?\s{0,20}:\s{0,20}[\"'](?:\./)?([\w./-]{1,100})[\"']")
_SOURCE_FOLDERS = (
    "migrations",
    "src/migrations",
    "src/migration",
    "src/db/migrations",
    "src/database/migrations",
)

TOOLS = (
    Tool(
        packages=frozenset({"prisma", "@prisma/client"}),
        program=("prisma", "migrate", "deploy"),
        configurations=("prisma/schema.prisma",),
        folders=("prisma/migrations",),
        # Each revision is a folder; the file beside them names the kind of database.
        revisions=("",),
    ),
    Tool(
        packages=frozenset({"drizzle-kit"}),
        program=("drizzle-kit", "migrate"),
        configurations=("drizzle.config.ts", "drizzle.config.js", "drizzle.config.mjs"),
        folder=_OUT,
        folders=("drizzle",),
        revisions=(".sql",),
    ),
    Tool(
        packages=frozenset({"knex"}),
        program=("knex", "migrate:latest"),
        configurations=("knexfile.js", "knexfile.cjs", "knexfile.mjs"),
        folder=_DIRECTORY,
        folders=_SOURCE_FOLDERS,
    ),
    Tool(
        packages=frozenset({"sequelize-cli"}),
        program=("sequelize-cli", "db:migrate"),
        configurations=(".sequelizerc", "config/config.json", "config/config.js"),
        folders=_SOURCE_FOLDERS,
    ),
    Tool(packages=frozenset({"typeorm"}), program=("migration:run",), folders=_SOURCE_FOLDERS),
    Tool(
        packages=frozenset({"@mikro-orm/cli"}), program=("mikro-orm", "migration:up"), folders=_SOURCE_FOLDERS
    ),
    Tool(packages=frozenset({"node-pg-migrate"}), program=("node-pg-migrate", "up")),
)


def migrations_of(package: Package) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """Return the command that brings the database of a package up to date, and what shows it; nothing without."""
    for tool in TOOLS:
        if tool.packages.intersection(package.packages):
            configuration = next(_configurations(package, tool), "")
            if not _has_revisions(package, tool, configuration):
                continue
            if script := _script_of(package, tool):
                return (package.running(script),), package.script_line(script, "before_start")
            if configuration:
                command = f"{_RUN[package.manager]} {' '.join(tool.program)}"
                return (command,), (package.tree.seen("before_start", configuration),)
    return (), ()


def _configurations(package: Package, tool: Tool) -> Iterator[str]:
    for name in tool.configurations:
        folder, _, base = joined(package.folder, name).rpartition("/")
        if package.tree.has(folder, base):
            yield joined(folder, base)


def _has_revisions(package: Package, tool: Tool, configuration: str) -> bool:
    stated = tool.folder.search(package.tree.text(configuration)) if tool.folder and configuration else None
    folders = (stated[1],) if stated else tool.folders
    return any(_has_files(package, each, tool.revisions) for each in folders)


def _has_files(package: Package, folder: str, endings: tuple[str, ...]) -> bool:
    path = package.tree.path(joined(package.folder, folder))
    if ".." in folder.split("/") or not package.tree.bounds.holds(path):
        return False
    try:
        entries = list(os.scandir(path))
    except OSError:
        return False
    if endings == ("",):
        return any(entry.is_dir(follow_symlinks=False) for entry in entries)
    return any(entry.name.endswith(endings) and not entry.name.endswith(".d.ts") for entry in entries)


def _script_of(package: Package, tool: Tool) -> str:
    """Return the script of a package that applies the revisions, and does nothing else; empty without one.

    Its name has to say so: it is what the developer reads, and what `runtime.forms.migrations` goes by.
    """
    for name, text in package.scripts.items():
        if isinstance(text, str) and "migrat" in name and not _SEVERAL.search(text):
            words = run_of(name, package.scripts).words
            if words and all(word in words for word in tool.program):
                return name
    return ""

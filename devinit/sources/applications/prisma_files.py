"""Databases of Prisma that are files: their client refuses the address of a server in the variable."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from devinit.sources.applications.tree import Tree, joined
from devinit.sources.applications.unit import Unit

_DATASOURCE = re.compile(
    r"^[ \t]{0,40}datasource[ \t]{1,20}\w{1,60}[ \t]{0,20}\{(?P<block>[^}]{0,1000})", re.MULTILINE
)
_SQLITE = re.compile(r"^[ \t]{0,40}provider[ \t]{0,20}=[ \t]{0,20}\"sqlite\"", re.MULTILINE)
_VARIABLE = re.compile(
    r"^[ \t]{0,40}url[ \t]{0,20}=[ \t]{0,20}env\(\"(?P<name>[A-Za-z_]\w{0,80})\"\)", re.MULTILINE
)
_URL = re.compile(
    r"^[ \t]{0,40}(?P<name>[A-Za-z_]\w{0,80})[ \t]{0,20}=[ \t]{0,20}[\"']?(?P<scheme>\w{2,20}):", re.MULTILINE
)
_SCHEMAS = ("prisma/schema.prisma", "schema.prisma")
_FILES = (".env", ".env.local", ".env.development", ".env.development.local")
_TEMPLATES = (".env.example", ".env.sample", ".env.template")
_FILE = "file:./dev.db"
"""The default of `prisma init`, relative to the schema."""


def with_prisma_files(tree: Tree, units: list[Unit]) -> Iterator[tuple[Unit, str]]:
    """Yield each program with a note or ""; Prisma's SQLite gets a file where a template names a server."""
    for unit in units:
        found = _file_of(tree, unit.folder) if unit.language == "node" else None
        if found is None:
            yield unit, ""
            continue
        name, schema, position, server = found
        env = {**unit.env, name: _FILE}
        said = tree.seen("env", schema, position)
        yield (
            replace(unit, env=env, evidence=(*unit.evidence, said)),
            f"{said.place} is SQLite, and {server} names a server: {name} is {_FILE}; `provider` there decides",
        )


def _file_of(tree: Tree, folder: str) -> tuple[str, str, int, str] | None:
    """Return the variable of an SQLite database, its schema, the position there, and the contradicting line."""
    for schema in (joined(folder, each) for each in _SCHEMAS):
        source = _DATASOURCE.search(tree.text(schema))
        if source is None:
            continue
        provider, variable = _SQLITE.search(source["block"]), _VARIABLE.search(source["block"])
        if provider is None or variable is None:
            return None
        server = _server_in(tree, folder, variable["name"])
        return (
            (variable["name"], schema, source.start("block") + provider.start() + 1, server)
            if server
            else None
        )
    return None


def _server_in(tree: Tree, folder: str, name: str) -> str:
    """Return the line of an env template that sets a variable to the address of a server; "" without one.

    A real env file that sets the variable has priority.
    """
    places = tuple(dict.fromkeys((folder, "")))
    if any(_value(tree.text(joined(place, each)), name) for place in places for each in _FILES):
        return ""
    for file in (joined(place, each) for place in places for each in _TEMPLATES):
        if found := _value(tree.text(file), name):
            return "" if found["scheme"] == "file" else tree.seen("env", file, found.start("scheme")).place
    return ""


def _value(text: str, name: str) -> re.Match[str] | None:
    """Return the match of the URL that an env file assigns to a variable."""
    return next((each for each in _URL.finditer(text) if each["name"] == name), None)

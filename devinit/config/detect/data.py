"""Find out whether a project uses PostgreSQL or Redis: by what it depends on and by its settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from devinit.config.detect.finding import Finding, read, read_package, read_source, sources, table
from devinit.kinds import KINDS, Kind
from devinit.model.defaults import database_settings, preferring, project_name
from devinit.model.names import ENVIRONMENT_FILE
from devinit.model.service import DatabaseSettings, Service
from devinit.system.bounds import Bounds
from devinit.toml import parse_toml

_FOLDERS = ("", "backend", "frontend")


class Traces(Struct, frozen=True):
    """What the use of a server leaves in a repository."""

    python: frozenset[str]
    """Distributions in their normal form; one that counts with an extra only, as `celery[redis]`."""
    node: frozenset[str]
    url: re.Pattern[str]
    variable: re.Pattern[str]
    """A line of a .env file."""


POSTGRES = Traces(
    python=frozenset(
        {"asyncpg", "psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "pg8000", "aiopg"}
        | {"sqlalchemy[postgresql]", "sqlalchemy[asyncpg]", "sqlalchemy[postgresql-asyncpg]"}
        | {
            "sqlalchemy[postgresql-psycopg]",
            "tortoise-orm[asyncpg]",
            "databases[asyncpg]",
            "piccolo[postgres]",
        }
    ),
    node=frozenset({"pg", "postgres", "pg-promise", "@vercel/postgres", "@prisma/adapter-pg"}),
    url=re.compile(
        r"\bpostgres(?:ql)?(?:\+\w+)?://|^[ \t]*provider\s*=\s*[\"']postgresql[\"']", re.MULTILINE
    ),
    variable=re.compile(
        r"^[ \t]*(?:export\s+)?(?:POSTGRES|PG)_?(?:HOST|PORT|USER|DB)\s*=\s*\S", re.MULTILINE
    ),
)
REDIS = Traces(
    python=frozenset(
        {"redis", "arq", "rq", "aioredis", "django-redis", "django-rq", "channels-redis", "taskiq-redis"}
        | {
            "coredis",
            "valkey",
            "celery[redis]",
            "dramatiq[redis]",
            "kombu[redis]",
            "huey[redis]",
            "saq[redis]",
        }
    ),
    node=frozenset({"redis", "ioredis", "bull", "bullmq", "connect-redis", "@redis/client", "iovalkey"}),
    url=re.compile(r"\brediss?://"),
    variable=re.compile(r"^[ \t]*(?:export\s+)?REDIS_(?:URL|HOST|PORT)\s*=\s*\S", re.MULTILINE),
)


def postgres(bounds: Bounds, _found: Mapping[str, Service]) -> Finding:
    """Find a use of PostgreSQL."""
    if not _uses(bounds, POSTGRES):
        return Finding()
    root = bounds.root
    settings = database_settings(project_name(root), is_named=False)
    return Finding(_server(KINDS["postgres"], root, settings))


def redis(bounds: Bounds, _found: Mapping[str, Service]) -> Finding:
    """Find a use of Redis."""
    if not _uses(bounds, REDIS):
        return Finding()
    return Finding(_server(KINDS["redis"], bounds.root))


def _server(kind: Kind, root: Path, database: DatabaseSettings | None = None) -> Service:
    port = kind.default_port and preferring(kind.name, kind.default_port, browser=kind.has_pages)
    return Service(name=kind.name, provider=kind.name, directory=root, port=port or None, database=database)


def _uses(bounds: Bounds, traces: Traces) -> bool:
    folders = [folder for name in _FOLDERS if bounds.holds(folder := bounds.root / name)]
    return (
        any(name in traces.python for folder in folders for name in _python_dependencies(folder, bounds))
        or any(name in traces.node for folder in folders for name in _node_dependencies(folder, bounds))
        or any(
            traces.url.search(text) or traces.variable.search(text)
            for folder in folders
            for text in _settings(folder, bounds)
        )
        or any(traces.url.search(text) for text in _source_texts(bounds))
    )


def _python_dependencies(folder: Path, bounds: Bounds) -> Iterator[str]:
    """Yield the distributions that an application needs, each also with each of its extras."""
    lines: list[Any] = []
    for path in (*folder.glob("requirements*.txt"), *folder.glob("requirements/*.txt")):
        lines += read(path, bounds).splitlines()
    pyproject = _toml(folder / "pyproject.toml", bounds)
    project = table(pyproject, "project")
    for group in (project.get("dependencies"), *table(project, "optional-dependencies").values()):
        lines += group if isinstance(group, list) else []
    for line in lines:
        parts = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?", str(line))
        if parts is not None:
            yield from _with_extras(parts[1], (parts[2] or "").split(","))
    poetry = table(table(pyproject, "tool"), "poetry")
    for packages in (table(poetry, "dependencies"), table(_toml(folder / "Pipfile", bounds), "packages")):
        for name, described in packages.items():
            extras = described.get("extras") if isinstance(described, dict) else None
            yield from _with_extras(name, extras if isinstance(extras, list) else [])


def _with_extras(name: str, extras: list[Any]) -> Iterator[str]:
    normal = re.sub(r"[-_.]+", "-", name).lower()
    yield normal
    for extra in extras:
        yield f"{normal}[{str(extra).strip().lower().replace('_', '-')}]"


def _toml(path: Path, bounds: Bounds) -> dict[str, Any]:
    try:
        return parse_toml(read(path, bounds))
    except (ValueError, RecursionError):
        return {}


def _node_dependencies(folder: Path, bounds: Bounds) -> Iterator[str]:
    yield from table(read_package(folder, bounds), "dependencies")


def _settings(folder: Path, bounds: Bounds) -> Iterator[str]:
    """Yield the settings that are files: .env and its templates, alembic.ini, Prisma's schema."""
    for path in (*folder.glob(".env*"), folder / "alembic.ini", folder / "prisma" / "schema.prisma"):
        # What devinit wrote itself would keep a server for ever that the code no longer uses.
        if path.name != ENVIRONMENT_FILE:
            yield _without_comments(read(path, bounds))


def _source_texts(bounds: Bounds) -> Iterator[str]:
    folder = bounds.root / "backend"
    for path in sources(folder, (".py", ".ts", ".js", ".mjs"), bounds) if bounds.holds(folder) else ():
        yield _without_comments(read_source(path))


def _without_comments(text: str) -> str:
    return re.sub(r"^[ \t]*(?:#|//).*$", "", text, flags=re.MULTILINE)

"""Find out whether a project uses PostgreSQL or Redis: by its dependencies and by its settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from devinit.kinds import KINDS
from devinit.model.evidence import Evidence
from devinit.model.names import ENVIRONMENT_FILE
from devinit.model.service import Service
from devinit.sources.files import read, read_source, seen, source_files, table
from devinit.sources.folders.finding import Finding
from devinit.sources.packages import read_package
from devinit.sources.servers import server
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
    return _used("postgres", POSTGRES, bounds)


def redis(bounds: Bounds, _found: Mapping[str, Service]) -> Finding:
    """Find a use of Redis."""
    return _used("redis", REDIS, bounds)


def _used(kind: str, traces: Traces, bounds: Bounds) -> Finding:
    evidence = next(_uses(bounds, traces), None)
    return Finding(server(KINDS[kind], bounds.root), evidence=(evidence,)) if evidence else Finding()


def _uses(bounds: Bounds, traces: Traces) -> Iterator[Evidence]:
    """Yield the lines that show the use of a server, the clearest first."""
    folders = [folder for name in _FOLDERS if bounds.holds(folder := bounds.root / name)]
    for folder in folders:
        for name, path, text, position in _python_dependencies(folder, bounds):
            if name in traces.python:
                yield seen("provider", path, bounds, text, position)
    for folder in folders:
        for name in table(read_package(folder, bounds), "dependencies"):
            if name in traces.node:
                path = folder / "package.json"
                text = read(path, bounds)
                yield seen("provider", path, bounds, text, max(text.find(f'"{name}"'), 0))
    settings = ((path, read(path, bounds)) for folder in folders for path in _settings(folder))
    for path, text in settings:
        plain = _without_comments(text)
        if found := traces.url.search(plain) or traces.variable.search(plain):
            yield seen("provider", path, bounds, plain, found.start())
    for path in _source_files(bounds):
        plain = _without_comments(read_source(path))
        if found := traces.url.search(plain):
            yield seen("provider", path, bounds, plain, found.start())


def _python_dependencies(folder: Path, bounds: Bounds) -> Iterator[tuple[str, Path, str, int]]:
    """Yield the distributions that an application needs, each also with each of its extras, and where."""
    for path in (*folder.glob("requirements*.txt"), *folder.glob("requirements/*.txt")):
        text, position = read(path, bounds), 0
        for line in text.splitlines(keepends=True):
            for name in _requirement(line):
                yield name, path, text, position
            position += len(line)
    path = folder / "pyproject.toml"
    text = read(path, bounds)
    pyproject = _toml(text)
    project = table(pyproject, "project")
    for group in (project.get("dependencies"), *table(project, "optional-dependencies").values()):
        for line in group if isinstance(group, list) else []:
            for name in _requirement(str(line)):
                yield name, path, text, max(text.find(str(line)), 0)
    poetry = table(table(pyproject, "tool"), "poetry")
    yield from _packages(table(poetry, "dependencies"), path, text)
    path = folder / "Pipfile"
    text = read(path, bounds)
    yield from _packages(table(_toml(text), "packages"), path, text)


def _requirement(line: str) -> Iterator[str]:
    parts = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?", line)
    if parts is not None:
        yield from _with_extras(parts[1], (parts[2] or "").split(","))


def _packages(packages: dict[str, Any], path: Path, text: str) -> Iterator[tuple[str, Path, str, int]]:
    """Yield the distributions of a table that has a key for each."""
    for key, described in packages.items():
        extras = described.get("extras") if isinstance(described, dict) else None
        for name in _with_extras(key, extras if isinstance(extras, list) else []):
            yield name, path, text, max(text.find(key), 0)


def _with_extras(name: str, extras: list[Any]) -> Iterator[str]:
    normal = re.sub(r"[-_.]+", "-", name).lower()
    yield normal
    for extra in extras:
        yield f"{normal}[{str(extra).strip().lower().replace('_', '-')}]"


def _toml(text: str) -> dict[str, Any]:
    try:
        return parse_toml(text)
    except (ValueError, RecursionError):
        return {}


def _settings(folder: Path) -> Iterator[Path]:
    """Yield the settings that are files: .env and its templates, alembic.ini, Prisma's schema."""
    for path in (*folder.glob(".env*"), folder / "alembic.ini", folder / "prisma" / "schema.prisma"):
        # What devinit wrote itself would keep a server for ever that the code no longer uses.
        if path.name != ENVIRONMENT_FILE:
            yield path


def _source_files(bounds: Bounds) -> Iterator[Path]:
    folder = bounds.root / "backend"
    return source_files(folder, (".py", ".ts", ".js", ".mjs"), bounds) if bounds.holds(folder) else iter(())


def _without_comments(text: str) -> str:
    """Return a text without its comments; the lines keep their numbers."""
    return re.sub(r"^[ \t]*(?:#|//).*$", "", text, flags=re.MULTILINE)

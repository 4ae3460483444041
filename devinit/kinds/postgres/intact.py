"""The check that a data directory of PostgreSQL is complete, with clearer errors than PostgreSQL's own."""

from __future__ import annotations

import stat
from pathlib import Path
from shlex import quote

from devinit.errors import ProviderError
from devinit.kinds.postgres.cluster import SUPERUSER_FILE
from devinit.kinds.programs import Program, moved_away, unusable
from devinit.system.files import LARGEST_SETTINGS, read_bytes
from devinit.system.regular import kind_of

VERSION_FILE = "PG_VERSION"
FOLDERS = ("base", "base/1", "global", "pg_wal")
"""`base/1` is the database template1, which every cluster has."""
FILES = ("global/pg_control", "postgresql.conf", "pg_hba.conf", SUPERUSER_FILE)
"""None of them may be empty."""


def check(cluster: Path, program: Program) -> None:
    """Raise an error for a folder that is no cluster of the program's version, or lacks a part."""
    try:
        content = read_bytes(cluster / VERSION_FILE, most=LARGEST_SETTINGS) if cluster.is_dir() else None
        version = (content or b"").decode(errors="replace").strip("\0\n ")
        lost = lacking(cluster) if version.isdecimal() else ""
    except OSError as error:
        raise unusable(cluster, error) from error
    if content is None:
        raise ProviderError(
            f"{cluster} is not a PostgreSQL data directory: it has no {VERSION_FILE}",
            hint=f"nothing was changed; to begin with an empty database: {moved_away(cluster)}",
        )
    if not version.isdecimal():
        path = cluster / VERSION_FILE
        raise ProviderError(
            f"{path} {'names no version' if version else 'is empty'}",
            hint=f"nothing was changed; if all else is there: echo {program.major} > {quote(str(path))}\n"
            f"or begin with an empty database: {moved_away(cluster)}",
        )
    if version != str(program.major):
        raise ProviderError(
            f"{cluster} holds data of PostgreSQL {version}, which {program.title} cannot read",
            hint=f"nothing was changed; rename it to pg{version} for PostgreSQL {version}, or move it away",
        )
    if lost:
        raise ProviderError(
            f"the data of {program.title} in {cluster} is incomplete: {lost}",
            hint="nothing was changed; bring it back from a backup,\n"
            f"or begin with an empty database: {moved_away(cluster)}",
        )


def lacking(cluster: Path) -> str:
    """Return which part of a cluster is missing, empty or no file; "" if it is complete."""
    for name in FOLDERS:
        if not (cluster / name).is_dir():
            return f"{name} is missing"
    for name in FILES:
        try:
            found = (cluster / name).stat()
        except FileNotFoundError:
            return f"{name} is missing"
        if not stat.S_ISREG(found.st_mode):
            return f"{name} is {kind_of(found.st_mode)}, not a file"
        if not found.st_size:
            return f"{name} is empty"
    return ""

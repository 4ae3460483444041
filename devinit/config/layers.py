"""The layers of the configuration: devinit.toml over the detected project, and a profile over both. Pure.

A table is merged over another one key by key. A service in the file is merged over the detected
service with the same name, or with another name if it is the same service: a server in the same
folder, or a database of the same kind.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from devinit.config.as_tables import service_keys
from devinit.config.problems import Problems, Raw
from devinit.config.tables import KINDS_OF_READINESS
from devinit.kinds import USUAL, kind_implied_by, kind_of
from devinit.model.evidence import Evidence
from devinit.model.names import CONFIGURATION_FILE, variable_prefix
from devinit.model.service import DatabaseSettings, Project, Service
from devinit.model.unknown import those_there_are

_TAKES_PORT = re.compile(r"\$(?:PORT\b|\{PORT\b)")
_OF_ITS_FOLDER = ("before_start", "directory", "setup", "setup_inputs", "watch")
_OF_ITS_PORT = (
    "docs_path", "extra_ports", "health", "port", "range", "ready", "strict_port", "url_path", "warm",
)  # fmt: skip
NO_WORKER = "of Celery is not started, because "
"""A part of detection's note about a worker whose broker was not found."""
_OF_NO_ONE_SHOT = ("port", "range", "ready", "restart")
"""Keys that turn a detected one-shot into something else."""


def merged(base: Raw, over: Raw) -> Raw:
    """Merge one table over another; values that are no tables are replaced."""
    both = dict(base)
    for key, value in over.items():
        below = both.get(key)
        if not (isinstance(value, dict) and isinstance(below, dict)):
            both[key] = value
        elif key == "ready" and _is_another_kind(below, value):
            both[key] = {**{name: below[name] for name in below.keys() & {"timeout"}}, **value}
        else:
            both[key] = merged(below, value)
    return both


def _is_another_kind(ready: Raw, over: Raw) -> bool:
    """Return whether a layer proves readiness in another way, which would contradict the lower one."""
    kinds = over.keys() & set(KINDS_OF_READINESS)
    return bool(kinds) and kinds != ready.keys() & set(KINDS_OF_READINESS)


def beneath_stated(found: Project, stated: Raw) -> Raw:
    """Return the tables of the detected project that remain beneath devinit.toml, under the names in that file."""
    services: Raw = stated.get("services") or {}
    names = renamed(found, services)
    detected = {}
    for service in found.services.values():
        name = names.get(service.name, service.name)
        table = _with_names(_table_of(service, found), names)
        detected[name] = _beneath(table, services.get(name))
    return {"services": detected, "environment": _with_variables({**found.environment}, names)}


def renamed(found: Project, services: Raw) -> dict[str, str]:
    """Return the detected services that have another name in the file: detected name → name in the file."""
    names: dict[str, str] = {}
    for name, table in services.items():
        if not isinstance(table, dict) or name in found.services:
            continue
        others = [each for each in found.services.values() if each.name not in {*services, *names}]
        same = [each for each in others if _is_same(name, table, each, found)]
        if "command" not in table and len(same) > 1 and kind_of(same[0]).runs_a_command:
            # Several matches: the file means the server in the folder, or none if there are several servers.
            servers = [each for each in same if each.port is not None]
            same = servers if len(servers) == 1 else []
        if same:
            names[same[0].name] = name
    return names


def names_of_profiles(services: Collection[str], base: Raw, profiles: Raw) -> tuple[str, ...]:
    """Return names of services that exist without a profile, or with another one, but not with this one.

    A profile that leaves a service out mentions its name as well.
    """
    named = {name for name, each in (base.get("services") or {}).items() if each is not False}
    of_profiles = (profile.get("services") or {} for profile in profiles.values())
    return tuple(sorted(named.union(*of_profiles).difference(services)))


def _table_of(service: Service, found: Project) -> Raw:
    """Return a detected service as a table; a database follows the project name that the file states."""
    settings = service.settings_as(DatabaseSettings)
    follow = settings.after_folder if settings is not None else ()
    return {key: value for key, value in service_keys(service, found) if key not in follow}


def with_found_names(project: Project, names: Collection[str] | None = None) -> Project:
    """Return a project whose databases record whether their names come from project files, not from devinit.toml.

    `names`: the services whose `database` was detected; None for a project that was only detected.
    """

    def named(service: Service) -> Service:
        settings = service.settings_as(DatabaseSettings)
        if settings is None:
            return service
        is_found = "database" not in settings.after_folder if names is None else service.name in names
        return replace(service, settings=replace(settings, is_found=is_found))

    return replace(project, services={name: named(each) for name, each in project.services.items()})


def with_detected(key: str, tables: Raw, stated: Raw) -> set[str]:
    """Return the services with a key that was detected and that the file does not state."""

    def having(layer: Raw) -> set[str]:
        services: Raw = layer.get("services") or {}
        return {name for name, each in services.items() if isinstance(each, dict) and key in each}

    return having(tables) - having(stated)


def evidence_of(found: Project, stated: Raw) -> dict[str, tuple[Evidence, ...]]:
    """Return the evidence for the values of services: devinit.toml first, then the detected places."""
    services: Raw = {
        name: each for name, each in (stated.get("services") or {}).items() if isinstance(each, dict)
    }
    names = renamed(found, services)
    evidence: dict[str, tuple[Evidence, ...]] = {name: (_stated(each),) for name, each in services.items()}
    for service in found.services.values():
        name = names.get(service.name, service.name)
        kept = _beneath(_table_of(service, found), services.get(name))
        below = (each for each in found.evidence.get(service.name, ()) if each.about in kept)
        above = services.get(name, {})
        evidence[name] = (*evidence.get(name, ()), *(each for each in below if each.about not in above))
    return evidence


def added_by_detection(found: Project, services: Mapping[str, Service]) -> Iterator[str]:
    """Yield a note if all services in devinit.toml are complete and others run, too: the file may be outdated."""
    stated = {
        name: each
        for name in services
        for each in found.evidence.get(name, ())
        if each.file == CONFIGURATION_FILE
    }
    whole = ("command", "provider", "url")
    is_complete = all(any(key in each.about.split(", ") for key in whole) for each in stated.values())
    added = [name for name, each in services.items() if name not in stated and kind_of(each).runs_a_command]
    if stated and is_complete and added:
        yield (
            f"{', '.join(added)}: not in {CONFIGURATION_FILE}, but found in the repository: "
            "`devinit start` runs that, too; under [project] `detect = false` keeps to the file, `detect = true` "
            "to this without a word"
        )


def fixed_as_found(service: Service, found: Project) -> Service:
    """Return a service whose fixed port names the line that fixes it, if that line was detected."""
    lines = (each for each in found.evidence.get(service.name, ()) if each.about == "strict_port")
    line = next(lines, None)
    if line is None or service.port is None or not service.port.strict:
        return service
    return replace(service, port=replace(service.port, fixed_by=line.place))


def _stated(table: Raw) -> Evidence:
    return Evidence(about=", ".join(table), file=CONFIGURATION_FILE)


def notes_of(found: Project, services: Mapping[str, Service]) -> Iterator[str]:
    """Yield the notes of detection, except those that the file answers.

    It answers notes about the folders of its services, and about links that it names.
    """
    described = tuple(
        service
        for name, service in services.items()
        if all(each.file == CONFIGURATION_FILE for each in found.evidence.get(name, ()))
    )
    folders = {each.directory for each in services.values()}
    left_out = (each for each in found.services.values() if each.directory not in folders)
    answered = (
        *(f"{_relative(each.directory, found.root)}/: " for each in (*described, *left_out)),
        *(
            f"{_relative(path, found.root)} is a link "
            for each in services.values()
            for path in (*each.env_file, each.directory)
        ),
    )
    for note in found.notes:
        if not (note.startswith(answered) or _is_started_after_all(note, described, found.root)):
            yield note


def _is_started_after_all(note: str, described: Iterable[Service], root: Path) -> bool:
    """Whether a note is about a Celery worker that is not started, although the file starts one itself."""
    if NO_WORKER not in note:
        return False
    file = root / note.partition(", line ")[0]
    return any("celery" in (each.command or "") and file.is_relative_to(each.directory) for each in described)


def _relative(path: Path, root: Path) -> str:
    return os.path.relpath(path, root)


def _is_same(name: str, table: Raw, service: Service, found: Project) -> bool:
    """Whether a service in the file is the same as a detected one with another name."""
    implied = kind_implied_by(name, has_command="command" in table)
    if not kind_of(service).runs_a_command:
        return bool(table.get("provider", implied) == service.provider)
    command = table.get("command", "")
    folder = os.path.normpath(found.root / table.get("directory", ""))
    if folder != os.path.normpath(service.directory):
        return False
    if not command:
        is_alike = service.port is not None or table.keys().isdisjoint(("port", "range"))
        is_of_its_kind = table.get("provider", implied) == service.provider
        return "directory" in table and "url" not in table and is_of_its_kind and is_alike
    serves = "port" in table or _TAKES_PORT.search(command) is not None
    return (serves and service.port is not None) or command == service.command


def _beneath(detected: Raw, stated: Raw | bool | None) -> Raw:
    """Return the part of a detected service that remains beneath the table in the file.

    A command in the file determines its own folder and port: values that were detected
    for another one do not count.
    """
    if not isinstance(stated, dict):
        return detected
    if "provider" in stated or "command" in stated:
        kind = stated.get("provider", USUAL.name)
        if kind != detected.get("provider", USUAL.name):
            return {}
    if stated.get("url"):
        return {key: detected[key] for key in detected.keys() & {"provider"}}
    moves = not stated.keys().isdisjoint(("port", "range", "exhausted"))
    dropped = {"range", "strict_port"} if moves else set()
    if not stated.keys().isdisjoint(_OF_NO_ONE_SHOT):
        dropped.add("once")
    if "command" not in stated:
        return {key: value for key, value in detected.items() if key not in dropped}
    if os.path.normpath(stated.get("directory", "")) != os.path.normpath(detected.get("directory", "")):
        dropped.update(_OF_ITS_FOLDER)
    if "port" not in stated and not _TAKES_PORT.search(stated["command"]):
        dropped.update(_OF_ITS_PORT)
    return {key: value for key, value in detected.items() if key not in dropped}


def _with_names(table: Raw, names: dict[str, str]) -> Raw:
    """Return the table of a service after others were renamed, in `depends_on` and in `${NAME_URL}`."""
    waits = table.get("depends_on")
    if isinstance(waits, dict):
        table = {**table, "depends_on": {names.get(name, name): each for name, each in waits.items()}}
    elif waits:
        table = {**table, "depends_on": [names.get(name, name) for name in waits]}
    renamed: Raw = _with_variables(table, names)
    return renamed


def _with_variables(value: Any, names: dict[str, str]) -> Any:
    match value:
        case dict():
            return {key: _with_variables(each, names) for key, each in value.items()}
        case list():
            return [_with_variables(each, names) for each in value]
        case str():
            for name, other in names.items():
                value = value.replace(f"${{{variable_prefix(name)}_", f"${{{variable_prefix(other)}_")
    return value


def left_out_in_vain(layers: Iterable[Raw]) -> Iterator[str]:
    """Yield a note for each service that is `false` in a layer but not defined below it, lowest layer first."""
    known: dict[str, None] = {}
    in_vain: list[str] = []
    for layer in layers:
        services: Raw = layer.get("services") or {}
        in_vain += [name for name, table in services.items() if table is False and name not in known]
        known.update({name: None for name, table in services.items() if table is not False})
    for name in dict.fromkeys(in_vain):
        names = those_there_are(name, known, "services")
        yield f"{CONFIGURATION_FILE}: `{name} = false` leaves nothing out: {names}"


def without_left_out(tables: Raw, problems: Problems) -> Raw:
    """Return the tables without services that are `false`, and without dependencies on them."""
    services: Raw = tables.get("services") or {}
    left_out = {name for name, table in services.items() if isinstance(table, bool)}
    for name in left_out:
        if services[name]:
            problems.at("services", name).add("is true", "a table describes it, false leaves it out")
    if not left_out:
        return tables
    kept = {name: _not_waiting(table, left_out) for name, table in services.items() if name not in left_out}
    tasks: Raw = tables.get("tasks") or {}
    others = {name: _not_waiting(table, left_out - tasks.keys()) for name, table in tasks.items()}
    return {**tables, "services": kept, **({"tasks": others} if tasks else {})}


def _not_waiting(table: Raw, left_out: set[str]) -> Raw:
    waits = table.get("depends_on")
    if isinstance(waits, dict):
        return {**table, "depends_on": {name: each for name, each in waits.items() if name not in left_out}}
    if waits is not None:
        names: Iterator[str] = iter([waits] if isinstance(waits, str) else waits)
        return {**table, "depends_on": [name for name in names if name not in left_out]}
    return table

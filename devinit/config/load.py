"""Loading of a project: devinit.toml with the chosen profile over it, or the detected project without a file."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from devinit.config.absence import nothing_in
from devinit.config.discovery import discovery_files
from devinit.config.env_examples import folders_of, missing_env_files
from devinit.config.env_files import linked_env_files
from devinit.config.layers import (
    added_by_detection,
    beneath_stated,
    evidence_of,
    fixed_as_found,
    left_out_in_vain,
    merged,
    names_of_profiles,
    notes_of,
    with_detected,
    with_found_names,
    without_left_out,
)
from devinit.config.policies import seconds
from devinit.config.problems import Place, Problems, Raw, choose
from devinit.config.references import check_dependencies, check_ports, check_variables
from devinit.config.schema import Layer, ProjectTable, plain_keys, tables_for
from devinit.config.services import Surroundings, left_out, service, variables
from devinit.config.slots import in_slot, slot_of
from devinit.config.tables import Table
from devinit.config.tasks import check_tasks, task
from devinit.errors import ConfigError, StateFileError
from devinit.model.defaults import DISCOVERY_REFRESH_SECONDS, project_name
from devinit.model.names import CONFIGURATION_FILE
from devinit.model.project_keys import PlainProjectKeys
from devinit.model.service import Project
from devinit.system.encoding import SAVE_AS_UTF_8, UTF_16, is_utf_16
from devinit.system.files import LARGEST_SETTINGS, read_bytes
from devinit.system.paths import refuse_illegible
from devinit.text import one_line
from devinit.toml import TOO_DEEP, parse_toml

_TOO_LARGE = 2**63
_LONGEST_LINE = 2000
"""Characters of a line in which secrets are masked, before an error cuts the line to what it shows."""
_AnyTable = TypeVar("_AnyTable", bound=Table)


def load(root: Path, *, profile: str | None = None, as_written: bool = False) -> Project:
    """Return the project in a folder, with the ports that this checkout prefers.

    `as_written`: with the ports in the files, also in a linked worktree, which prefers others. Raise ConfigError
    for any mistake in devinit.toml and for names that are not UTF-8, NoProject if there is neither that file nor a
    detected service.
    """
    root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would leave a checkout reached by a symlink
    project = _described(root, profile)
    for name, each in project.services.items():
        refuse_illegible(each.directory)
        for command in (each.command or "", *each.setup, *each.before_start):
            refuse_illegible(command, f"{name}: the command")
    return project if as_written else in_slot(project, slot_of(root))


def _described(root: Path, profile: str | None) -> Project:
    path = root / CONFIGURATION_FILE
    _refuse_strangers(root, path)
    text = _read(path)
    if text is None:
        return _detected(root, profile)
    raw = _parse(text, path)
    tables = tables_for(raw)
    _fit(raw, tables.file, Problems(path))
    stated = {key: value for key, value in raw.items() if key != "profiles"}
    overrides = {} if profile is None else _overrides(raw, profile, path)
    problems = Problems(path, profile=profile, overrides=overrides)
    layers = merged(stated, overrides)
    found, below, names = None, Raw(), set[str]()
    if layers.get("project", {}).get("detect", True):
        found = _found_beneath(root, layers)
        below = beneath_stated(found, stated)
        written, layers = layers, merged(merged(below, stated), overrides)
        names = with_detected("database", layers, written)
        found = replace(found, evidence=evidence_of(found, stated))
    file = _fit(without_left_out(layers, problems), tables.layer, problems)
    project = with_found_names(_project(file, path, problems, found), names)
    in_vain = left_out_in_vain([below, stated, overrides])
    return replace(
        project,
        notes=tuple(dict.fromkeys((*project.notes, *in_vain))),
        other_names=names_of_profiles(project.services, merged(below, stated), raw.get("profiles") or {}),
    )


def _found_beneath(root: Path, layers: Raw) -> Project:
    # As in _detected.
    from devinit.config.detected import beneath

    services: Raw = layers.get("services", {})
    return beneath(root, services, [name for name, table in services.items() if table is False])


def _refuse_strangers(root: Path, path: Path) -> None:
    """Raise ConfigError in a shared folder like /tmp, if its files may be another user's and would run as ours."""
    try:
        folder, found = root.stat(), path.lstat() if os.path.lexists(path) else None
    except OSError:
        return  # reading the file reports the error
    is_shared = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
    if not is_shared or (found is not None and found.st_uid in (os.geteuid(), 0)):
        return
    what = (
        f"the {CONFIGURATION_FILE} in it is another user's"
        if found is not None
        else "anything in it may be theirs"
    )
    raise ConfigError(
        f"every user may write into {root}, and {what}: nothing of it is started",
        hint="work in a folder of your own in it",
    )


def _detected(root: Path, profile: str | None) -> Project:
    # Most projects are configured, and the supervisor's start should not pay for detection then.
    from devinit.config.detected import detect

    project = detect(root)
    if not project.services:
        raise nothing_in(root, project.notes)
    if profile is not None:
        raise ConfigError(
            f'there is no profile "{profile}": {root} has no {CONFIGURATION_FILE}',
            hint="`devinit init` writes one",
        )
    return with_found_names(project)


def _read(path: Path) -> str | None:
    try:
        # Some editors write a byte order mark first.
        content = read_bytes(path, most=LARGEST_SETTINGS)
        if content is not None and is_utf_16(content):
            raise ConfigError(f"{path}, line 1: {UTF_16}", hint=SAVE_AS_UTF_8)
        if content is not None:
            return content.decode("utf-8-sig")
        if os.path.lexists(path):
            raise ConfigError(f"{path} is a link to a file that does not exist")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}, line {line}: not UTF-8", hint="save it as UTF-8") from error
    except StateFileError as error:
        raise ConfigError(error.message, hint=error.hint) from error
    return None


def _parse(text: str, path: Path) -> Raw:
    problems = Problems(path)
    try:
        raw = parse_toml(text)
        _refuse_unusable(raw, problems.at())
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), text, path) from error
    except RecursionError as error:
        raise ConfigError(f"{path} cannot be parsed: {TOO_DEEP}") from error
    except ValueError as error:
        # Python limits the digits of a number; tomllib passes the error on.
        raise ConfigError(f"{path} cannot be parsed: {error}") from error
    problems.raise_if_any()
    return raw


def _syntax_error(message: str, text: str, path: Path) -> ConfigError:
    what, _, where = message.partition(" (at ")
    position = re.fullmatch(r"line (\d+), column (\d+)\)", where)
    lines = text.splitlines() or [""]
    if position is None:
        line, column = len(lines), len(lines[-1]) + 1
    else:
        line, column = int(position[1]), int(position[2])
    from devinit.masking import masked_line  # only for an error

    source = (text.split("\n")[line - 1] if position else lines[-1]).strip()[:_LONGEST_LINE]
    return ConfigError(
        f"{path}, line {line}, column {column}: {what[:1].lower()}{what[1:]}",
        hint=f"the line is: {masked_line(source)[:100]}" if source else None,
    )


def _refuse_unusable(value: Any, place: Place) -> None:
    """Refuse values that Python parses but no later step can use."""
    match value:
        case str() if "\0" in value:
            place.add("holds a NUL character", "no path, argument or variable can hold one")
        case int() if abs(value) >= _TOO_LARGE:
            place.add("the number is too large", "TOML's numbers have 64 bits; put a longer one in quotes")
        case dict():
            for key, each in value.items():
                _refuse_unusable(key, place)
                _refuse_unusable(each, place.at(key))
        case list():
            for index, each in enumerate(value):
                _refuse_unusable(each, place.at(index))


def _fit(raw: Raw, table: type[_AnyTable], problems: Problems) -> _AnyTable:
    try:
        return msgspec.convert(raw, table)
    except (msgspec.ValidationError, RecursionError) as error:
        # Only a wrong file pays for the explanation.
        from devinit.config.explain import explain

        explain(raw, table, problems.at())
        problems.raise_if_any()
        raise ConfigError(f"{problems.path}: {error}") from error


def _overrides(raw: Raw, profile: str, path: Path) -> Raw:
    profiles = raw.get("profiles", {})
    if profile not in profiles:
        known = choose(profile, profiles, what="profiles")
        raise ConfigError(f'{path}: there is no profile "{profile}"', hint=known)
    overrides: Raw = profiles[profile]
    return overrides


def _project(file: Layer, path: Path, problems: Problems, found: Project | None = None) -> Project:
    root = path.parent
    table = file.project or ProjectTable()
    name = _name(table.name, root, problems.at("project", "name"))
    surroundings = Surroundings(root, name, is_named=table.name is not None, found=found)
    place = problems.at("services")
    services = {
        key: service(key, each, surroundings, place.at(key))
        for key, each in (file.services or {}).items()
        if not isinstance(each, bool)
    }
    if found is not None:
        services = {name: fixed_as_found(each, found) for name, each in services.items()}
    check_dependencies(services, place)
    check_variables(services, place)
    notes = check_ports(services, place)
    if not services:
        notes.append(f"{path} describes no services")
    notes += linked_env_files(root, services.values())
    notes += map(one_line, missing_env_files(root, sorted(folders_of(services.values()))))
    if found is not None:
        notes += notes_of(found, services)
        if table.detect is None:
            notes += added_by_detection(found, services)
    place = problems.at("tasks")
    tasks = {key: task(key, each, root, place.at(key)) for key, each in (file.tasks or {}).items()}
    check_tasks(tasks, services, place)
    environment = variables(file.environment, problems.at("environment"))
    without = left_out(file.environment)
    discovery = discovery_files(file.discovery or {}, services, problems.at("discovery"))
    refresh = seconds(
        table.discovery_refresh, DISCOVERY_REFRESH_SECONDS, problems.at("project", "discovery_refresh")
    )
    problems.raise_if_any()
    return Project(
        name=name,
        root=root,
        services=services,
        tasks=tasks,
        environment=environment,
        left_out=without,
        discovery=discovery,
        discovery_refresh_seconds=refresh,
        source=path,
        evidence={} if found is None else found.evidence,
        notes=tuple(dict.fromkeys(notes)),
        **plain_keys(table, PlainProjectKeys),
    )


def _name(text: str | None, root: Path, place: Place) -> str:
    if text is None:
        return project_name(root)
    if not text.strip() or not text.isprintable():
        place.add("not a name that can be shown")
    return text

"""Decide which services the programs of a script wait for: the build of a package comes before its users."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from devinit.model.service import Condition, Service
from devinit.sources.commands import programs
from devinit.sources.commands.command import Command, understood
from devinit.sources.commands.scripts import words_of_script
from devinit.sources.commands.workspace import Package, needed_by
from devinit.sources.scripts.expanding import Step
from devinit.system.bounds import Bounds


class Kind(StrEnum):
    """The role of a program in a script."""

    SERVER = "server"
    WORKER = "worker"
    """It keeps running, and no other service uses it."""
    WATCHER = "watcher"
    """It rebuilds a package whenever a source file changes."""
    BUILD = "build"
    """It builds once and ends."""


def kind_of(service: Service, step: Step, bounds: Bounds) -> Kind:
    """Return the role of a step's program."""
    if step.ends:
        return Kind.BUILD
    if service.port is not None or service.command is None:
        return Kind.SERVER
    program = list(program_run(understood(step.command), service.directory, bounds))
    if not programs.builds(program):
        return Kind.WORKER
    return Kind.WATCHER if programs.is_watching(program) else Kind.BUILD


def program_run(command: Command, directory: Path, bounds: Bounds) -> tuple[str, ...]:
    """Return the program that a command runs through scripts, with its arguments."""
    words = words_of_script(command, directory, bounds)
    if words is None:
        return command.program
    # `npm run build:server -- --watch` passes its arguments on to the script.
    behind = command.runs.arguments if command.runs and not words.rstrip().endswith(" --") else ()
    return (*understood(words).program, *behind)


def package_of(
    service: Service, program: tuple[str, ...], packages: Mapping[str, Package], root: Path
) -> str:
    """Return the package of a service, by its folder or by a file that it runs; "" without one."""
    folders = {each.folder: each.name for each in packages.values()}
    directory = service.directory.relative_to(root).as_posix()
    if directory in folders:
        return folders[directory]
    for word in program:
        path = posixpath.normpath(posixpath.join(directory, word))
        for folder, name in folders.items():
            if path.startswith(f"{folder}/"):
                return name
    return ""


def waits(
    steps: Mapping[str, Step],
    kinds: Mapping[str, Kind],
    used: Mapping[str, str],
    ports: Mapping[str, int],
    packages: Mapping[str, Package],
) -> dict[str, dict[str, Condition]]:
    """Return the conditions of each service, keyed by service and by the service that it waits for.

    `used` maps each service to the package that it runs, `ports` to the port on which it answers.
    """
    before = [name for name, step in steps.items() if step.ends]
    builders = {
        used[name]: name
        for name, step in steps.items()
        if used[name] and not step.ends and kinds[name] in (Kind.WATCHER, Kind.BUILD)
    }
    found: dict[str, dict[str, Condition]] = {}
    for name, step in steps.items():
        if step.ends:
            place = before.index(name)
            found[name] = dict.fromkeys(before[max(place - 1, 0) : place], Condition.COMPLETED)
            continue
        conditions = dict.fromkeys(before[-1:], Condition.COMPLETED)
        package = packages.get(used[name])
        for each in sorted(needed_by(packages, package)) if package else ():
            builder = builders.get(each)
            # Packages that need each other start together.
            if builder and builder != name and used[name] not in needed_by(packages, packages[each]):
                is_done = kinds[builder] is Kind.BUILD
                conditions[builder] = Condition.COMPLETED if is_done else Condition.READY
        found[name] = conditions
    for name, step in steps.items():
        for each, port in ports.items():
            if port in step.waits_for and not _reaches(found, each, name):
                found[name][each] = Condition.READY
    return found


def _reaches(conditions: Mapping[str, Mapping[str, Condition]], start: str, goal: str) -> bool:
    """Return whether a service waits for another one, directly or not."""
    waiting, seen = [start], {start}
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        further = conditions.get(name, {}).keys() - seen
        seen |= further
        waiting += further
    return False

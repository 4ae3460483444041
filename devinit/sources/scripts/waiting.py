"""What the programs of a script wait for: a package that is built by another one is built first."""

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
    """What is expected of a program."""

    SERVER = "server"
    WORKER = "worker"
    """It runs on, and nothing is asked of it."""
    WATCHER = "watcher"
    """It builds a package again whenever its source changes."""
    BUILD = "build"
    """It builds, and ends."""


def kind_of(service: Service, step: Step, bounds: Bounds) -> Kind:
    """Return what is expected of the program of a step."""
    if step.ends:
        return Kind.BUILD
    if service.port is not None or service.command is None:
        return Kind.SERVER
    program = list(program_run(understood(step.command), service.directory, bounds))
    if not programs.builds(program):
        return Kind.WORKER
    return Kind.WATCHER if programs.is_watching(program) else Kind.BUILD


def program_run(command: Command, directory: Path, bounds: Bounds) -> tuple[str, ...]:
    """Return the program that a command runs in the end in a folder, with the words after it."""
    words = words_of_script(command, directory, bounds)
    if words is None:
        return command.program
    # `npm run build:server -- --watch` hands its words on.
    behind = command.runs.arguments if command.runs and not words.rstrip().endswith(" --") else ()
    return (*understood(words).program, *behind)


def package_of(
    service: Service, program: tuple[str, ...], packages: Mapping[str, Package], root: Path
) -> str:
    """Return the package whose program a service runs: in its folder, or with a file of it; empty without one."""
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
    """Return what each service waits for, by their names.

    `used` says whose package each one runs, `ports` where it answers.
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
            # Two packages that need each other are started together.
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
    """Return whether a service waits for another one, also through others."""
    waiting, seen = [start], {start}
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        further = conditions.get(name, {}).keys() - seen
        seen |= further
        waiting += further
    return False

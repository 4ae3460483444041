"""What the programs of a script wait for: a package that is built by another one is built first."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from devinit.model.service import Condition, Service
from devinit.sources.commands import programs
from devinit.sources.commands.command import understood
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
    command = understood(step.command)
    words = words_of_script(command, service.directory, bounds)
    program = list(understood(words).program if words is not None else command.program)
    if not programs.builds(program):
        return Kind.WORKER
    return Kind.WATCHER if programs.is_watching(program) else Kind.BUILD


def waits(
    steps: Mapping[str, Step], kinds: Mapping[str, Kind], packages: Mapping[str, Package]
) -> dict[str, dict[str, Condition]]:
    """Return what each service waits for, by their names."""
    before = [name for name, step in steps.items() if step.ends]
    builders = {
        step.package: name
        for name, step in steps.items()
        if step.package and not step.ends and kinds[name] in (Kind.WATCHER, Kind.BUILD)
    }
    found: dict[str, dict[str, Condition]] = {}
    for name, step in steps.items():
        if step.ends:
            place = before.index(name)
            found[name] = dict.fromkeys(before[max(place - 1, 0) : place], Condition.COMPLETED)
            continue
        conditions = dict.fromkeys(before[-1:], Condition.COMPLETED)
        package = packages.get(step.package)
        for each in sorted(needed_by(packages, package)) if package else ():
            builder = builders.get(each)
            # Two packages that need each other are started together.
            if builder and builder != name and step.package not in needed_by(packages, packages[each]):
                is_done = kinds[builder] is Kind.BUILD
                conditions[builder] = Condition.COMPLETED if is_done else Condition.READY
        found[name] = conditions
    return found

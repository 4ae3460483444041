"""Turn the programs of a script into services, each with the services that it waits for."""

from __future__ import annotations

import os.path
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from devinit.model.evidence import Evidence
from devinit.model.service import Condition, Readiness, RestartMode, RestartPolicy, Service
from devinit.sources.commands import programs
from devinit.sources.commands.command import understood
from devinit.sources.commands.languages import language_of
from devinit.sources.commands.left_out import why_not
from devinit.sources.commands.listening import CODE
from devinit.sources.commands.migrations import migration_of
from devinit.sources.commands.process import Process, problem_of, service_name
from devinit.sources.commands.script_runs import RUNNERS
from devinit.sources.commands.services import MOST_NOTES, Listing, Numbering, add, line_of
from devinit.sources.commands.workspace import Package, packages_of
from devinit.sources.files import read, seen, table
from devinit.sources.packages import line_of_script, package_manager, read_package
from devinit.sources.scripts.expanding import Expansion, Step
from devinit.sources.scripts.unbuilt import unbuilt
from devinit.sources.scripts.waiting import Kind, kind_of, package_of, program_run, waits
from devinit.sources.source import Found, Weight
from devinit.system.bounds import Bounds

ORIGIN = "package.json"
_NX = "nx.json"
_STUDIO = "studio"
"""Command of Prisma and Drizzle that shows a database in a browser."""
SCRIPTS = ("dev", "start:dev", "develop", "start")
"""Usual scripts for development; the first one that exists counts."""
WHOLE = ("dev:all", "dev:full", "start:all", "dev:both", "dev:watch")
"""Scripts whose names suggest that they start more than the usual one."""
USUAL_PORT = 3000
"""Port of a server that names none: these programs are not numbered."""


def found_in(bounds: Bounds) -> Found:
    """Return the programs of the project's development script, when it starts several."""
    scripts = table(read_package(bounds.root, bounds), "scripts")
    first = [each for each in SCRIPTS if isinstance(scripts.get(each), str)][:1]
    # Beside a `start`, which often runs built files, `serve` may be the script for development.
    further = WHOLE if first and first[0] != "start" else (*WHOLE, "serve")
    whole = [each for each in further if isinstance(scripts.get(each), str)]
    packages = packages_of(bounds) if first or whole else {}
    for script in (*first, *whole):
        expansion = Expansion(bounds, packages)
        steps = expansion.steps(script)
        if _are_several(steps) and not _are_projects_of_nx(steps, bounds):
            return _found(steps, expansion, packages, bounds)
    return Found()


def _are_several(steps: list[Step]) -> bool:
    """Return whether a script starts several programs; one program in a folder does not cover the others."""
    started = [each for each in steps if not each.ends]
    return len(started) > 1 or any(map(_is_a_runner, started))


def _are_projects_of_nx(steps: list[Step], bounds: Bounds) -> bool:
    """Return whether a script starts only projects of Nx, which are found by their targets."""
    started = [understood(each.command).program for each in steps if not each.ends]
    return (bounds.root / _NX).is_file() and all(program[:1] in (("nx",), ("ng",)) for program in started)


def _is_a_runner(step: Step) -> bool:
    """Return whether a step runs scripts in unknown packages; `nx serve web` is one known program."""
    command = understood(step.command)
    if next(iter(command.program), "") not in RUNNERS:
        return False
    return command.runs is None or command.runs.everywhere or command.runs.runner != "nx"


def _found(steps: list[Step], expansion: Expansion, packages: Mapping[str, Package], bounds: Bounds) -> Found:
    """Return the services of these steps."""
    notes = list(dict.fromkeys(expansion.notes))[:MOST_NOTES]
    listing = Listing(Weight.PROCESSES, bounds, Numbering(USUAL_PORT, 0), notes=notes)
    taken: set[str] = set()
    added: dict[str, Step] = {}
    for index, step in enumerate(steps):
        process = _process(step, index, taken, bounds)
        before = set(listing.services)
        _add(step, process, listing)
        added |= dict.fromkeys(listing.services.keys() - before, step)
    kinds = {name: kind_of(listing.services[name], step, bounds) for name, step in added.items()}
    used = {
        name: package_of(each, _program_of(each, added[name], bounds), packages, bounds.root)
        for name, each in listing.services.items()
        if name in added
    }
    ports = {
        name: each.port.preferred for name, each in listing.services.items() if each.port and name in added
    }
    conditions = waits(added, kinds, used, ports, packages)
    needed = {name for each in conditions.values() for name in each}
    for name, step in added.items():
        if kinds[name] is Kind.BUILD and not step.ends and name not in needed:
            del listing.services[name], listing.evidence[name]
            listing.note(
                _place(step), f"{name} is left out: its script only builds, and nothing here waits for that"
            )
        else:
            service = listing.services[name]
            service = _completed(service, step, kinds[name], conditions[name], bounds)
            package = packages.get(used[name])
            if package and package.entry and kinds[name] is Kind.WATCHER:
                # Programs that import the package fail until its first build is complete.
                ready = Readiness(exec=f"test -e {shlex.quote(package.entry)}")
                service = replace(service, ready=ready)
                listing.evidence[name] += _line_of_entry(package, bounds)
            listing.services[name] = service
    building = {name for name, step in added.items() if _builds(step, kinds[name])}
    listing.clients &= listing.services.keys() - building
    for place, note in unbuilt(used, packages, [each.command for each in steps if each.ends], bounds):
        listing.note(place, note)
    _build_first(listing, added)
    _migrate(listing, [name for name in added if name in listing.clients])
    languages = _languages(listing)
    serving = [name for name, each in listing.services.items() if each.port is not None]
    # A script that only starts and builds web pages does not cover the server behind them.
    has_pages_alone = languages.keys() == listing.services.keys() and all(
        name in added
        and programs.BROWSER_SERVERS.intersection(
            _program_of(listing.services[name], added[name], bounds)[:1]
        )
        for name in serving
    )
    speaks_of = frozenset({"node"} if has_pages_alone and set(languages.values()) == {"node"} else ())
    found = replace(listing.found(ORIGIN), languages=languages, speaks_of=speaks_of)
    if not all(step.package for step in steps if not step.ends):
        return found
    # Such a command cannot name programs outside of the workspace.
    folders = (bounds.root, *(bounds.root / each.folder for each in packages.values()))
    return replace(found, scope=frozenset(map(str, folders)))


def _build_first(listing: Listing, steps: Mapping[str, Step]) -> None:
    """Build the package before each server that runs built files, if the package has a build script."""
    bounds = listing.bounds
    for name, step in steps.items():
        service = listing.services.get(name)
        if service is None or service.port is None:
            continue
        described = read_package(service.directory, bounds) or {}
        words = program_run(understood(step.command), service.directory, bounds)
        runs_built = any(
            word.endswith(CODE) and word.removeprefix("./").partition("/")[0] in programs.OUTPUT
            for word in words
        )
        if runs_built and isinstance(table(described, "scripts").get("build"), str):
            manager = package_manager(bounds, service.directory, described)
            listing.services[name] = replace(service, before_start=(f"{manager} run build",))
            lines = line_of_script(service.directory, "build", bounds)
            listing.evidence[name] += tuple(replace(each, about="before_start") for each in lines)


def _migrate(listing: Listing, names: Iterable[str]) -> None:
    """Apply the migrations of a package before its first server starts."""
    bounds, done = listing.bounds, set[Path]()
    for name in names:
        service = listing.services[name]
        if service.port is None or service.directory in done:
            continue
        done.add(service.directory)
        described = read_package(service.directory, bounds) or {}
        manager = package_manager(bounds, service.directory, described)
        if found := migration_of(service.directory, described, manager, bounds):
            listing.services[name] = replace(service, before_start=(*service.before_start, found.command))
            listing.evidence[name] += (found.said,)


def _languages(listing: Listing) -> dict[str, str]:
    """Return the language of each program, as far as the first word of its command shows it."""
    programs_of = {name: understood(each.command or "").program for name, each in listing.services.items()}
    return {
        name: language
        for name, program in programs_of.items()
        if (language := language_of(next(iter(program), "")))
    }


def _add(step: Step, process: Process, listing: Listing) -> None:
    """Add the service of a step, or a note with the reason if there is none."""
    if problem := problem_of(step.command):
        listing.note(process.place, f"{process.name} is left out: {problem}")
    elif not step.ends and _is_a_runner(step):
        listing.note(
            process.place,
            f"`{step.command}` is not started: no packages of a workspace were found in which it runs scripts; a "
            "[services.NAME] in devinit.toml describes each of its programs",
        )
    elif reason := _by_hand(step, listing.bounds):
        listing.note(process.place, f"{process.name} is left out: {reason}")
    elif not step.ends:
        add(process, listing)
    elif reason := why_not(process, understood(step.command), listing.weight, listing.bounds):
        listing.note(process.place, f"`{step.command}` before the others is {reason}")
    else:
        directory = listing.bounds.root / step.folder
        listing.services[process.service] = Service(
            name=process.service, command=step.command, directory=directory
        )
        listing.evidence[process.service] = (line_of("command", process), *process.further)
        if not programs.BUILDERS.search(process.name) and not programs.builds(
            list(program_run(understood(step.command), directory, listing.bounds))
        ):
            listing.clients.add(process.service)


def _program_of(service: Service, step: Step, bounds: Bounds) -> tuple[str, ...]:
    return program_run(understood(step.command), service.directory, bounds)


def _by_hand(step: Step, bounds: Bounds) -> str:
    """Return why a program that changes a database schema is not run; "" when it is run."""
    program = list(program_run(understood(step.command), bounds.root / step.folder, bounds))
    if programs.asks_before_it_migrates(program):
        return "it may ask, or empty the database, when it changes the schema; `devinit run` runs it by hand"
    if not step.ends and programs.migrates(program):
        return "it changes the schema of a database, and ends; `before_start` of a service in devinit.toml runs it"
    return ""


def _builds(step: Step, kind: Kind) -> bool:
    return kind is Kind.WATCHER or (kind is Kind.BUILD and not step.ends)


def _completed(
    service: Service, step: Step, kind: Kind, conditions: Mapping[str, Condition], bounds: Bounds
) -> Service:
    """Return a service with its dependencies and the variables that its script sets."""
    if service.command is None:
        return service
    is_job = kind is Kind.BUILD
    return replace(
        service,
        depends_on=tuple(conditions),
        conditions={name: each for name, each in conditions.items() if each is not Condition.READY},
        env=dict(step.prefix.env),
        env_file=tuple(_env_files(step, bounds)),
        port=None if is_job else service.port,
        restart=RestartPolicy(mode=RestartMode.NEVER) if is_job else service.restart,
    )


def _line_of_entry(package: Package, bounds: Bounds) -> tuple[Evidence, ...]:
    path = bounds.root / package.folder / "package.json"
    text = read(path, bounds)
    position = text.find(package.entry)
    return (seen("ready", path, bounds, text, position),) if position >= 0 else ()


def _env_files(step: Step, bounds: Bounds) -> Iterator[Path]:
    """Yield the env files that a script loads for its programs, if they are in bounds."""
    for name in step.prefix.env_files:
        path = bounds.root / name
        is_inside = ".." not in path.parts and path.is_relative_to(bounds.root) and bounds.holds(path)
        # Path.is_file() raises for a path that is too long.
        if is_inside and os.path.isfile(path):  # noqa: PTH113
            yield path


def _process(step: Step, index: int, taken: set[str], bounds: Bounds) -> Process:
    """Return a step as a process of the list."""
    first, *further = step.lines or (None,)
    program = program_run(understood(step.command), bounds.root / step.folder, bounds)
    # DB_HOST and DB_PORT belong to the database, never to a studio that shows it.
    shows = program[1:2] == (_STUDIO,) and _STUDIO not in step.name
    name = service_name(f"{step.name}-{_STUDIO}" if shows else step.name, taken)
    return Process(
        name=name,
        service=name,
        command=step.command,
        file=first.file if first else ORIGIN,
        line=first.line if first else 0,
        index=index,
        folder=step.folder,
        says=first.says if first else step.command,
        further=tuple(each for each in further if each is not None),
    )


def _place(step: Step) -> str:
    return step.lines[0].place if step.lines else ORIGIN

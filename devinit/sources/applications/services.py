"""Turn the programs of a repository into services: their names, their order, and their dependencies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from devinit.model.defaults import preferring
from devinit.model.evidence import Evidence
from devinit.model.service import Readiness, Service
from devinit.sources.applications.brokers import other_broker
from devinit.sources.applications.data import databases_in, needs_of
from devinit.sources.applications.installed import missing
from devinit.sources.applications.languages import findings_in
from devinit.sources.applications.links import links_out
from devinit.sources.applications.names import named
from devinit.sources.applications.prisma_files import with_prisma_files
from devinit.sources.applications.required_settings import required_settings
from devinit.sources.applications.tree import Tree, joined, tree_of
from devinit.sources.applications.unit import Role, Unit, at, declares_dependencies, listed
from devinit.sources.applications.unrecognised import notes_about, nothing_in
from devinit.sources.applications.unrun_migrations import unloaded_schemas, unrun_migrations
from devinit.sources.applications.unset_secrets import unset_secrets
from devinit.sources.source import Found
from devinit.sources.unreadable import problem_of
from devinit.system.bounds import Bounds

MOST_BY_THEMSELVES = 8
"""Limit of the servers that start by default; of more, only those that a frontend needs."""
_MOST_PROBLEMS = 20
_LISTS_PROGRAMS = re.compile(
    r"(?:docker-)?compose[\w.-]{0,40}\.ya?ml\Z|Procfile|process-compose\.ya?ml\Z|ecosystem\.config\."
)
"""Matches files at the root by which other sources find programs."""
_PRIMARY = ("backend", "api", "server", "gateway")
"""Names of the backend that frontends talk to when there are several."""


def found_in(bounds: Bounds) -> Found:
    """Return the services that a project's folder suggests; empty when nothing is recognised."""
    tree = tree_of(bounds)
    units, notes = units_in(tree)
    folders = list(dict.fromkeys(unit.folder for unit in units))
    databases, evidence, needs = databases_in(tree, folders)
    units, more = _startable(tree, _without_absent(units, databases), databases)
    kept = list(with_prisma_files(tree, units))
    units, more = [unit for unit, _ in kept], [*more, *filter(None, (note for _, note in kept))]
    services = _ordered(tree, named(units), databases)
    return Found(
        origin="the code of the applications",
        services=databases | services,
        languages={name: unit.language for name, unit in named(units).items() if unit.language},
        evidence=evidence | {name: (*unit.evidence, *_fixing(unit)) for name, unit in named(units).items()},
        notes=(
            *notes,
            *more,
            *needs,
            *missing(tree, units),
            *unrun_migrations(tree, units),
            *(unloaded_schemas(tree, units) if "postgres" in databases else ()),
            *unset_secrets(tree, units),
            *required_settings(tree, units),
            *nothing_in(tree, [*folders, *_shown_in(units)]),
            *notes_about(tree, folders),
            *_asked_for(services),
            *_passed_over(tree, folders),
            *unreadable(tree),
            *links_out(tree),
        ),
    )


def _shown_in(units: list[Unit]) -> list[str]:
    """Return the folders of files that commands run: `node backend/server.js` in the root runs one."""
    files = (each.file for unit in units for each in unit.evidence if each.about == "command")
    return [file.rpartition("/")[0] for file in files if "/" in file]


def units_in(tree: Tree) -> tuple[list[Unit], tuple[str, ...]]:
    """Return the programs of a repository, ordered by role as dependencies require, and notes about them."""
    findings = list(findings_in(tree))
    units, left_out = _with_documentation([unit for finding in findings for unit in finding.units], tree)
    order = list(Role)
    units = sorted(_beside_backends(tree, units), key=lambda unit: order.index(unit.role))
    notes = (note for finding in findings for note in finding.notes)
    return list(_migrated_once(units)), (*notes, *left_out)


def _with_documentation(units: list[Unit], tree: Tree) -> tuple[list[Unit], list[str]]:
    """Return the programs and notes; sites of texts count only if the repository has nothing else."""
    if all(unit.is_documentation for unit in units) and not any(
        map(_LISTS_PROGRAMS.match, tree.files.get("", ()))
    ):
        return units, []
    left_out = [unit for unit in units if unit.is_documentation]
    notes = [f"{at(unit.folder)}documentation ({unit.kind}) is not started by itself" for unit in left_out]
    return [unit for unit in units if not unit.is_documentation], notes


def _without_absent(units: list[Unit], databases: Mapping[str, Service]) -> list[Unit]:
    """Return the programs without variables for PostgreSQL if the project has no PostgreSQL."""
    if "postgres" in databases:
        return units
    return [
        replace(each, env={name: value for name, value in each.env.items() if "${POSTGRES_" not in value})
        for each in units
    ]


def _migrated_once(units: list[Unit]) -> Iterator[Unit]:
    """Yield the programs; only the first of several runs the migrations of a package that they share."""
    seen: set[str] = set()
    for unit in units:
        said = [each.file for each in unit.evidence if each.about == "before_start"]
        shared = [command for command in unit.before_start if command.startswith("cd ")]
        if shared and seen.issuperset(said):
            rest = tuple(each for each in unit.before_start if each not in shared)
            evidence = tuple(each for each in unit.evidence if each.about != "before_start")
            yield replace(unit, before_start=rest, evidence=evidence)
        else:
            yield unit
        seen.update(said)


def _beside_backends(tree: Tree, units: list[Unit]) -> Iterator[Unit]:
    """Yield the programs; beside a backend in another language, Node counts only for pages and assets."""
    backends = {unit.folder for unit in units if unit.role is Role.BACKEND and unit.language != "node"}
    for unit in units:
        if unit.language != "node" or unit.folder not in backends:
            yield unit
        elif unit.kind == "Vite" and not tree.has(unit.folder, "index.html"):
            yield replace(unit, role=Role.ASSETS, ready=Readiness())
        elif unit.role is not Role.BACKEND:
            yield unit


def _startable(
    tree: Tree, units: list[Unit], databases: Mapping[str, Service]
) -> tuple[list[Unit], list[str]]:
    """Return the programs that can start, and notes about Celery workers whose broker is missing.

    A worker with a known foreign broker is kept without autostart; one without any known broker is left out.
    """
    kept, notes = [], []
    for unit in units:
        other = other_broker(tree, unit.folder) if unit.kind == "celery" else None
        if other is not None:
            kept.append(replace(unit, autostart=False))
            notes.append(
                f"{unit.evidence[0].place}: the {unit.suffix} of Celery is not started by itself, because its "
                f"broker is {other[0]} ({other[1].place}), which devinit does not provide"
            )
        elif unit.kind == "celery" and "redis" not in databases:
            notes.append(
                f"{unit.evidence[0].place}: the {unit.suffix} of Celery is not started, because nothing shows a "
                "broker that devinit provides"
            )
        else:
            kept.append(unit)
    return kept, list(dict.fromkeys(notes))


def _ordered(tree: Tree, units: Mapping[str, Unit], databases: Mapping[str, Service]) -> dict[str, Service]:
    """Return the services with dependencies: databases, and for frontends the backend that they talk to."""
    backends = [name for name, unit in units.items() if unit.role is Role.BACKEND]
    primary = (
        [next(name for name in _PRIMARY if name in backends)] if set(_PRIMARY) & set(backends) else backends
    )
    services: dict[str, Service] = {}
    for name, unit in units.items():
        needs: tuple[str, ...] = ()
        if unit.uses_databases:
            is_own = unit.role in (Role.BACKEND, Role.WORKER) or not backends
            needs = tuple(databases) if is_own else needs_of(tree, unit.folder, databases)
        if unit.role is Role.FRONTEND:
            needs = (*needs, *primary)
        services[name] = _service(tree, name, unit, needs)
    servers = [name for name, service in services.items() if service.port is not None]
    if len(servers) <= MOST_BY_THEMSELVES:
        return services
    frontends = [name for name in servers if units[name].role is Role.FRONTEND]
    wanted = {*frontends, *(need for name in frontends for need in services[name].depends_on)}
    return {
        name: service if name in wanted else replace(service, autostart=False)
        for name, service in services.items()
    }


def _service(tree: Tree, name: str, unit: Unit, needs: tuple[str, ...]) -> Service:
    port = preferring(name, unit.port, browser=True) if unit.port is not None else None
    if port is not None and unit.strict:
        line = next((each.place for each in _fixing(unit)), "")
        port = replace(port, last=port.preferred, strict=True, fixed_by=line)
    return Service(
        name=name,
        command=unit.command,
        directory=tree.path(unit.folder) if unit.folder else tree.bounds.root,
        port=port,
        port_env=unit.port_env,
        depends_on=needs,
        before_start=unit.before_start,
        ready=unit.ready,
        env=unit.env,
        warm=unit.warm,
        docs_path=unit.docs_path,
        autostart=unit.autostart,
    )


def _fixing(unit: Unit) -> tuple[Evidence, ...]:
    """Return the lines that fix the port of a program."""
    lines = (each for each in unit.evidence if each.about == "port") if unit.strict else ()
    return tuple(replace(each, about="strict_port") for each in lines)


def _asked_for(services: Mapping[str, Service]) -> Iterator[str]:
    """Yield a note on servers that do not start by default because there are many."""
    left = [name for name, service in services.items() if not service.autostart and service.port is not None]
    if left:
        yield (
            f"{len(services)} programs were found, too many to start all of them: {listed(left)} are started "
            "by their names, as in `devinit start NAME`, or for a service that depends on them"
        )


def _passed_over(tree: Tree, folders: list[str]) -> Iterator[str]:
    """Yield notes on templates, on skipped folders if nothing was found, and on an incomplete walk."""
    for folder in tree.templates:
        yield f"{folder}/: a template that has to be filled in first; nothing of it is started"
    if not folders and tree.passed_over:
        yield f"passed over: {listed(tree.passed_over)} (other repositories, examples, tests and copies)"
    if not tree.is_whole:
        yield "the repository has more files than are looked at: devinit.toml can name what is missing"


def unreadable(tree: Tree) -> Iterator[str]:
    """Yield a note for each unreadable file that could declare a program."""
    count = 0
    for folder in tree.folders:
        for name in tree.files[folder]:
            file = joined(folder, name)
            if not declares_dependencies(folder, name):
                continue
            if count < _MOST_PROBLEMS and (problem := problem_of(tree.path(file), tree.bounds)):
                count += 1
                yield f"{file} cannot be read: {problem}"

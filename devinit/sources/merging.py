"""Merge the services of several sources, and report where the sources contradict each other. Pure.

The source with the greater weight wins. Two services are the same when they have the same name, when they run the
same command or are servers in the same folder, or when they are databases of the same kind. The winner keeps its
command, and takes from the other one only what it lacks. A list of all processes is complete: an application that
it does not name is left out, and a note says so. A service without a known command is left out in the end.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial, reduce
from typing import Any

from msgspec import structs

from devinit.kinds import kind_of
from devinit.model.evidence import Evidence
from devinit.model.service import Condition, Readiness, Service
from devinit.sources.after_migrations import after_migrations, runs_before
from devinit.sources.commands import programs
from devinit.sources.commands.programs import program_of, words_of
from devinit.sources.commands.seeds import with_seeds_once
from devinit.sources.references import retold, without_circles, without_portless, without_unfinished
from devinit.sources.source import Found, Weight
from devinit.toolchains.node.managers import MANAGERS


def merged(founds: Iterable[Found], wanted: Collection[str] = ()) -> Found:
    """Return the services of all sources as one; databases come first, because applications need them.

    Services in `wanted` stay even when a list of all processes does not name them.
    """
    by_weight = sorted(founds, key=lambda each: -each.weight)
    found = reduce(partial(_joined, wanted=wanted), by_weight, Found(weight=Weight.PROCESSES))
    found = without_circles(without_portless(without_unfinished(found, wanted)))
    databases = {name: each for name, each in found.services.items() if not _is_application(each)}
    rest = {
        name: _with_databases(each, databases) if name in found.clients else each
        for name, each in found.services.items()
        if name not in databases
    }
    hints = () if rest or wanted else (hint for each in by_weight for hint in each.hints)
    services, evidence = with_seeds_once(databases | after_migrations(rest), found.evidence)
    notes = (*_still_true(found.notes, services.values()), *hints)
    return structs.replace(found, services=services, evidence=evidence, notes=notes)


def _still_true(notes: Iterable[str], services: Iterable[Service]) -> Iterator[str]:
    """Yield the notes without those of one source about a command that another source has started."""
    started = [f'`command = "{each.command}"`' for each in services if each.command is not None]
    yield from (
        each for each in notes if not ("not started" in each and any(map(each.__contains__, started)))
    )


def _joined(high: Found, low: Found, wanted: Collection[str]) -> Found:
    """Return the services of two sources as one; the first source wins."""
    if not high.services and not high.environment:
        return structs.replace(
            low, notes=(*high.notes, *low.notes), containers=high.containers | low.containers
        )
    services = dict(high.services)
    evidence = dict(high.evidence)
    notes = [*high.notes, *low.notes, *_contradictions(high, low)]
    twins = _twins(high, low)
    renamed: dict[str, str] = {}
    for service in low.services.values():
        if mine := twins[service.name]:
            renamed[service.name] = mine[0].name
            for twin in mine:
                both = (*evidence.get(twin.name, ()), *low.evidence.get(service.name, ()))
                evidence[twin.name] = tuple(dict.fromkeys(both))
        elif reason := _why_not(service, high, low, wanted):
            notes.append(reason)
        else:
            services[service.name] = service
            evidence[service.name] = low.evidence.get(service.name, ())
            renamed[service.name] = service.name
    for service in low.services.values():
        mine = twins[service.name]
        known, problems = retold(service, {name: renamed.get(name) for name in low.services}, low.services)
        if len(mine) == 1:
            twin = services[mine[0].name]
            services[twin.name] = _completed(twin, known, high, low)
            notes += [*problems, *_differences(twin, service, high, low)]
        elif mine:
            notes += _undecided(service, mine, low)
        elif renamed.get(service.name) == service.name:
            services[service.name] = known
            notes += problems
    return Found(
        origin=high.origin,
        weight=high.weight,
        services=services,
        environment={**low.environment, **high.environment},
        evidence=evidence,
        scope=high.scope,
        speaks_of=high.speaks_of,
        languages={
            **{renamed[name]: each for name, each in low.languages.items() if name in renamed},
            **high.languages,
        },
        unfinished={name: low.unfinished[name] for name in low.unfinished if renamed.get(name) == name}
        | high.unfinished,
        containers=high.containers | low.containers,
        clients=high.clients | frozenset(renamed.get(name, name) for name in low.clients),
        notes=tuple(dict.fromkeys(notes)),
    )


def _twins(high: Found, low: Found) -> dict[str, list[Service]]:
    """Return the matches of each weaker service in the stronger source; more than one when it is ambiguous."""
    twins: dict[str, list[Service]] = {}
    claimed: set[str] = set()
    # Services that publish a port come first: they are likelier servers than services that others build on.
    services = sorted(low.services.values(), key=lambda each: _port_evidence(each.name, low) is None)
    for candidates in _IN_CONTAINERS if low.weight is Weight.CONTAINERS else _BY_NAME:
        for service in services:
            if twins.get(service.name):
                continue
            others = [
                each
                for each in high.services.values()
                if each.name not in claimed and not _differ_in_language(each, high, service, low)
            ]
            twins[service.name] = found = list(candidates(service, low, others))
            if len(found) == 1:
                claimed.add(found[0].name)
    return twins


def _differ_in_language(one: Service, found: Found, other: Service, elsewhere: Found) -> bool:
    mine, theirs = found.languages.get(one.name), elsewhere.languages.get(other.name)
    return bool(mine and theirs) and mine != theirs


def _of_the_same_name(service: Service, _low: Found, others: list[Service]) -> Iterator[Service]:
    """Yield the application of the same name. A worker and a server never match, even under one name."""
    if _is_application(service):
        same = (each for each in others if each.name == service.name and _is_application(each))
        yield from (each for each in same if not (_works_alone(each, service) or _works_alone(service, each)))


def _works_alone(one: Service, other: Service) -> bool:
    return bool(_work_of(one)) and _serves(other)


def _of_the_same_command(service: Service, _low: Found, others: list[Service]) -> Iterator[Service]:
    """Yield a service that runs the same command in the same folder under any name."""
    if service.command is not None:
        started = _started(service)
        yield from [
            each for each in others if each.directory == service.directory and _started(each) == started
        ][:1]


def _started(service: Service) -> list[str]:
    """Return the words of a command; for a script of a package, without the flags after its name."""
    words = words_of(service.command or "")
    is_script = len(words) > 2 and words[0] in MANAGERS and words[1] == "run"  # noqa: PLR2004 - the script follows
    return words[:3] if is_script else words


def _of_the_same_kind(service: Service, _low: Found, others: list[Service]) -> Iterator[Service]:
    if not _is_application(service):
        yield from [each for each in others if each.provider == service.provider][:1]


def _in_the_same_folder(service: Service, low: Found, others: list[Service]) -> Iterator[Service]:
    if not _serves(service):
        return
    files = [each.file for each in low.evidence.get(service.name, ()) if each.about == "command"]
    serving = [each for each in others if _serves(each)]
    running = [each for each in serving if any(_runs(each, file) for file in files)]
    yield from running or [each for each in serving if each.directory == service.directory]


def _runs(service: Service, file: str) -> bool:
    """Return whether a command names a file, as a path or as a module: `shop.main:app`."""
    for word in (service.command or "").split():
        module = word.partition(":")[0]
        paths = (word.removeprefix("./"), f"{module.replace('.', '/')}.py" if ":" in word else "")
        if any(path and (service.directory / path).as_posix().endswith(f"/{file}") for path in paths):
            return True
    return False


def _of_the_same_name_and_folder(service: Service, _low: Found, others: list[Service]) -> Iterator[Service]:
    same = _of_the_same_name(service, _low, others)
    yield from (each for each in same if each.directory == service.directory)


def _of_the_same_work(service: Service, _low: Found, others: list[Service]) -> Iterator[Service]:
    """Yield a worker of the same program in the same folder: a second scheduler would run every job twice."""
    work = _work_of(service)
    same = [
        each for each in others if work and _work_of(each) == work and each.directory == service.directory
    ]
    yield from same[:1]


def _work_of(service: Service) -> tuple[str, ...]:
    """Return the program of a worker and the kind of work that it does; empty for any other service."""
    if service.port is not None or not _is_application(service):
        return ()
    program = program_of(words_of(service.command or ""))
    if program[:1] == ["manage.py"] and _CELERY_OF_DJANGO.match(next(iter(program[1:]), "")):
        return ("celery", "beat" if "beat" in program[1] else "worker")
    if not programs.only_works("", program):
        return ()
    return (program[0], *(word for word in program[1:] if word in _KINDS_OF_WORK))


_CELERY_OF_DJANGO = re.compile(r"(?:run_?|start_?)?celery")
"""Matches a project's own manage.py command that restarts Celery when a file changes."""
_KINDS_OF_WORK = frozenset({"worker", "beat", "flower", "scheduler"})
_BY_NAME = (
    _of_the_same_name,
    _of_the_same_command,
    _of_the_same_kind,
    _in_the_same_folder,
    _of_the_same_work,
)
_IN_CONTAINERS = (
    _of_the_same_name_and_folder,
    _of_the_same_command,
    _of_the_same_kind,
    _in_the_same_folder,
    _of_the_same_work,
    _of_the_same_name,
)
"""Ways to match two services, most certain first: an image built in a folder runs the code of that folder."""


def _why_not(service: Service, high: Found, low: Found, wanted: Collection[str]) -> str:
    """Return why a service that only the weaker source knows is left out; "" when it is added."""
    said = _said(service, low)
    if service.name in high.services:
        return f"{said}: left out, because {high.origin} has another service of this name"
    if not _is_application(service) or service.name in wanted:
        return ""
    if (server := runs_before(service, low.services.values(), high.services)) is not None:
        return f"{said}: no service of its own, because {server.name} runs the same before each start"
    is_listed = high.weight is Weight.PROCESSES and (not high.scope or str(service.directory) in high.scope)
    if is_listed and any(map(_is_application, high.services.values())) and not _is_beyond(service, high, low):
        return (
            f"{said}: not started, because {high.origin} does not name it; a line there, or a "
            f"[services.{service.name}] in devinit.toml, starts it"
        )
    serving = [each.name for each in high.services.values() if _serves(each)]
    if low.weight is Weight.PRODUCTION and _serves(service) and serving:
        return (
            f"{said}: not started beside {' and '.join(serving)}, because it describes production; a "
            f"[services.{service.name}] in devinit.toml starts it"
        )
    return ""


def _is_beyond(service: Service, high: Found, low: Found) -> bool:
    """Return whether a list does not cover a service, because it names only programs in other languages."""
    language = low.languages.get(service.name)
    return bool(high.speaks_of and language) and language not in high.speaks_of


def _completed(winner: Service, other: Service, high: Found, low: Found) -> Service:
    """Return the winner, completed with facts that only the other source knows about the same service."""
    if not _is_application(winner):
        return _completed_server(winner, other, high, low)
    changes: dict[str, Any] = {
        "depends_on": tuple(dict.fromkeys((*winner.depends_on, *other.depends_on))),
        "conditions": {name: each for name, each in other.conditions.items() if name not in winner.depends_on}
        | winner.conditions,
        "env": other.env | winner.env,
        "env_file": tuple(dict.fromkeys((*other.env_file, *winner.env_file))),
    }
    is_stated = (
        low.weight is Weight.CONTAINERS
        and winner.port is None
        and winner.directory == other.directory
        and not _is_around(other, winner)
    )
    if winner.command is None or (is_stated and other.command is not None):
        # For a worker, the compose file knows the queues and the options.
        changes |= {"command": other.command, "directory": other.directory}
    if other.port is not None and not _port_evidence(winner.name, high) and _knows_port(other, low):
        # A list of processes numbers ports from 5000; a source that knows the program knows its usual port.
        changes["port"] = structs.replace(other.port, service=winner.name)
    serves = winner.port is not None or "port" in changes
    if winner.directory == other.directory and serves and low.weight > Weight.PRODUCTION:
        if winner.ready == Readiness():
            changes["ready"] = _as_far_as_known(other.ready, low)
        changes |= {
            name: getattr(winner, name) or getattr(other, name) for name in ("docs_path", "warm", "port_env")
        }
        changes["before_start"] = winner.before_start or _without_jobs(other.before_start, winner, high)
    return structs.replace(winner, **changes)


def _as_far_as_known(ready: Readiness, found: Found) -> Readiness:
    """Return the readiness of a service; for a page of a container, any status below 500 counts.

    The health check of a container may request a page that the code lacks.
    """
    is_of_a_container = found.weight is Weight.CONTAINERS and ready.http is not None
    return structs.replace(ready, status=tuple(range(200, 500))) if is_of_a_container else ready


def _without_jobs(commands: tuple[str, ...], service: Service, found: Found) -> tuple[str, ...]:
    """Return the commands without those that a completed job of the service already runs."""
    done = [
        program_of(words_of(found.services[name].command or ""))[:2]
        for name, condition in service.conditions.items()
        if condition is Condition.COMPLETED and name in found.services
    ]
    return tuple(each for each in commands if program_of(words_of(each))[:2] not in done)


def _is_around(service: Service, other: Service) -> bool:
    """Return whether a service wraps a worker in a program of its own, which may end other workers of its kind."""
    first = program_of(words_of(service.command or ""))[:1]
    return bool(_work_of(other)) and first == ["manage.py"] != program_of(words_of(other.command or ""))[:1]


def _knows_port(service: Service, found: Found) -> bool:
    """Return whether a source's port applies to another source's command: a port inside a container does not."""
    if found.weight is Weight.CONTAINERS:
        return _port_evidence(service.name, found) is not None and not (service.port and service.port.strict)
    return found.weight > Weight.PRODUCTION


def _completed_server(winner: Service, other: Service, high: Found, low: Found) -> Service:
    """Return a database server with the port and the settings that only the other source states."""
    changes: dict[str, Any] = {}
    if other.port is not None and _port_evidence(other.name, low) and not _port_evidence(winner.name, high):
        changes["port"] = structs.replace(other.port, service=winner.name)
    if _states_settings(other, low) and not _states_settings(winner, high):
        changes["settings"] = other.settings
    return structs.replace(winner, **changes)


def _states_settings(service: Service, found: Found) -> bool:
    keys = kind_of(service).own.__struct_fields__
    return any(each.about in keys for each in found.evidence.get(service.name, ()))


def _differences(winner: Service, other: Service, high: Found, low: Found) -> Iterator[str]:
    """Yield notes on contradictions between two sources about one service, with the line of each."""
    if not _is_application(winner):
        return
    if winner.directory != other.directory and other.before_start and low.weight > Weight.PRODUCTION:
        yield (
            f"{_said(other, low)}: `{other.before_start[0]}` is not run by itself, because {high.origin} runs "
            f"{winner.name} in another folder; `before_start` of it in devinit.toml runs it"
        )
    mine, theirs = _port_evidence(winner.name, high), _port_evidence(other.name, low)
    if winner.port and other.port and mine and theirs and winner.port.preferred != other.port.preferred:
        yield (
            f"{winner.name}: port {winner.port.preferred} in {mine.place}, {other.port.preferred} in "
            f"{theirs.place}; the first one counts"
        )


def _undecided(service: Service, twins: list[Service], low: Found) -> Iterator[str]:
    if service.before_start:
        names = " and ".join(each.name for each in twins)
        yield (
            f"{_said(service, low)}: `{service.before_start[0]}` is not run by itself, because {names} are "
            f"servers in the same folder; `before_start` of one of them in devinit.toml runs it"
        )


def _contradictions(high: Found, low: Found) -> Iterator[str]:
    for name in high.environment.keys() & low.environment.keys():
        if high.environment[name] != low.environment[name]:
            yield f"{name} has one value in {high.origin}, another one in {low.origin}; the first one counts"


def _with_databases(service: Service, databases: Mapping[str, Service]) -> Service:
    """Return a service that depends on every database, because a list of processes has no order."""
    return structs.replace(service, depends_on=tuple(dict.fromkeys((*databases, *service.depends_on))))


def _said(service: Service, found: Found) -> str:
    """Return a service with the line that it was found in: `Procfile, line 1 (web)`."""
    first = next(iter(found.evidence.get(service.name, ())), None)
    return f"{first.place if first else found.origin} ({service.name})"


def _port_evidence(name: str, found: Found) -> Evidence | None:
    return next((each for each in found.evidence.get(name, ()) if each.about == "port"), None)


def _is_application(service: Service) -> bool:
    return kind_of(service).runs_a_command


def _serves(service: Service) -> bool:
    return _is_application(service) and service.port is not None

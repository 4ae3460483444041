"""One answer of several sources: which counts, what adds up, and what contradicts each other. Pure.

The source with the greater weight wins. Two services are the same when they have the same name, when they are
servers in the same folder, or when they are databases of the same kind. The winner keeps its command, and takes
over what only the other one knows. A list of all processes is complete: an application that it does not name is
left out, and a note says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial, reduce
from typing import Any

from msgspec import structs

from devinit.kinds import kind_of
from devinit.model.evidence import Evidence
from devinit.model.service import Readiness, Service
from devinit.sources.source import Found, Weight


def merged(founds: Iterable[Found], wanted: Collection[str] = ()) -> Found:
    """Return what all sources say together; databases come first, because applications need them.

    Services that are wanted by name are not left out because another source does not name them.
    """
    by_weight = sorted(founds, key=lambda each: -each.weight)
    found = reduce(partial(_joined, wanted=wanted), by_weight, Found(weight=Weight.PROCESSES))
    databases = {name: each for name, each in found.services.items() if not _is_application(each)}
    rest = {
        name: _with_databases(each, databases) if name in found.clients else each
        for name, each in found.services.items()
        if name not in databases
    }
    hints = () if rest or wanted else (hint for each in by_weight for hint in each.hints)
    return structs.replace(found, services=databases | rest, notes=(*found.notes, *hints))


def _joined(high: Found, low: Found, wanted: Collection[str]) -> Found:
    """Return what two sources say, of which the first one wins."""
    if not high.services and not high.environment:
        return structs.replace(low, notes=(*high.notes, *low.notes))
    services = dict(high.services)
    evidence = dict(high.evidence)
    notes = [*high.notes, *low.notes, *_contradictions(high, low)]
    renamed: dict[str, str] = {}
    for service in low.services.values():
        twins = _twins(service, low, high.services)
        if twins:
            renamed[service.name] = twins[0].name
            for twin in twins:
                evidence[twin.name] = (*evidence.get(twin.name, ()), *low.evidence.get(service.name, ()))
        elif reason := _why_not(service, high, low, wanted):
            notes.append(reason)
        else:
            services[service.name] = service
            evidence[service.name] = low.evidence.get(service.name, ())
            renamed[service.name] = service.name
    for service in low.services.values():
        twins = _twins(service, low, high.services)
        known = structs.replace(service, depends_on=tuple(_renamed(service.depends_on, renamed)))
        if len(twins) == 1:
            twin = services[twins[0].name]
            services[twin.name] = _completed(twin, known, high, low)
            notes += _differences(twin, service, high, low)
        elif twins:
            notes += _undecided(service, twins, low)
        elif service.name in services and service.name not in high.services:
            services[service.name] = known
    return Found(
        origin=high.origin,
        weight=high.weight,
        services=services,
        environment={**low.environment, **high.environment},
        evidence=evidence,
        scope=high.scope,
        clients=high.clients | frozenset(renamed.get(name, name) for name in low.clients),
        notes=tuple(dict.fromkeys(notes)),
    )


def _twins(service: Service, low: Found, others: Mapping[str, Service]) -> list[Service]:
    """Return the services of another source that are the same one: several where it cannot be told which."""
    if not _is_application(service):
        return [each for each in others.values() if each.provider == service.provider][:1]
    same = others.get(service.name)
    if same is not None and _is_application(same):
        return [same]
    if not _serves(service):
        return []
    files = [each.file for each in low.evidence.get(service.name, ()) if each.about == "command"]
    serving = [each for each in others.values() if _serves(each)]
    if running := [each for each in serving if any(_runs(each, file) for file in files)]:
        return running
    return [each for each in serving if each.directory == service.directory]


def _runs(service: Service, file: str) -> bool:
    """Tell whether a command names a file, or as `shop.main:app` the module in it."""
    for word in (service.command or "").split():
        module = word.partition(":")[0]
        paths = (word.removeprefix("./"), f"{module.replace('.', '/')}.py" if ":" in word else "")
        if any(path and (service.directory / path).as_posix().endswith(f"/{file}") for path in paths):
            return True
    return False


def _why_not(service: Service, high: Found, low: Found, wanted: Collection[str]) -> str:
    """Say why a service that only the weaker source knows is left out; nothing when it is added."""
    said = _said(service, low)
    if service.name in high.services:
        return f"{said}: left out, because {high.origin} has another service of this name"
    if not _is_application(service) or service.name in wanted:
        return ""
    is_listed = high.weight is Weight.PROCESSES and (not high.scope or str(service.directory) in high.scope)
    if is_listed and any(map(_is_application, high.services.values())):
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


def _completed(winner: Service, other: Service, high: Found, low: Found) -> Service:
    """Return the winner with what only the other one knows of the same service."""
    if not _is_application(winner):
        return winner
    changes: dict[str, Any] = {"depends_on": tuple(dict.fromkeys((*winner.depends_on, *other.depends_on)))}
    if other.port is not None and low.weight > Weight.PRODUCTION and not _port_evidence(winner.name, high):
        # A list of processes numbers them from 5000 on; who knows the program knows its usual port.
        changes["port"] = structs.replace(other.port, service=winner.name)
    serves = winner.port is not None or "port" in changes
    if winner.directory == other.directory and serves and low.weight > Weight.PRODUCTION:
        if winner.ready == Readiness():
            changes["ready"] = other.ready
        changes |= {
            name: getattr(winner, name) or getattr(other, name)
            for name in ("before_start", "docs_path", "warm", "port_env", "env")
        }
    return structs.replace(winner, **changes)


def _differences(winner: Service, other: Service, high: Found, low: Found) -> Iterator[str]:
    """Yield what two sources say differently of one service, where both name a line for it."""
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
    """Return a service that waits for every database: a list of processes has no order."""
    return structs.replace(service, depends_on=tuple(dict.fromkeys((*databases, *service.depends_on))))


def _renamed(names: Iterable[str], renamed: Mapping[str, str]) -> Iterator[str]:
    """Yield dependencies by the names that they have now, without those that were left out."""
    return (renamed[name] for name in names if name in renamed)


def _said(service: Service, found: Found) -> str:
    """Return a service by the line that shows it: `Procfile, line 1 (web)`."""
    first = next(iter(found.evidence.get(service.name, ())), None)
    return f"{first.place if first else found.origin} ({service.name})"


def _port_evidence(name: str, found: Found) -> Evidence | None:
    return next((each for each in found.evidence.get(name, ()) if each.about == "port"), None)


def _is_application(service: Service) -> bool:
    return kind_of(service).runs_a_command


def _serves(service: Service) -> bool:
    return _is_application(service) and service.port is not None

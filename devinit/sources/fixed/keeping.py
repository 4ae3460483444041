"""Keep services on the port that code calls by a constant. Pure.

A frontend whose code calls `http://localhost:8000` calls it there, whatever the environment says. A list of
origins in the code of a backend accepts only pages from the ports in that list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import structs

from devinit.kinds import kind_of
from devinit.model.evidence import Evidence
from devinit.model.port import LOWEST_UNPRIVILEGED_PORT
from devinit.model.service import Service
from devinit.sources.fixed.constant import Constant, Direction
from devinit.sources.source import Found

_BY_TLS = re.compile(r"https://(?:[\w.-]{1,60}|\[[\da-fA-F:]{1,39}\]):(?P<port>\d{1,5})(?!\d)")
_CODE = (".js", ".ts", ".mjs", ".cjs", ".mts", ".py", ".go", ".rs")


def with_fixed_ports(found: Found, constants: Iterable[Constant]) -> Found:
    """Return the result with each service that a constant names fixed to the port of that constant."""
    services, evidence, notes = dict(found.services), dict(found.evidence), list(found.notes)
    fixed: dict[str, Constant] = {}
    constants = list(constants)
    for constant in constants:
        if constant.host:
            notes += _in_a_container(constant, services)
            continue
        service = _meant(constant, services, evidence, fixed) or _behind(constant, constants, found, fixed)
        if service is None:
            notes += _unanswered(constant, services, fixed)
            continue
        if service.name in fixed:
            continue
        fixed[service.name] = constant
        notes += _over_tls(constant, service)
        services[service.name] = _fixed(service, constant)
        evidence[service.name] = (*evidence.get(service.name, ()), *_evidence(service, constant))
    return structs.replace(found, services=services, evidence=evidence, notes=tuple(dict.fromkeys(notes)))


def _meant(
    constant: Constant,
    services: dict[str, Service],
    evidence: dict[str, tuple[Evidence, ...]],
    fixed: dict[str, Constant],
) -> Service | None:
    """Return the service that a constant names; None when there is none, or more than one candidate."""
    if constant.direction is Direction.STORES:
        return None
    serving = [each for each in services.values() if each.port is not None and kind_of(each).runs_a_command]
    # A constant in the code of a page names another server more often than its own; no proxy leads to a page.
    for each in sorted(serving, key=lambda each: _is_of(each, constant)):
        if each.port is not None and each.port.preferred == constant.port:
            return each
    if constant.direction is not Direction.CALLS or constant.port < LOWEST_UNPRIVILEGED_PORT:
        return None  # a list of origins often keeps ports that are no longer used
    # The only other server is meant when its own port is just the default of its program.
    others = [
        each
        for each in serving
        if not _is_of(each, constant)
        and each.name not in fixed
        and not any(map(_names_port, evidence.get(each.name, ())))
    ]
    return others[0] if len(others) == 1 else None


def _behind(
    constant: Constant, constants: list[Constant], found: Found, fixed: dict[str, Constant]
) -> Service | None:
    """Return the only other server, if a page proxies to this port alone and the server's own port is a default.

    The project then sets that port out of sight, such as in a `.env` that is not committed.
    """
    if not constant.is_proxy or len({each.port for each in constants if each.is_proxy}) != 1:
        return None
    others = [
        each
        for each in found.services.values()
        if each.port is not None and kind_of(each).runs_a_command and not _is_of(each, constant)
    ]
    if len(others) != 1 or others[0].name in fixed or others[0].port is None or others[0].port.strict:
        return None
    lines = [each.file for each in found.evidence.get(others[0].name, ()) if each.about == "port"]
    return others[0] if lines and all(file.endswith(_CODE) for file in lines) else None


def _names_port(line: Evidence) -> bool:
    """Return whether a line names the port of a program; a port that a compose file publishes does not count."""
    return line.about in ("port", "strict_port") and not line.file.endswith((".yml", ".yaml"))


def _is_of(service: Service, constant: Constant) -> bool:
    """Return whether a constant is in the code of a service."""
    return constant.folder == service.directory


def _fixed(service: Service, constant: Constant) -> Service:
    if service.port is None:
        return service
    port = structs.replace(
        service.port,
        preferred=constant.port,
        first=constant.port,
        last=constant.port,
        strict=True,
        fixed_by=constant.evidence.place,
    )
    return structs.replace(service, port=port)


def _evidence(service: Service, constant: Constant) -> Iterator[Evidence]:
    yield constant.evidence
    if service.port is not None and service.port.preferred != constant.port:
        yield structs.replace(constant.evidence, about="port")


def _over_tls(constant: Constant, service: Service) -> Iterator[str]:
    """Yield a note when a proxy uses TLS for a server that shows no sign of it."""
    ports = {found["port"] for found in _BY_TLS.finditer(constant.evidence.says)}
    if constant.is_proxy and service.scheme is None and str(constant.port) in ports:
        yield (
            f"{constant.evidence.place} hands requests on to https://localhost:{constant.port}, and nothing shows "
            f"that {service.name} speaks TLS; write http:// there if it does not"
        )


def _in_a_container(constant: Constant, services: dict[str, Service]) -> Iterator[str]:
    """Yield a note on a container name in the code, which does not resolve outside of containers."""
    if constant.direction is Direction.ACCEPTS:
        return
    stores = constant.direction is Direction.STORES
    candidates = [
        each
        for each in services.values()
        if each.port is not None
        and (each.provider == constant.kind if stores else kind_of(each).runs_a_command)
        and (stores or not _is_of(each, constant))
    ]
    same = [each for each in candidates if each.port and each.port.preferred == constant.port]
    service = next(iter(same), candidates[0] if len(candidates) == 1 else None)
    said = (
        f"{constant.evidence.place} names {constant.host}:{constant.port}, a host that only containers know"
    )
    if service is None or service.port is None:
        yield f"{said}; nothing here answers for it"
        return
    here = f"localhost:{service.port.preferred}"
    hosts = f", or `127.0.0.1 {constant.host}` in /etc/hosts" if same else ""
    yield f"{said}; here {service.name} is at {here}: write that there{hosts}"


def _unanswered(
    constant: Constant, services: dict[str, Service], fixed: dict[str, Constant]
) -> Iterator[str]:
    """Yield a note on a constant whose port no service has."""
    if constant.direction is Direction.ACCEPTS:
        return
    if constant.direction is Direction.STORES:
        at_port = (each for each in services.values() if each.port and each.port.preferred == constant.port)
        own = (each for each in at_port if not kind_of(each).runs_a_command)
        name = next((each.name for each in own if constant.kind in ("", each.provider)), None)
        if name is not None:
            yield (
                f"{constant.evidence.place} names the database on port {constant.port}, and nothing tells it when "
                f"{name} moves; `strict_port = true` in [services.{name}] of devinit.toml keeps it there"
            )
        return
    other = next((each for each in fixed.values() if each.direction is Direction.CALLS), None)
    if any(each.port and each.port.preferred == constant.port for each in services.values()):
        return  # a database: devinit gives its clients the address
    beside = f", and {other.evidence.place} calls {other.port}" if other is not None else ""
    place = constant.evidence.place
    yield f"{place} calls localhost:{constant.port}, where no service of the project answers{beside}"

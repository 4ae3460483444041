"""The ports that a service's table requests, and how far each may move."""

from __future__ import annotations

import re

from msgspec.structs import replace

from devinit.config.policies import url_path
from devinit.config.problems import Place
from devinit.config.schema import ServiceTable
from devinit.config.tables import SERVICE_NAME
from devinit.kinds import Kind
from devinit.model.defaults import port_range, preferring
from devinit.model.names import extra_port
from devinit.model.port import HIGHEST_PORT, LOWEST_PORT, LOWEST_UNPRIVILEGED_PORT, Exhausted, PortRequest
from devinit.model.service import ExtraEndpoint


def port_request(name: str, kind: Kind, table: ServiceTable, place: Place) -> PortRequest | None:
    """Return the port request of a service; None for a service without a port of ours."""
    if table.url is not None:
        return None
    limits = _range(table.range, place.at("range"), kind) if table.range is not None else None
    preferred = table.port
    if preferred is None:
        preferred = limits[0] if limits else kind.default_port
    if preferred is None:
        for key in ("strict_port", "port_env", "exhausted"):
            if table.range is None and getattr(table, key) and not (key == "exhausted" and table.extra_ports):
                place.at(key).add("needs a `port`")
        return None
    if table.port is not None and not _check_port(table.port, place.at("port"), kind):
        return None
    strict = bool(table.strict_port)
    if strict and limits:
        place.at("range").add("means nothing beside `strict_port`", "a strict port is never moved")
    if strict and table.exhausted and not table.extra_ports:
        place.at("exhausted").add("means nothing beside `strict_port`", "a strict port is never moved")
    if limits and not limits[0] <= preferred <= limits[1]:
        place.at("range").add(
            f"the preferred port {preferred} lies outside {limits[0]}-{limits[1]}", "change `port` or `range`"
        )
    first, last = limits or port_range(preferred, strict=strict)
    return PortRequest(
        service=name,
        preferred=preferred,
        first=first,
        last=last,
        strict=strict,
        browser=kind.has_pages,
        policy=table.on_conflict,
        exhausted=table.exhausted or Exhausted.FAIL,
    )


def extra_ports(name: str, kind: Kind, table: ServiceTable, place: Place) -> tuple[PortRequest, ...]:
    """Return the requests for the extra ports of a service."""
    requests = []
    for extra, stated in (table.extra_ports or {}).items():
        port = stated if isinstance(stated, int) else stated.port
        if not re.fullmatch(SERVICE_NAME, extra):
            place.at(extra).add("not a name for a port", "small letters, digits, - and _, a letter first")
        if port is None:
            place.at(extra, "port").add("missing")
        elif _check_port(port, place.at(extra), kind):
            browser = kind.has_pages
            request = preferring(extra_port(name, extra), port, browser=browser, policy=table.on_conflict)
            requests.append(replace(request, exhausted=table.exhausted or Exhausted.FAIL))
    return tuple(requests)


def extra_endpoints(name: str, table: ServiceTable, place: Place) -> dict[str, ExtraEndpoint]:
    """Return the settings of extra ports beyond their numbers."""
    found = {}
    for extra, stated in (table.extra_ports or {}).items():
        if isinstance(stated, int):
            continue
        at = place.at(extra)
        endpoint = ExtraEndpoint(
            url_path=url_path(stated.url_path, at.at("url_path")) or "",
            ready=stated.ready not in (None, False),
            http=url_path(stated.ready, at.at("ready")) if isinstance(stated.ready, str) else None,
            scheme=stated.scheme,
        )
        if stated.ready == "":
            at.at("ready").add("is empty", 'true, or a path as "/health"')
        if endpoint != ExtraEndpoint():
            found[extra_port(name, extra)] = endpoint
    return found


def oauth_redirect_ports(table: ServiceTable, place: Place) -> tuple[int, ...]:
    """Return the ports to which an OAuth provider redirects."""
    ports = table.oauth_redirect_ports or []
    if ports and table.port is None and table.range is None:
        place.add("needs a `port`")
    return tuple(dict.fromkeys(port for port in ports if _is_port(port, place)))


def _range(text: str, place: Place, kind: Kind) -> tuple[int, int] | None:
    parts = re.fullmatch(r"\s*(\d{1,9})\s*-\s*(\d{1,9})\s*", text, re.ASCII)
    if parts is None:
        place.add(f'"{text}" is not a range of ports', 'first and last port, as "8000-8010"')
        return None
    first, last = int(parts[1]), int(parts[2])
    if not (_check_port(first, place, kind) and _check_port(last, place, kind)):
        return None
    if first > last:
        place.add(f'"{text}" ends before it begins', f'did you mean "{last}-{first}"?')
        return None
    return first, last


def _check_port(port: int, place: Place, kind: Kind) -> bool:
    if not _is_port(port, place):
        return False
    if port >= LOWEST_UNPRIVILEGED_PORT:
        return True
    from devinit.system.privileged import first_port_for  # hardly any service has such a port

    first = first_port_for(refuses_root=kind.refuses_root)
    if port < first:
        place.add(
            f"port {port} is privileged: the kernel lets this user listen from {first} on",
            f"choose one from {first} on, for example {port + 8000}; or allow it to every user: "
            f"sudo sysctl net.ipv4.ip_unprivileged_port_start={port}",
        )
    return port >= first


def _is_port(port: int, place: Place) -> bool:
    if LOWEST_PORT <= port <= HIGHEST_PORT:
        return True
    place.add(f"{port} is not a port", f"{LOWEST_PORT} to {HIGHEST_PORT}")
    return False

"""The gateway's public view of a project: addresses and phases of its services, without secrets. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict
from urllib.parse import urlsplit

from devinit.gateway.caddy.routes import Target
from devinit.model.status import ExtraPortStatus, ProjectStatus, ServiceStatus


class ServiceNow(TypedDict):
    """One service in the answers of the gateway."""

    url: str
    """The address for browsers: `http://localhost:8001`, or the one by name with `urls = "names"`."""
    urls: list[str]
    """All addresses, `url` first."""
    port: int | None
    phase: str
    """As in `devinit status --json`."""
    ready: bool
    """Whether the service answers now."""
    at: float
    """Unix time in seconds of the last change to any of these fields."""


class Snapshot(TypedDict):
    """A project with its services by name."""

    project: str
    services: dict[str, ServiceNow]


READY = frozenset({"ready", "unhealthy"})


def targets_of(label: str, status: ProjectStatus, dialled: Mapping[int, str]) -> list[Target]:
    """Return the services that are served by name. `dialled`: loopback address by port (default 127.0.0.1)."""
    found = []
    for service in status["services"]:
        for name, row in _served(service):
            port, hosts = row["port"], row.get("hosts") or []
            if port is None or not hosts:
                continue
            found.append(
                Target(
                    label=label,
                    service=name,
                    hosts=tuple(hosts),
                    upstream=f"{dialled.get(port, '127.0.0.1')}:{port}",
                    phase=service["phase"],
                    tls=(row["url"] or "").startswith("https:"),
                )
            )
    return found


def services_of(status: ProjectStatus, before: Mapping[str, ServiceNow], now: float) -> dict[str, ServiceNow]:
    """Return the services with pages; an unchanged one keeps its `at`."""
    found: dict[str, ServiceNow] = {}
    for service in status["services"]:
        for name, row in _served(service):
            url = row.get("page_url") or row["url"]
            if url is None or not service.get("has_pages") or not url.startswith(("http://", "https://")):
                continue
            every = [url, *(each for each in (row["url"], row.get("name_url")) if each)]
            entry: ServiceNow = {
                "url": url,
                "urls": [*dict.fromkeys(every)],
                "port": row["port"],
                "phase": service["phase"],
                "ready": service["phase"] in READY,
                "at": now,
            }
            former = before.get(name)
            is_same = former is not None and {**former, "at": now} == entry
            found[name] = former if is_same and former is not None else entry
    return found


def origins_of(services: Iterable[ServiceNow], hosts: Iterable[str], port: int) -> frozenset[str]:
    """Return the origins whose pages may read the answers: those of the project's own services."""
    found: set[str] = set()
    for service in services:
        for url in service["urls"]:
            parts = urlsplit(url)
            found.add(f"{parts.scheme}://{parts.netloc}")
            if parts.hostname == "localhost":
                found.add(f"{parts.scheme}://{parts.netloc.replace('localhost', '127.0.0.1', 1)}")
    found.update(f"http://{host}{'' if port == 80 else f':{port}'}" for host in hosts)  # noqa: PLR2004  HTTP's
    return frozenset(found)


def changed(before: Mapping[str, ServiceNow], now: Mapping[str, ServiceNow]) -> list[str]:
    """Return the names of new and changed services."""
    return [name for name, each in now.items() if before.get(name) != each]


def _served(service: ServiceStatus) -> list[tuple[str, Any]]:
    """Return a service and its extra ports by name. Any: both have `port`, `url` and the hosts."""
    extras: list[ExtraPortStatus] = service.get("extra_ports", [])
    return [(service["name"], service), *((each["name"], each) for each in extras)]

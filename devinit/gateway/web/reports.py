"""Reports on all projects of this machine: for `/api`, for the overview page, and for Prometheus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

from devinit.errors import DevinitError
from devinit.gateway.projects import Projects
from devinit.model.status import ServiceStatus

FRESH_SECONDS = 1.0
"""How long an answer is cached, so that several readers cost as much as one."""
ANSWER_SECONDS = 3.0

Row = dict[str, Any]
# JSON: values of several kinds.

GAUGES = {
    "devinit_service_ready": "Whether the service answers now.",
    "devinit_service_port": "The port that it has.",
    "devinit_service_preferred_port": "The port that it prefers.",
    "devinit_service_uptime_seconds": "How long its process has run.",
    "devinit_service_cpu_percent": "Its share of a CPU since the last look.",
    "devinit_service_memory_bytes": "Memory of all of its processes.",
}


class Reports:
    """Cached reports, shared by all readers."""

    def __init__(self, projects: Projects) -> None:
        self._projects = projects
        self._kept: dict[str, tuple[float, list[Any]]] = {}
        self._asking = asyncio.Lock()

    async def all_projects(self) -> list[Row]:
        """Return every project of the machine, with the names of those that have joined."""
        found = await self._fresh("projects", lambda: asyncio.to_thread(_neighbours))
        return [{**each, "services": [*map(self._named(each["root"]), each["services"])]} for each in found]

    async def services(self) -> list[Row]:
        """Return every service of the projects that have joined, with its CPU and memory."""
        return await self._fresh("services", self._measured)

    async def ports(self) -> list[Any]:
        """Return every port that a project of this machine has."""
        return await self._fresh("ports", lambda: asyncio.to_thread(_port_rows))

    def _named(self, root: str) -> Any:  # Any: a function from row to row
        joined = self._projects.at(root)
        known = joined.services if joined is not None else {}

        def named(service: Mapping[str, Any]) -> Row:
            return {**service, "urls": known[service["name"]]["urls"] if service["name"] in known else []}

        return named

    async def _fresh(self, name: str, ask: Any) -> list[Any]:  # Any: whatever is asked for
        async with self._asking:
            at, kept = self._kept.get(name, (0.0, []))
            if time.monotonic() - at > FRESH_SECONDS:
                kept = await ask()
                self._kept[name] = time.monotonic(), kept
        return kept

    async def _measured(self) -> list[Row]:
        rows: list[Row] = []
        for joined in self._projects.all():
            status = joined.status
            if joined.client is not None:
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        status = await joined.client.call("status", {"measure": True})
                except (DevinitError, TimeoutError):
                    pass  # keep the last known status
            services = status["services"] if status is not None else []
            rows += [row_of(each, joined.joining.project, joined.joining.label) for each in services]
        return rows


def _neighbours() -> list[Any]:
    from devinit.control.neighbours import neighbours  # not needed until a page is opened

    return [*neighbours()]


def _port_rows() -> list[Any]:
    from devinit.control.neighbours import port_rows  # as above

    return [*port_rows()]


def row_of(service: ServiceStatus, project: str, label: str) -> Row:
    """Return a service as a row of the page and the metrics; pure. URLs of databases may hold secrets."""
    has_pages = bool(service.get("has_pages"))
    return {
        "project": project,
        "label": label,
        "name": service["name"],
        "phase": service["phase"],
        "port": service["port"],
        "preferred_port": service["preferred_port"],
        "url": service["url"] if has_pages else None,
        "name_url": service.get("name_url"),
        "restarts": service["restarts"],
        "uptime_seconds": service["uptime_seconds"],
        "cpu_percent": service["cpu_percent"],
        "memory_bytes": service["memory_bytes"],
    }


def as_metrics(rows: Iterable[Row], own: Mapping[str, float]) -> str:
    """Return services and the gateway's own counters in Prometheus' text format; pure."""
    services = list(rows)
    lines: list[str] = []
    for name, text in GAUGES.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
        key = name.removeprefix("devinit_service_")
        for each in services:
            value = float(each["phase"] in ("ready", "unhealthy")) if key == "ready" else each[key]
            if value is not None:
                lines.append(
                    f"{name}{_labels(each)} {value:g}" if key != "memory_bytes" else _whole(name, each)
                )
    name = "devinit_service_restarts_total"
    lines += [f"# HELP {name} How often it was started again after it had ended.", f"# TYPE {name} counter"]
    lines += [f"{name}{_labels(each)} {each['restarts']}" for each in services]
    name = "devinit_service_phase"
    lines += [f"# HELP {name} 1 for the phase that the service is in.", f"# TYPE {name} gauge"]
    lines += [f"{name}{_labels(each, phase=each['phase'])} 1" for each in services]
    for name, value in own.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [f"# TYPE {name} {kind}", f"{name} {value:g}"]
    return "\n".join(lines) + "\n"


def _whole(name: str, row: Row) -> str:
    return f"{name}{_labels(row)} {int(row['memory_bytes'])}"


def _labels(row: Row, **more: str) -> str:
    values = {"project": row["label"], "service": row["name"], **more}
    return "{" + ",".join(f'{name}="{_quoted(value)}"' for name, value in values.items()) + "}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

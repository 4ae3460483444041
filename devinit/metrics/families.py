"""The metric families, derived from the measurements of each checkout. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from devinit.metrics.exposition import Family, Kind, Sample
from devinit.model.status import Phase, ServiceStatus
from devinit.ports.statistics import Statistics


class Measured(Struct, frozen=True, kw_only=True):
    """The measurements of one checkout."""

    project: str
    checkout: str
    """Identifier such as "shop-1f0c9a77e2", which distinguishes checkouts of a project and reveals no path."""
    statistics: Statistics
    services: tuple[ServiceStatus, ...] = ()
    """Services as its supervisor reports them; empty without a supervisor."""
    ready_seconds: Mapping[str, float] = {}
    """Seconds until each service was ready in its latest start."""
    log_bytes: Mapping[str, int] = {}
    """Disk space of each service's logs in bytes."""

    @property
    def labels(self) -> dict[str, str]:
        """The labels of all its samples."""
        return {"project": self.project, "checkout": self.checkout}


def families(found: Iterable[Measured]) -> list[Family]:
    """Return all metric families in the order of the output."""
    measured = [*found]
    return [*_of_ports(measured), *_of_services(measured)]


def _of_ports(measured: list[Measured]) -> Iterator[Family]:
    totals: tuple[tuple[str, str, str], ...] = (
        ("granted", "granted", "Ports granted to services and programs."),
        ("preferred", "preferred", "Ports granted as they were asked for first."),
        ("moved", "fallback", "Ports granted in the place of one that was taken."),
        ("reused", "used", "Requests for which a server that ran already is used."),
        ("failed", "failed", "Searches for ports that ended with an error."),
    )
    for name, field, text in totals:
        yield Family(
            f"devinit_ports_{name}_total",
            "counter",
            text,
            [Sample(each.labels, getattr(each.statistics, field)) for each in measured],
        )
    yield Family(
        "devinit_port_attempts_total",
        "counter",
        "Candidates that were tried for the ports that were granted.",
        [Sample(each.labels, each.statistics.attempts) for each in measured],
    )
    yield Family(
        "devinit_port_conflicts_total",
        "counter",
        "Taken ports, by what had them and by what was done about it.",
        [
            Sample({**each.labels, "kind": kind, "resolution": resolution}, number)
            for each in measured
            for kind, found in sorted(each.statistics.conflicts.items())
            for resolution, number in sorted(found.items())
        ],
    )


def _of_services(measured: list[Measured]) -> Iterator[Family]:
    rows = [
        ({**each.labels, "service": service["name"]}, each, service)
        for each in measured
        for service in each.services
    ]

    def family(
        name: str, kind: Kind, text: str, values: Iterable[tuple[dict[str, str], float | None]]
    ) -> Family:
        samples = [Sample(labels, value) for labels, value in values if value is not None]
        return Family(f"devinit_service_{name}", kind, text, samples)

    yield family(
        "up",
        "gauge",
        "1 while the service serves: it is ready, or unhealthy and still there.",
        ((labels, _serves(row)) for labels, _, row in rows),
    )
    yield family(
        "healthy",
        "gauge",
        "1 while a service that serves passes its health checks, 0 while it fails them.",
        ((labels, row["phase"] == Phase.READY if _serves(row) else None) for labels, _, row in rows),
    )
    yield family(
        "phase",
        "gauge",
        "1 for the phase that the service is in.",
        (({**labels, "phase": row["phase"]}, 1) for labels, _, row in rows),
    )
    yield family(
        "port", "gauge", "The port of the service.", ((labels, row["port"]) for labels, _, row in rows)
    )
    yield family(
        "ready_seconds",
        "gauge",
        "How long its latest start took until it was ready.",
        ((labels, each.ready_seconds.get(row["name"])) for labels, each, row in rows),
    )
    yield family(
        "restarts_total",
        "counter",
        "How often it was started again after a failure.",
        ((labels, row["restarts"]) for labels, _, row in rows),
    )
    yield family(
        "uptime_seconds",
        "gauge",
        "How long its process runs.",
        ((labels, row["uptime_seconds"]) for labels, _, row in rows),
    )
    yield family(
        "cpu_ratio",
        "gauge",
        "What its processes use of one CPU: 1 is all of it.",
        ((labels, _share(row["cpu_percent"])) for labels, _, row in rows),
    )
    yield family(
        "memory_bytes",
        "gauge",
        "What its processes have in memory.",
        ((labels, row["memory_bytes"]) for labels, _, row in rows),
    )
    yield family(
        "log_bytes",
        "gauge",
        "How much room its logs take on the disk.",
        ((labels, each.log_bytes.get(row["name"])) for labels, each, row in rows),
    )


def _serves(row: ServiceStatus) -> bool:
    return row["phase"] in (Phase.READY, Phase.UNHEALTHY)


def _share(percent: float | None) -> float | None:
    return None if percent is None else round(percent / 100, 4)

"""The health check of a ready service, from its `health` table or the defaults."""

from __future__ import annotations

from devinit.config.policies import check_question, count, pattern, seconds, statuses, url_path
from devinit.config.problems import Place
from devinit.config.schema import ServiceTable
from devinit.config.tables import HealthTable, ReadyTable
from devinit.kinds import Kind
from devinit.model.service import Health

KINDS = ("http", "tcp", "exec")
"""The keys of which only one may be set."""


def health(table: ServiceTable, kind: Kind, place: Place) -> Health | None:
    """Return the health check of a service that is ready; None if it has none."""
    asked = table.health
    if asked is None:
        return None
    default = Health()
    _check_kind(asked, table, kind, place)
    failures = count(asked.failures, default.failures, place.at("failures"))
    return Health(
        http=url_path(asked.http, place.at("http")),
        status=statuses(asked.status, place.at("status")),
        body=pattern(asked.body, place.at("body")),
        tcp=bool(asked.tcp),
        exec=asked.exec,
        every_seconds=seconds(asked.every, default.every_seconds, place.at("every"), positive=True),
        timeout_seconds=seconds(asked.timeout, default.timeout_seconds, place.at("timeout"), positive=True),
        failures=failures,
        restart_after=_restart_after(asked.restart_after, failures, place.at("restart_after")),
    )


def _check_kind(asked: HealthTable, table: ServiceTable, kind: Kind, place: Place) -> None:
    kinds = [kind for kind in KINDS if getattr(asked, kind) not in (None, False)]
    has_port = {table.port, table.range, kind.default_port} != {None}
    if kind.proves_itself:
        for key in kinds:
            place.at(key).add(f"{kind.name} is asked in its own protocol", "say how often, not how")
    elif len(kinds) > 1:
        place.add(f"two ways to ask: {' and '.join(kinds)}", "keep one of them")
    elif kinds and kinds[0] != "exec" and not has_port:
        place.at(kinds[0]).add("needs a `port`", "without one: `exec`")
    elif not kinds and not _can_be_asked_again(table.ready or ReadyTable(), has_port=has_port):
        place.add("does not say what to ask", "`exec`, or with a `port` also `http` or `tcp`")
    check_question(asked, place)


def _can_be_asked_again(ready: ReadyTable, *, has_port: bool) -> bool:
    """Whether the proof of readiness can be repeated later; a log line that is printed once cannot."""
    return ready.exec is not None or (has_port and ready.log is None)


def _restart_after(value: int | None, failures: int, place: Place) -> int | None:
    if value is not None and value < failures:
        place.add(f"{value} comes before it is unhealthy, after {failures}", f"at least {failures}")
    return value

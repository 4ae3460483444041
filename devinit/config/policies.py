"""Readiness, restarts, stopping and logs of a service, from its table or the defaults."""

from __future__ import annotations

import math
import re
import signal
import warnings

from devinit.config.problems import Place, choose
from devinit.config.schema import ServiceTable
from devinit.config.tables import (
    KINDS_OF_READINESS,
    HealthTable,
    LogsTable,
    ReadyTable,
    RestartTable,
    Seconds,
    StopTable,
)
from devinit.kinds import Kind
from devinit.model.service import LogLimits, Readiness, RestartMode, RestartPolicy, StopPolicy

_SIZE_UNITS = {
    "": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3,
}  # fmt: skip
_SMALLEST_LOG = 1000


def readiness(table: ServiceTable, kind: Kind, place: Place) -> Readiness:
    """Return how a service proves that it is ready."""
    ready = table.ready or ReadyTable()
    default = Readiness()
    _check_kind(ready, table, kind, place)
    return Readiness(
        http=url_path(ready.http, place.at("http")),
        status=statuses(ready.status, place.at("status")),
        body=pattern(ready.body, place.at("body")),
        tcp=bool(ready.tcp),
        exec=ready.exec,
        log=pattern(ready.log, place.at("log")),
        after_seconds=None if ready.after is None else seconds(ready.after, 0.0, place.at("after")),
        timeout_seconds=seconds(ready.timeout, default.timeout_seconds, place.at("timeout"), positive=True),
        attempt_seconds=_attempt(ready, place.at("attempt")),
    )


def restart_policy(value: RestartMode | RestartTable | None, place: Place) -> RestartPolicy:
    """Return when a service is restarted."""
    if value is None:
        return RestartPolicy()
    if isinstance(value, RestartMode):
        return RestartPolicy(mode=value)
    default = RestartPolicy()
    return RestartPolicy(
        mode=value.mode or default.mode,
        failures=count(value.failures, default.failures, place.at("failures")),
        window_seconds=seconds(value.window, default.window_seconds, place.at("window"), positive=True),
    )


def stop_policy(table: StopTable | None, place: Place) -> StopPolicy | None:
    """Return how a service is stopped; None leaves that to its provider."""
    if table is None:
        return None
    default = StopPolicy()
    return StopPolicy(
        signal=_signal(table.signal, place.at("signal")) if table.signal is not None else default.signal,
        to=table.to,
        grace_seconds=seconds(table.grace, default.grace_seconds, place.at("grace")),
        kill=default.kill if table.kill is None else table.kill,
        saving_seconds=seconds(table.saving, default.saving_seconds, place.at("saving")),
    )


def log_limits(table: LogsTable | None, place: Place) -> LogLimits:
    """Return the limits for stored output."""
    if table is None:
        return LogLimits()
    default = LogLimits()
    return LogLimits(
        size_bytes=_size(table.size, default.size_bytes, place.at("size")),
        count=count(table.count, default.count, place.at("count")),
    )


def seconds(value: Seconds | None, default: float, place: Place, *, positive: bool = False) -> float:
    """Return a duration, or its default if none is given."""
    if value is None:
        return default
    if not 0 <= value < math.inf or (positive and value == 0):
        place.add(f"{value} is no duration", "seconds, more than 0" if positive else "seconds, 0 or more")
        return default
    return float(value)


def url_path(text: str | None, place: Place) -> str | None:
    """Return the path of a URL, and report one without a leading slash."""
    if text and not text.startswith("/"):
        place.add(f'"{text}" is not a path', f'did you mean "/{text}"?')
    return text


def _attempt(ready: ReadyTable, place: Place) -> float | None:
    if ready.attempt is None:
        return None
    if ready.log is not None or ready.after is not None:
        place.add("means nothing for `log` and `after`", "it is for `http`, `tcp` and `exec`")
    return seconds(ready.attempt, 0.0, place, positive=True)


def _check_kind(ready: ReadyTable, table: ServiceTable, kind: Kind, place: Place) -> None:
    kinds = [kind for kind in KINDS_OF_READINESS if getattr(ready, kind) not in (None, False)]
    has_port = {table.port, table.range, kind.default_port} != {None}
    if kind.proves_itself:
        for key in kinds:
            place.at(key).add(f"{kind.name} is proven ready by its own protocol", "only `timeout` can be set")
    elif len(kinds) > 1:
        place.add(f"two kinds of readiness: {' and '.join(kinds)}", "keep one of them")
    elif kinds and kinds[0] in ("http", "tcp") and not has_port:
        place.at(kinds[0]).add("needs a `port`", "without one: `log`, `exec` or `after`")
    elif kinds == ["after"] and has_port:
        place.at("after").add("is for a service without a port", "use `http`, `tcp`, `exec` or `log`")
    check_question(ready, place)


def check_question(asked: ReadyTable | HealthTable, place: Place) -> None:
    """Report incomplete checks: details of a missing `http`, an empty command or path."""
    for key in ("status", "body"):
        if getattr(asked, key) is not None and asked.http is None:
            place.at(key).add("means nothing without `http`")
    for key in ("exec", "http"):
        if getattr(asked, key) == "":
            place.at(key).add("is empty")


def statuses(value: int | str | list[int] | None, place: Place) -> tuple[int, ...]:
    """Return HTTP status codes; a range such as "200-499" is expanded."""
    if isinstance(value, str):
        found = re.fullmatch(r"(\d{3})-(\d{3})", value)
        if found is None or int(found[1]) > int(found[2]):
            place.add(f'"{value}" is no range of status codes', 'for example "200-499"')
            return ()
        codes = tuple(range(int(found[1]), int(found[2]) + 1))
    else:
        codes = (value,) if isinstance(value, int) else tuple(value or ())
    for code in codes[:1] + codes[-1:] if isinstance(value, str) else codes:
        if not 100 <= code <= 599:  # noqa: PLR2004 - HTTP's
            place.add(f"{code} is not a status code of HTTP", "100 to 599")
    return codes


def pattern(text: str | None, place: Place) -> str | None:
    """Return a regular expression, and report an invalid one."""
    if text is None:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        place.add(f'"{text}" is not a regular expression: {error}')
    return text


def _signal(text: str, place: Place) -> str:
    name = text.upper().removeprefix("SIG")
    known = [each.name.removeprefix("SIG") for each in signal.Signals]
    if name not in known:
        place.add(f'there is no signal "{text}"', choose(name, known, what="signals"))
    return name


def _size(value: int | str | None, default: int, place: Place) -> int:
    if value is None:
        return default
    parts = re.fullmatch(r"(\d{1,12})\s*([A-Za-z]*)", str(value).strip(), re.ASCII)
    if parts is None or parts[2].lower() not in _SIZE_UNITS:
        place.add("not a size", 'bytes, or a text like "500 kB" or "10 MB"')
        return default
    size = int(parts[1]) * _SIZE_UNITS[parts[2].lower()]
    if size < _SMALLEST_LOG:
        place.add(f"{size} bytes are too few", f"at least {_SMALLEST_LOG}")
    return size


def count(value: int | None, default: int, place: Place) -> int:
    """Return a count of at least one, or the default if none is given."""
    if value is not None and value < 1:
        place.add(f"{value} is too few", "at least 1")
    return default if value is None else value

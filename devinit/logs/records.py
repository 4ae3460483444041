"""Structured lines: a line of JSON or logfmt, split into level, time, message and other fields. Pure.

pino, bunyan, winston, structlog, python-json-logger, loguru, zap, zerolog, slog, logrus, tracing, Logback, log4j,
Serilog, .NET, Monolog, Semantic Logger, Lograge, ECS and Google Cloud each have their own names for these fields.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from devinit.logs.levels import Level, level_of_value
from devinit.logs.printed import printed_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_RECORD = 64 * 1024
"""In characters; a longer line is shown unchanged."""
LATEST = 1e20
"""The latest time in a record: nanoseconds of the year 5138. A larger number is no time, and may be no float."""
_LEVELS = (
    "level", "levelname", "level_name", "severity", "lvl", "log.level", "loglevel", "@l", "severitytext",
)  # fmt: skip
_MESSAGES = ("message", "msg", "event", "short_message", "@m", "@mt", "@message", "body")
_TIMES = ("time", "timestamp", "@timestamp", "ts", "asctime", "datetime", "@t", "date", "t")
_DULL = frozenset(
    (
        "pid",
        "hostname",
        "v",
        "@version",
        "level_value",
        "level_index",
        "level_name",
        "levelno",
        "application",
        "process",
    )
)
"""Fields that many loggers add to each line; shown only when a line is unfolded."""
_PAIR = re.compile(r'([^\s="]{1,200})=("(?:[^"\\]|\\.)*"|[^\s"]*)(?:\s+|$)')
_ESCAPED = re.compile(r"\\(.)")
_CONTROLS = {"n": "\n", "t": "\t", "r": ""}


class Record:
    """A structured line."""

    __slots__ = ("level", "message", "rest", "time")

    def __init__(
        self, level: Level | None, time: float | None, message: str, rest: Mapping[str, object]
    ) -> None:
        self.level, self.time, self.message, self.rest = level, time, message, rest
        # `rest`: all other fields, decoded and in their order.


def record_of(text: str) -> Record | None:
    """Return the record in a structured line; None for any other line."""
    text = text.strip()
    if len(text) > LONGEST_RECORD:
        return None
    if text.startswith("{"):
        return _arranged(_decoded(text)) if text.endswith("}") else None
    return _arranged(_pairs(text)) if "=" in text[:200] else None


def told(record: Record) -> dict[str, object]:
    """Return the fields that are shown while a record is folded."""
    return {name: value for name, value in record.rest.items() if name.lower() not in _DULL}


def clock(time: float) -> str:
    """Return the time of a record for display: the local time of day."""
    return f"{datetime.fromtimestamp(time, UTC).astimezone():%H:%M:%S}"


def _decoded(text: str) -> dict[str, object]:
    import msgspec  # only structured lines need it

    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _pairs(text: str) -> dict[str, object]:
    """Return the fields of a logfmt line; empty if it contains anything else."""
    found: dict[str, object] = {}
    position = 0
    while position < len(text):
        pair = _PAIR.match(text, position)
        if pair is None:
            return {}
        name, value = pair.groups()
        found[name] = _unquoted(value) if value.startswith('"') else value
        position = pair.end()
    return found


def _unquoted(value: str) -> str:
    return _ESCAPED.sub(lambda found: _CONTROLS.get(found[1], found[1]), value[1:-1])


def _arranged(fields: dict[str, object]) -> Record | None:
    """Return the record for these fields; None if they contain neither a level nor a message."""
    if not fields:
        return None
    fields = _flattened(fields)
    lower = {name.lower(): name for name in fields}
    level_name = next((lower[name] for name in _LEVELS if name in lower), None)
    level = level_of_value(fields[level_name]) if level_name else None
    message_name = next((lower[name] for name in _MESSAGES if name in lower), None)
    message = fields[message_name] if message_name else None
    taken = {level_name if level is not None else None, message_name}
    if message is None and {"method", "path", "status"} <= lower.keys():
        # Lograge, and many request loggers.
        asked = [lower[name] for name in ("method", "path", "status")]
        message = " ".join(str(fields[name]) for name in asked)
        taken.update(asked)
    if level is None and message is None:
        return None
    time_name = next((lower[name] for name in _TIMES if name in lower), None)
    time = _time(fields[time_name]) if time_name else None
    if time is not None:
        taken.add(time_name)
    rest = {name: value for name, value in fields.items() if name not in taken}
    return Record(level, time, "" if message is None else str(message), rest)


def _flattened(fields: dict[str, object]) -> dict[str, object]:
    """Return the fields with nested ones moved to the top: those of Rust's tracing, loguru, ECS and log4j."""
    match fields:
        case {"fields": dict(inner), "level": _}:
            return {**{name: value for name, value in fields.items() if name != "fields"}, **inner}
        case {"record": {"level": {"name": name}, "message": message, "time": {"timestamp": time}, **rest}}:
            extra = rest.get("extra")
            return {
                "level": name,
                "time": time,
                "message": message,
                **(extra if isinstance(extra, dict) else {}),
                **{key: rest[key] for key in ("name", "function", "line", "exception") if rest.get(key)},
            }
        case {"log": {"level": level, **rest}, **others}:
            return {"log.level": level, **others, **({"log": rest} if rest else {})}
        case {"instant": {"epochSecond": int(seconds)}, **others}:
            return {"time": seconds, **others}
    return fields


def _time(value: object) -> float | None:
    """Return the Unix time for a value in a record: seconds, milliseconds, micro- or nanoseconds, or a date."""
    if isinstance(value, str):
        digits = value.replace(".", "", 1)
        if not (digits.isascii() and digits.isdigit()) or len(value) > 20:  # noqa: PLR2004  those of nanoseconds
            return printed_time(value[:64].encode(errors="replace"))
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value > LATEST:
        return None
    seconds = float(value)
    while seconds > 1e11:  # noqa: PLR2004  the year 5138
        seconds /= 1000
    return seconds if seconds > 1e8 else None  # noqa: PLR2004  1973: a counter is no time

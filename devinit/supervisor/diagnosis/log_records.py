"""Find the failure in a structured log: from a line of JSON or `key=value` to a few words. Pure.

Go's slog, zap and zerolog, logrus, pino, winston, structlog and others print such records. The error is in a field
of its own, separate from the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

LONGEST_RECORD = 20_000
LOOKED_AT = 40
"""How many of the last lines are searched for a record: a stack trace, or buffered output, may follow it."""
LAST = 3
"""How many of the last lines may contain a non-fatal error that counts as a cause: a program survives many of
them.
"""

_FATAL = frozenset({"fatal", "panic", "dpanic", "critical", "alert", "emergency", "ftl", "pnc", "60"})
_ERROR = frozenset({"error", "err", "50"})
"""Numbers are pino's."""
_LEVELS = ("level", "severity", "lvl", "levelname", "log.level")
_MESSAGES = ("msg", "message", "event")
_ERRORS = ("err", "error", "exception", "exc_info")

_FIELD = r'(?:^|\s)([A-Za-z][\w.]*)=("(?:[^"\\]|\\.)*"|\S*)'
_CONSOLES = (
    # zap in development: time, level, caller, message, fields as JSON
    r"^\S+\t(?P<level>[A-Z]+)\t(?:\S+:\d+\t)?(?P<said>[^\t]+)(?:\t(?P<json>\{.*\}))?$",
    # zerolog's console: time, three letters, message, fields
    r"^\S+ (?P<level>ERR|FTL|PNC) (?P<said>.*)$",
)


class _Record(Struct, frozen=True):
    """A failure that a program has logged."""

    said: str
    is_fatal: bool


def logged_failure(lines: Sequence[str]) -> str | None:
    """Return the failure that the last lines of a program report; None if they contain no such record."""
    for number, line in enumerate(reversed(lines[-LOOKED_AT:])):
        record = _record_of(line)
        if record is not None and (record.is_fatal or number < LAST):
            return record.said
    return None


def _record_of(line: str) -> _Record | None:
    line = line.strip()
    if len(line) > LONGEST_RECORD:
        return None
    if line.startswith("{"):
        return _failure(_decoded(line))
    if re.search(r"(?:^|\s)(?:level|lvl|severity)=", line):
        return _failure(_fields(line))
    for pattern in _CONSOLES:
        if found := re.match(pattern, line):
            said, fields = found["said"], _fields(found["said"])
            said = re.split(r"\s[A-Za-z][\w.]*=", said, maxsplit=1)[0]
            more = _decoded(found.groupdict().get("json") or "{}")
            return _failure({**fields, **more, "level": found["level"], "msg": said})
    return None


def _decoded(text: str) -> Mapping[str, object]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _fields(text: str) -> dict[str, object]:
    found = re.findall(_FIELD, text)
    return {name: _unquoted(value) for name, value in found}


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _failure(record: Mapping[str, object]) -> _Record | None:
    level = _first(record, _LEVELS).lower()
    if level not in _FATAL and level not in _ERROR:
        return None
    message, error = _first(record, _MESSAGES), _first(record, _ERRORS)
    said = message if error in message else f"{message}: {error}" if message else error
    return _Record(said, level in _FATAL) if said else None


def _first(record: Mapping[str, object], names: Iterable[str]) -> str:
    """Return the first of these fields that has a text, in one line; for a traceback, its last line."""
    for name in names:
        value = record.get(name)
        if isinstance(value, dict):
            # pino's error has type, message and stack.
            value = value.get("message")
        if isinstance(value, list):
            # structlog's `dict_tracebacks`: the innermost exception is the last one.
            value = _of_exception(value[-1]) if value and isinstance(value[-1], dict) else ""
        if isinstance(value, (str, int)) and (lines := str(value).strip().splitlines()):
            return lines[-1].strip()
    return ""


def _of_exception(value: Mapping[str, object]) -> str:
    kind, said = value.get("exc_type"), value.get("exc_value")
    return ": ".join(text for text in (kind, said) if isinstance(text, str) and text)

"""Times that programs print in their lines, for output that no supervisor observed. Pure.

PostgreSQL, Redis, structlog, pino, Python's logging, Go's log, nginx and many others print the time in each line.
Such a time is accepted only if it lies between two moments that the supervisor knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

LOOKED_AT = 300
"""Bytes of a line that are searched: a JSON record may have some fields before its time."""
HALF_A_SECOND = 0.5
"""Added to a time in whole seconds: the middle of that second."""
SLACK_SECONDS = 0.1
"""A program takes the time shortly before it prints the line."""

_DATE_AND_TIME = re.compile(
    rb"(?P<year>\d{4})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T _]"
    rb"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
    rb"(?: ?(?P<zone>Z\b|UTC\b|GMT\b|[+-]\d\d(?::?\d\d)?))?"
)
_REDIS = re.compile(
    rb"(?P<day>\d\d) (?P<month>[A-Z][a-z]{2}) (?P<year>\d{4})"
    rb" (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<zone>)"
)
_UNIX = re.compile(
    rb'"(?:time|ts|timestamp)":\s*(?P<seconds>\d{10})(?:(?P<millis>\d{3})\b|\.(?P<fraction>\d+))'
)
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


def printed_points(text: bytes, offset: int, earlier: float, later: float) -> Iterator[tuple[int, float]]:
    """Yield the end of each line with a time in it, and that time.

    `text` begins at `offset` of its file. All of it was written between `earlier` and `later` (Unix times); a time
    outside of these, or before that of a previous line, is skipped.
    """
    for line in text.splitlines(keepends=True):
        offset += len(line)
        time = printed_time(line)
        if time is not None and earlier - SLACK_SECONDS <= time <= later + SLACK_SECONDS:
            earlier = min(max(time, earlier), later)
            yield offset, earlier


def printed_time(line: bytes) -> float | None:
    """Return the Unix time in a line; a time without a zone counts as local time."""
    beginning = line[:LOOKED_AT]
    if found := _UNIX.search(beginning):
        fraction = found["millis"] or found["fraction"]
        return int(found["seconds"]) + float(b"0." + fraction)
    found = _DATE_AND_TIME.search(beginning) or _REDIS.search(beginning)
    if found is None:
        return None
    try:
        month = found["month"]
        whole = datetime(  # noqa: DTZ001  its zone follows
            int(found["year"]),
            int(month) if month.isdigit() else _MONTHS.index(month) + 1,
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            int(found["second"]),
        )
        seconds = whole.replace(tzinfo=_zone(found["zone"] or b"")).timestamp()
    except (ValueError, OverflowError):  # no such day or month
        return None
    fraction = found["fraction"]
    return seconds + (HALF_A_SECOND if fraction is None else float(b"0." + fraction))


def _zone(text: bytes) -> timezone | None:
    """Return a time zone; None is local time."""
    if not text:
        return None
    if text.isalpha():
        return UTC
    digits = text[1:].replace(b":", b"").ljust(4, b"0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text.startswith(b"-") else offset)

"""The parser of points in time: `5m`, `10:30`, `2026-11-02T10:30`, or a Unix time (`date +%s.%N`)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from devinit.errors import UsageError

SPAN = r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?:in)?)?(?:(\d+)s)?"
"""For example 1h30m, 90s, 2d."""
CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2}))?"
UNIX = r"@?(\d{9,11}(?:\.\d+)?)"
"""The output of `date +%s` and `date +%s.%N`, in this century and the next."""
FORMS = "5m, 1h30m, 2d, 10:30, 2026-11-02, 2026-11-02T10:30 or a Unix time"


def moment(text: str, now: datetime, option: str = "--since") -> float:
    """Return the Unix time of a text. Raise UsageError if it is not a time.

    `now` has a time zone, in which a time of day is read. One that lies in the future was yesterday.
    """
    said = text.strip()
    try:
        if unix := re.fullmatch(UNIX, said):
            return float(unix[1])
        if said and (span := re.fullmatch(SPAN, said)):
            days, hours, minutes, seconds = (int(each or 0) for each in span.groups())
            ago = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
            return (now - ago).timestamp()
        if clock := re.fullmatch(CLOCK, said):
            hour, minute, second = (int(each or 0) for each in clock.groups())
            then = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
            return (then if then <= now else then - timedelta(days=1)).timestamp()
        # Without a time zone it is local time, with the daylight saving time of that day.
        return datetime.fromisoformat(said).timestamp()
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text!r} is not a time", hint=f"write it like {FORMS}") from None

"""Recognition of the lines in which servers log each request, so that they can be left out. Pure."""

from __future__ import annotations

import re

from devinit.logs.levels import is_short_number
from devinit.logs.records import Record

LOOKED_AT = 2_000
_METHOD = "GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS"
_FORMS = re.compile(
    rf'"(?:{_METHOD}) \S{{1,1000}}(?: HTTP/[\d.]+)?" (?P<quoted>\d{{3}})\b'  # uvicorn, gunicorn, Django, nginx
    rf"|^ ?(?:{_METHOD}) /\S{{0,1000}} (?P<bare>\d{{3}})\b"  # Next.js, Express
    rf"|^\[GIN\] .{{0,40}} \| +(?P<gin>\d{{3}}) \|"
    r"|^  Parameters: \{"
    r"|^(?:[DI], \[[^\]]{1,60}\]  ?[A-Z]{4,5} -- : (?:\[[^\]]{1,60}\] )?)?"  # Rails, with or without its formatter
    rf'(?:Started (?:{_METHOD}) "|Processing by \w[\w:]{{0,200}}#\w|Completed (?P<rails>\d{{3}}) )'
)
_ASKED = ("method", "http.method", "http_method", "req", "request", "httprequest", "http")
_ANSWERED = ("status", "status_code", "statuscode", "http.status_code", "res", "response", "resstatus")
_STATUSES = ("statusCode", "status", "status_code")
FAILED = 500
"""From this status on, a request is a server error, and its line is shown like any other."""


def is_request(text: str, record: Record | None) -> bool:
    """Whether a line only logs an answered request. A request that failed in the server does not count."""
    if record is not None:
        return _is_request(record)
    found = _FORMS.search(text[:LOOKED_AT])
    return found is not None and _status(found) < FAILED


def _status(found: re.Match[str]) -> int:
    return int(next((each for each in found.groups() if each), "0"))


def _is_request(record: Record) -> bool:
    if found := _FORMS.search(record.message[:LOOKED_AT]):
        return _status(found) < FAILED
    lower = {name.lower(): value for name, value in record.rest.items()}
    if not any(name in lower for name in _ASKED):
        return False
    answered = next((lower[name] for name in _ANSWERED if name in lower), None)
    if isinstance(answered, dict):
        answered = next((answered[name] for name in _STATUSES if name in answered), None)
    if isinstance(answered, str) and is_short_number(answered):
        answered = int(answered)
    return isinstance(answered, int) and not isinstance(answered, bool) and 0 <= answered < FAILED

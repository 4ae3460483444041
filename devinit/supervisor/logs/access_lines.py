"""Remove the lines about devinit's own requests from the end of a service's log. Pure.

A service that is probed twice a second logs each request. Within a minute, these lines would push the error that
explains why it does not become ready out of everything that is shown or searched.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from devinit.model.probe import USER_AGENT


def without_own_requests(lines: Sequence[str], paths: Collection[str]) -> list[str]:
    """Return the lines without those about a GET of these paths. The last one stays, since it shows the answer."""
    if not paths:
        return list(lines)
    is_request = request_of(paths)
    last = next((at for at in range(len(lines) - 1, -1, -1) if is_request.search(lines[at])), None)
    return [line for at, line in enumerate(lines) if at == last or not is_request.search(line)]


def request_of(paths: Collection[str]) -> re.Pattern[str]:
    """Return a pattern for the lines of an access log about one of these paths.

    uvicorn, Django and Werkzeug log `"GET /health HTTP/1.1" 503`, Express and Next.js `GET /health 503 in 3ms`,
    Rails `Started GET "/health"`, and JSON loggers the method and the path in separate fields.
    """
    asked = "|".join(re.escape(path) for path in paths)
    return re.compile(rf"{USER_AGENT}|\bGET\b.{{0,500}}?(?<![\w/.:-])(?:{asked})(?![\w/.-])")

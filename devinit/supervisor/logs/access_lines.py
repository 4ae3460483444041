"""Take the lines in which a service logs devinit's own requests out of the end of its log: pure.

A service that is asked twice a second logs each request. After a minute these lines have pushed the error that
explains why it does not become ready out of everything that is shown or searched.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from devinit.model.probe import USER_AGENT


def without_own_requests(lines: Sequence[str], paths: Collection[str]) -> list[str]:
    """Return the lines without those about GET of one of these paths; the last one stays and shows the answer."""
    if not paths:
        return list(lines)
    is_request = request_of(paths)
    last = next((at for at in range(len(lines) - 1, -1, -1) if is_request.search(lines[at])), None)
    return [line for at, line in enumerate(lines) if at == last or not is_request.search(line)]


def request_of(paths: Collection[str]) -> re.Pattern[str]:
    """Return what matches a line of an access log about one of these paths.

    uvicorn, Django and Werkzeug log `"GET /health HTTP/1.1" 503`, Express and Next.js `GET /health 503 in 3ms`,
    Rails `Started GET "/health"`, and loggers of JSON the method and the path apart.
    """
    asked = "|".join(re.escape(path) for path in paths)
    return re.compile(rf"{USER_AGENT}|\bGET\b.{{0,500}}?(?<![\w/.:-])(?:{asked})(?![\w/.-])")

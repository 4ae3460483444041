"""Specifies `devinit.supervisor.logs.access_lines`: the probe's own requests do not hide what explains a failure."""

from __future__ import annotations

import pytest

from devinit.supervisor.logs.access_lines import without_own_requests

CAUSE = "RuntimeError: DATABASE_URL is missing"


class TestOwnRequests:
    @pytest.mark.parametrize(
        ("line", "path"),
        [
            ('INFO:     127.0.0.1:41002 - "GET /health HTTP/1.1" 503 Service Unavailable', "/health"),
            ('127.0.0.1 - - [29/Nov/2026 16:00:00] "GET /health HTTP/1.1" 503 -', "/health"),
            ('[29/Nov/2026 16:00:00] "GET / HTTP/1.1" 500 145', "/"),
            ("GET /health 503 3.114 ms - 12", "/health"),
            (" GET / 500 in 32ms", "/"),
            ('Started GET "/up" for 127.0.0.1 at 2026-11-29 16:00:00 +0000', "/up"),
            ('[GIN] 2026/11/29 - 16:00:00 | 503 | 81.2µs | 127.0.0.1 | GET      "/health"', "/health"),
            ('{"level":30,"req":{"method":"GET","url":"/health"},"res":{"statusCode":503}}', "/health"),
            ('127.0.0.1 - - "GET /a?b=1 HTTP/1.1" 404 "devinit-probe"', "/other"),
        ],
    )
    def test_are_left_out_but_for_the_last(self, line: str, path: str) -> None:
        lines = [CAUSE, *[line] * 30, "compiling"]

        assert without_own_requests(lines, {path}) == [CAUSE, line, "compiling"]

    @pytest.mark.parametrize(
        "line",
        [
            'INFO:     127.0.0.1:41002 - "GET /healthy HTTP/1.1" 503',
            'INFO:     127.0.0.1:41002 - "GET /api/health HTTP/1.1" 503',
            'INFO:     127.0.0.1:41002 - "POST /health HTTP/1.1" 503',
            "health check failed: database is down",
        ],
    )
    def test_are_told_from_what_else_is_logged(self, line: str) -> None:
        assert without_own_requests([line] * 3, {"/health"}) == [line] * 3

    def test_of_the_start_page_are_told_from_those_of_other_pages(self) -> None:
        lines = ["GET /about 500 in 32ms"] * 3

        assert without_own_requests(lines, {"/"}) == lines

    def test_are_not_looked_for_where_nothing_is_asked(self) -> None:
        assert without_own_requests(["GET / 200"] * 3, set()) == ["GET / 200"] * 3

"""Specifies which times of their own lines are believed."""

from __future__ import annotations

import time

import pytest

from devinit.logs.printed import printed_points, printed_time

NOON = 1_764_417_600.0
"""2025-11-29 12:00:00 UTC."""


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> object:
    """Live in New York: five hours behind UTC."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class TestTheTimeInALine:
    @pytest.mark.parametrize(
        ("line", "seconds"),
        [
            (b"2025-11-29 12:00:01.234 UTC [4711] LOG:  checkpoint starting: time\n", 1.234),
            (b"2025-11-29 07:00:01.234 EST [4711] LOG:  checkpoint starting: time\n", 1.234),
            (b"2025-11-29 17:30:01.234 +05:30 request\n", 1.234),
            (b"2025-11-29T09:00:01-0300 request\n", 1.5),
            (b"4711:M 29 Nov 2025 07:00:01.234 * Background saving started by pid 4712\n", 1.234),
            (b'{"level":30,"time":1764417601234,"pid":1,"msg":"listening"}\n', 1.234),
            (b'{"level":"info","ts":1764417601.234,"msg":"listening"}\n', 1.234),
            (b'{"event": "listening", "timestamp": "2025-11-29T12:00:01.234567Z"}\n', 1.234567),
            (b"2025-11-29 07:00:01,234 INFO django.server: GET /\n", 1.234),
            (b"2025/11/29 07:00:01 http: Server closed\n", 1.5),
            (b"2025/11/29 07:00:01.234567 http: Server closed\n", 1.234567),
            (b"INFO [2025-11-29 07:00:01.234] worker\n", 1.234),
        ],
    )
    def test_is_found_as_programs_write_it(self, line: bytes, seconds: float) -> None:
        assert printed_time(line) == pytest.approx(NOON + seconds, abs=1e-5)

    @pytest.mark.parametrize(
        "line",
        [
            b"INFO:     Application startup complete.\n",
            b"2025-13-29 12:00:01.234 UTC no such month\n",
            b"32 Foo 2025 12:00:01.234 neither\n",
            b"2025-11-29 a day\n",
            b"12:00:01 [vite] page reload\n",
            b"x" * 400 + b" 2025-11-29 12:00:01.234 UTC\n",
            b'{"time":12,"ms":"1764417601234"}\n',
        ],
    )
    def test_is_none_where_a_line_says_none(self, line: bytes) -> None:
        assert printed_time(line) is None


class TestThePoints:
    def test_are_the_ends_of_lines_that_say_a_time_between_two_known_moments(self) -> None:
        lines = (
            b"2025-11-29 12:00:01.000 UTC one\n",
            b"   continued\n",
            b"2024-01-01 00:00:00.000 UTC a date in a text\n",
            b"2025-11-29 12:00:03.000 UTC two\n",
            b"2025-11-29 12:00:09.000 UTC from the future\n",
        )
        ends = [100 + sum(map(len, lines[: number + 1])) for number in range(len(lines))]

        points = list(printed_points(b"".join(lines), 100, NOON, NOON + 5))

        assert points == [(ends[0], NOON + 1), (ends[3], NOON + 3)]

    def test_never_run_backwards(self) -> None:
        text = b"2025-11-29 12:00:03.000 UTC one\n2025-11-29 12:00:01.000 UTC a child's buffer\n"

        assert [when for _, when in printed_points(text, 0, NOON, NOON + 5)] == [NOON + 3]

    def test_keep_to_the_moments_that_are_known(self) -> None:
        text = b"2025-11-29 11:59:59.950 UTC one\n2025-11-29 12:00:05.050 UTC two\n"

        assert [when for _, when in printed_points(text, 0, NOON, NOON + 5)] == [NOON, NOON + 5]

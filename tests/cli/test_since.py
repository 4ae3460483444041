"""Specifies what `--since` understands."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from devinit.cli.since import moment
from devinit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone(timedelta(hours=5)))


@pytest.fixture(autouse=True)
def five_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XXX-5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5m", "2026-11-21T06:55:00"),
        ("90s", "2026-11-21T06:58:30"),
        ("1h30m", "2026-11-21T05:30:00"),
        ("2d", "2026-11-19T07:00:00"),
        ("10:30", "2026-11-21T05:30:00"),
        ("9:05:30", "2026-11-21T04:05:30"),
        ("12:01", "2026-11-20T07:01:00"),
        ("2026-11-02", "2026-11-01T19:00:00"),
        ("2026-11-02T10:30", "2026-11-02T05:30:00"),
        ("2026-11-02 10:30:15", "2026-11-02T05:30:15"),
        ("2026-11-02T10:30:00Z", "2026-11-02T10:30:00"),
        ("2026-11-02T10:30:00.500+01:00", "2026-11-02T09:30:00.500"),
    ],
)
def test_is_a_time(text: str, expected: str) -> None:
    assert (
        datetime.fromtimestamp(moment(text, NOW), UTC)
        .replace(tzinfo=None)
        .isoformat(timespec="auto")
        .startswith(expected)
    )


@pytest.mark.parametrize(
    "text", ["", " ", "yesterday", "25:00", "10:99", "2026-13-01", "5", "m", "-5m", "99999999999d"]
)
def test_is_refused_with_what_can_be_said(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time") as caught:
        moment(text, NOW)

    assert caught.value.hint == (
        "write it like 5m, 1h30m, 2d, 10:30, 2026-11-02, 2026-11-02T10:30 or a Unix time"
    )


@pytest.mark.parametrize("text", ["1764432003", "1764432003.250", "@1764432003.25"])
def test_may_be_what_date_prints_for_scripts(text: str) -> None:
    assert moment(text, NOW) == pytest.approx(1764432003, abs=0.3)

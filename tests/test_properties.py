"""Specifies how the tests of properties run: what a machine does beside them is no reason to fail."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def test_neither_examples_nor_their_making_have_a_time_limit() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
    assert HealthCheck.too_slow in settings.default.suppress_health_check

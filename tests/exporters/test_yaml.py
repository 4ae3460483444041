"""Specifies texts in YAML."""

from __future__ import annotations

import pytest
import yaml

from devinit.exporters.yaml import rendered


@pytest.mark.parametrize(
    "value", ["a\nb \U0001f600", "\x85\u2028\ufeff\U0001f600", "\x7f\x00\t", "\U000e0041", "ü"]
)
def test_are_read_as_they_are(value: str) -> None:
    assert yaml.safe_load(rendered({"a": value})) == {"a": value}

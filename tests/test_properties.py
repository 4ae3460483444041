"""Specifies how the tests of properties run: what a machine does beside them is no reason to fail."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st


def slowly(number: int) -> int:
    """Take longer than Hypothesis waits for an example on a machine that does nothing else."""
    time.sleep(0.3)  # the time itself is what is tested
    return number


@settings(max_examples=5)
@given(st.integers().map(slowly))
def test_the_making_of_examples_may_take_long(number: int) -> None:
    assert isinstance(number, int)


@settings(max_examples=2)
@given(st.integers())
def test_an_example_may_take_long(number: int) -> None:
    assert slowly(number) == number

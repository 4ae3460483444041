"""A short random walk; `scripts/chaos --minutes N` takes a long one."""

from __future__ import annotations

import pytest

from tests.faults.walk.__main__ import Walk

STEPS = 24


@pytest.mark.slow
@pytest.mark.timeout(300)
class TestAShortRandomWalk:
    def test_violates_nothing(self) -> None:
        said: list[str] = []
        walk = Walk(seed=7, say=said.append)

        walk.run(steps=STEPS)

        assert walk.violations == [], "\n".join(said)
        assert walk.faults > STEPS / 3
        assert walk.rows > 0
        assert walk.visits > 0

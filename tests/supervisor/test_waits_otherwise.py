"""Specifies that a service that only waits takes the configuration that it would be started with now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop


@pytest.fixture
def waiting(shop: Shop, port: int) -> Shop:
    """`web` waits for `db`, which failed; both are mended in the file since."""
    shop.server("db", command="sh -c 'exit 3'", port=port)
    shop.server("web", command="sh -c 'echo old; sleep 60'", depends_on=["db"])
    assert shop("start", "-d").returncode != 0
    assert shop.status()["web"]["phase"] == "waiting"
    shop.service("db", port=port)
    return shop


class TestAServiceThatWaits:
    def test_is_started_as_the_file_says_now(self, waiting: Shop) -> None:
        waiting.server("web", command="sh -c 'echo new; sleep 60'", depends_on=["db"])

        started = waiting("start", "-d")

        assert started.returncode == 0, started.stderr
        assert "as it was configured before" not in started.stderr
        assert waiting("logs", "web").stdout.splitlines()[-1].endswith("new")

    def test_waits_on_when_the_start_is_refused(self, waiting: Shop) -> None:
        waiting.server("web", command="sh -c 'echo ${NOPE}'", depends_on=["db"])

        assert waiting("start", "-d").returncode == 2
        assert waiting.status()["web"]["phase"] == "waiting"

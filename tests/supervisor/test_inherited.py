"""Specifies a start in a shell that has loaded another checkout's `.env.runtime`: nothing of it gets through."""

from __future__ import annotations

import pytest

from tests.supervisor.conftest import FreePorts, MakeShop, Shop

OTHERS = """
[environment]
REDIS_URL = "redis://127.0.0.1:6399/0"
DATABASE_URL = "postgresql://first@127.0.0.1:5499/first"
PATH = "${PATH}"
"""
OURS = """
[environment]
DATABASE_URL = "postgresql://second@127.0.0.1:5498/second"
CACHE = "${REDIS_URL:-none}"
"""


@pytest.fixture
def pair(make_shop: MakeShop, free_ports: FreePorts) -> tuple[Shop, Shop, int]:
    """Two checkouts of the same services; the first one runs, on the ports that both want."""
    port = free_ports(8)[0]
    first, second = make_shop("first"), make_shop("second")
    for shop in (first, second):
        shop.service("web", "note=notes", port=port)
    first.write(more=OTHERS)
    second.write(more=OURS)
    first.up()
    return first, second, port


class TestAnEnvironmentOfAnotherCheckout:
    def test_changes_nothing_that_the_services_see(self, pair: tuple[Shop, Shop, int]) -> None:
        first, second, port = pair

        second.up(**{**first.environment(), "PORT": str(port), "HOST": "0.0.0.0", "MINE": "kept"})

        [seen] = second.notes()
        assert "REDIS_URL" not in seen
        assert seen["DATABASE_URL"] == "postgresql://second@127.0.0.1:5498/second"
        assert (seen["PORT"], seen["HOST"]) == (str(port + 1), "127.0.0.1")
        assert seen["WEB_PORT"] == str(port + 1)
        assert seen["WEB_URL"] == f"http://localhost:{port + 1}"
        assert seen["CORS_ORIGINS"] == f"http://localhost:{port + 1},http://127.0.0.1:{port + 1}"
        assert seen["DEVINIT_PROJECT"] == str(second.root)
        assert seen["CACHE"] == "none"
        assert (seen["MINE"], seen["PATH"]) == ("kept", first.environment()["PATH"])

    def test_is_mentioned(self, pair: tuple[Shop, Shop, int]) -> None:
        first, second, _ = pair

        done = second("start", **first.environment())

        assert (
            f"REDIS_URL ignored: inherited from the environment of another checkout, {first.root}"
            in done.stderr
        )
        assert "WEB_PORT ignored: inherited" in done.stderr

    def test_of_this_very_checkout_is_nobody_else_s(self, pair: tuple[Shop, Shop, int]) -> None:
        first, _, _ = pair

        done = first("restart", **first.environment())

        assert "ignored" not in done.stderr
        assert first.notes()[-1]["REDIS_URL"] == "redis://127.0.0.1:6399/0"

    def test_does_not_reach_a_command_that_is_run(self, pair: tuple[Shop, Shop, int]) -> None:
        first, second, _ = pair

        done = second("run", "--", "sh", "-c", "echo $REDIS_URL,$DATABASE_URL", **first.environment())

        assert done.stdout == ",postgresql://second@127.0.0.1:5498/second\n"

"""Specifies what `devinit ports` says of further ports, while their service runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Shop


@pytest.fixture
def web(shop: Shop, port: int) -> Shop:
    """A server with a further port."""
    shop.service("web", port=port, extra_ports={"debugger": port + 10})
    return shop


def row(shop: Shop) -> dict[str, Any]:
    """Return what is said of the further port. Any: JSON."""
    rows = json.loads(shop("ports", "--json").stdout)["ports"]
    return next(each for each in rows if each["service"] == "web.debugger")


class TestAFurtherPort:
    def test_is_the_one_on_which_the_service_runs(self, web: Shop, port: int) -> None:
        assert web("start", WEB_DEBUGGER_PORT=str(port + 13)).returncode == 0

        assert (row(web)["port"], row(web)["preferred_port"]) == (port + 13, port + 10)

    def test_that_was_chosen_meanwhile_counts_from_the_next_start_on(self, web: Shop, port: int) -> None:
        assert web("start").returncode == 0
        web("ports", "set", "web.debugger", str(port + 14))

        said = web("ports").stderr

        assert (row(web)["port"], row(web)["next_port"]) == (port + 10, port + 14)
        assert f"web.debugger: {port + 14} from its next start on; `devinit restart web` moves it now" in said

    def test_of_a_stopped_service_is_the_one_that_it_asks_for(self, web: Shop, port: int) -> None:
        web("ports", "set", "web.debugger", str(port + 14))

        assert (row(web)["port"], row(web)["next_port"]) == (port + 14, port + 14)

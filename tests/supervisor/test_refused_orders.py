"""Specifies orders that are refused: whatever was edited before, nothing has been stopped for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop, Stranger

ORDERS = [("start",), ("restart",), ("restart", "--changed")]


def pids(shop: Shop) -> dict[str, int | None]:
    return {name: each["pid"] for name, each in shop.status().items()}


class TestAConfigurationWithoutServices:
    @pytest.mark.parametrize("text", ["", '[project]\nname = "shop"\n'], ids=["empty", "project only"])
    @pytest.mark.parametrize("words", ORDERS, ids=" ".join)
    def test_is_refused_and_what_runs_goes_on(
        self, shop: Shop, free_ports: FreePorts, words: tuple[str, ...], text: str
    ) -> None:
        ports = free_ports(2)
        shop.service("db", port=ports[0])
        shop.service("web", port=ports[1], depends_on=["db"])
        shop.up()
        before = pids(shop)
        (shop.root / "devinit.toml").write_text(text)

        refused = shop(*words)

        assert refused.returncode == 2
        assert "there is nothing to start" in refused.stderr
        assert pids(shop) == before


class TestAConfigurationThatStartsNothingByItself:
    def test_is_refused_before_what_left_it_is_stopped(self, shop: Shop, port: int) -> None:
        shop.service("gone", port=port)
        shop.service("mail", "never", ready={"after": 0}, autostart=False)
        shop.up("gone")
        before = pids(shop)
        shop.remove("gone")

        refused = shop("start")

        assert refused.returncode == 2
        assert pids(shop) == before


class TestAPortThatIsRefused:
    @pytest.mark.parametrize("words", [("start", "late"), ("restart", "web", "late")], ids=" ".join)
    def test_has_not_stopped_what_left_the_configuration(
        self, shop: Shop, free_ports: FreePorts, stranger: Stranger, words: tuple[str, ...]
    ) -> None:
        ports = free_ports(12)
        shop.service("web", port=ports[0])
        shop.service("gone", port=ports[1])
        shop.up()
        before = pids(shop)
        stranger(ports[6])
        shop.service("late", port=ports[6], strict_port=True)
        shop.remove("gone")

        refused = shop(*words)

        assert refused.returncode == 3
        assert pids(shop) == {**before, "late": None}


class TestAServiceThatWasRenamed:
    def test_leaves_its_port_to_its_new_name(self, shop: Shop, port: int) -> None:
        shop.service("api", port=port)
        shop.up()
        shop.remove("api")
        shop.service("backend", port=port, strict_port=True)

        start = shop("start")

        assert start.returncode == 0, start.stderr
        assert "api is stopped: it is not in the configuration any more" in start.stderr
        assert shop.status()["backend"]["port"] == port

"""Specifies orders that are refused: whatever was edited before, nothing has been stopped for them."""

from __future__ import annotations

import json
import resource
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Machine
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


def put_a_folder_in_place_of(shop: Shop, name: str) -> None:
    (shop.root / name).unlink()
    (shop.root / name).mkdir()


def fill_the_disk(shop: Shop, name: str) -> None:
    """Let no file become as large as this one: for the supervisor that is a disk without room for it."""
    most = (shop.root / name).stat().st_size - 1
    resource.prlimit(shop.supervisor(), resource.RLIMIT_FSIZE, (most, most))


class TestFilesThatCannotBeWritten:
    """A restart that moves a port has to change `.env.runtime`."""

    @pytest.mark.parametrize("damage", [put_a_folder_in_place_of, fill_the_disk])
    def test_are_known_before_anything_is_stopped(
        self, shop: Shop, free_ports: FreePorts, damage: Callable[[Shop, str], None]
    ) -> None:
        ports = free_ports(3)
        shop.service("web", port=ports[0])
        shop.service("api", port=ports[1], depends_on=["web"])
        shop.up()
        before = pids(shop)
        assert shop("ports", "set", "web", str(ports[2])).returncode == 0
        damage(shop, ".env.runtime")

        refused = shop("restart")

        assert refused.returncode == 2
        assert ".env.runtime" in refused.stderr
        assert pids(shop) == before
        assert {each["phase"] for each in shop.status().values()} == {"ready"}

    def test_stop_no_restart_that_does_not_change_them(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        fill_the_disk(shop, ".env.runtime")

        assert shop("restart").returncode == 0

    def test_keep_what_left_the_configuration_running(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("web", port=ports[0])
        shop.service("gone", port=ports[1])
        shop.up()
        before = pids(shop)
        shop.remove("gone")
        put_a_folder_in_place_of(shop, ".env.runtime")

        assert shop("start").returncode == 2
        assert pids(shop) == before


class TestAPortThatCannotBeNoted:
    def test_is_not_chosen_by_half(self, shop: Shop, free_ports: FreePorts, machine: Machine) -> None:
        ports = free_ports(2)
        shop.service("web", port=ports[0])
        shop.up()
        (machine.state / "devinit" / "chosen-ports").write_text("no folder")
        before = (shop.root / ".ports.json").read_text()

        refused = shop("ports", "set", "web", str(ports[1]))

        assert refused.returncode == 2
        assert (shop.root / ".ports.json").read_text() == before


class TestADiscoveryFileThatWasDeleted:
    def test_is_written_again_by_a_start_that_finds_all_running(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.write(more='[project]\ndiscovery_refresh = 0\n[discovery]\nweb = ".web.json"\n')
        shop.up()
        before = shop.status()["web"]["pid"]
        (shop.root / ".web.json").unlink()

        shop.up()

        assert json.loads((shop.root / ".web.json").read_text())["port"] == port
        assert shop.status()["web"]["pid"] == before


class TestPackagesThatAreGone:
    def test_are_missed_before_anything_is_stopped(self, shop: Shop) -> None:
        (shop.root / "package.json").write_text(
            '{"dependencies": {"near": "1"}, "scripts": {"dev": "sleep 60"}}'
        )
        (shop.root / "node_modules").mkdir()
        shop.service("web", command="npm run dev", ready={"after": 0})
        shop.up()
        before = pids(shop)
        (shop.root / "node_modules").rmdir()

        refused = shop("restart", "web")

        assert refused.returncode != 0
        assert "has no node_modules" in refused.stderr
        assert "run `npm install`" in refused.stderr
        assert pids(shop) == before

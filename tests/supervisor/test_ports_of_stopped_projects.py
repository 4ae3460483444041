"""Specifies what becomes of a stopped project's ports, through the real command line and real processes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.ports.leases import LAPSE_SECONDS
from devinit.system.paths import state_directory

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.supervisor.conftest import Command, FreePorts, MakeShop, Shop, Stranger

    Rested = Callable[[], Shop]


def said(command: Command) -> list[str]:
    """Return the notes of a start."""
    return [event["message"] for event in command.seen if event["type"] == "note"]


def reasons(command: Command) -> list[str]:
    """Return why ports moved during a start."""
    return [event["reason"] for event in command.seen if event["type"] == "port" and event["moved_from"]]


def port_of(shop: Shop, name: str = "web") -> int:
    port: int = shop.status()[name]["port"]
    return port


def lease(port: int) -> Path:
    return state_directory() / "leases" / f"{port}.lock"


@pytest.fixture
def moved(make_shop: MakeShop, port: int, stranger: Stranger) -> Shop:
    """A stopped project that had moved from a taken port to the next one, and had been ready there."""
    shop = make_shop("blog")
    shop.service("web", port=port)
    stranger(port)
    shop.up()
    shop("stop")
    assert shop.ports() == {"web": port + 1}
    return shop


class TestAUserWhoTriedTheDemo:
    @pytest.fixture
    def demo(self, make_shop: MakeShop, free_ports: FreePorts) -> Shop:
        shop = make_shop("guestbook")
        for name, port in zip(("backend", "frontend", "worker"), free_ports(9)[::3], strict=True):
            shop.service(name, port=port)
        shop.up()
        shop("stop")
        return shop

    @pytest.fixture
    def own(self, demo: Shop, make_shop: MakeShop) -> Shop:
        shop = make_shop("mine")
        for name, port in demo.ports().items():
            shop.service(name, port=port)
        return shop

    def test_gets_the_same_ports_for_a_project_of_their_own(self, demo: Shop, own: Shop) -> None:
        command = own.up()

        assert own.ports() == demo.ports()
        assert reasons(command) == []

    def test_reads_once_that_the_demo_uses_them_too(self, demo: Shop, own: Shop) -> None:
        one, two, three = sorted(demo.ports().values())

        first, again = own.up(), (own("stop"), own.up())[1]

        assert said(first) == [f"{one}, {two} and {three} are also used by guestbook, which is stopped"]
        assert said(again) == []

    def test_reads_at_the_next_start_of_the_demo_who_has_its_ports(self, demo: Shop, own: Shop) -> None:
        ports = demo.ports()
        own.up()

        command = demo.up()

        assert demo.ports() == {name: port + 1 for name, port in ports.items()}
        assert reasons(command) == [
            f"{port} is leased by {name} of mine ({own.root}), which took it over while this project did not use it"
            for name, port in ports.items()
        ]

    def test_gets_the_ports_back_for_the_demo_when_the_own_project_is_stopped(
        self, demo: Shop, own: Shop
    ) -> None:
        ports = demo.ports()
        own.up()
        own("stop")

        command = demo.up()

        assert demo.ports() == ports
        assert [note.endswith("are also used by mine, which is stopped") for note in said(command)] == [True]


class TestClonesThatRunOneAfterTheOther:
    def test_all_get_the_preferred_port(self, make_shop: MakeShop, port: int) -> None:
        found = []
        for number in range(4):
            clone = make_shop(f"clone-{number}")
            clone.service("web", port=port)
            clone.up()
            found.append(port_of(clone))
            clone("stop")

        assert found == [port] * 4


class TestAPortThatAProjectMovedTo:
    def test_is_passed_over_by_another_project_that_searches_upwards(
        self, moved: Shop, shop: Shop, port: int
    ) -> None:
        shop.service("web", port=port)

        shop.up()

        assert port_of(shop) == port + 2

    def test_is_kept_from_a_project_that_merely_prefers_it(self, moved: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port + 1)

        command = shop.up()

        assert port_of(shop) == port + 2
        assert reasons(command) == [
            f"{port + 1} is reserved for web of blog ({moved.root}), which is stopped"
        ]

    def test_is_its_own_at_the_next_start(self, moved: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()

        moved.up()

        assert port_of(moved) == port + 1

    def test_is_free_after_fourteen_days(self, moved: Shop, shop: Shop, port: int) -> None:
        stopped = time.time() - LAPSE_SECONDS - 60
        os.utime(lease(port + 1), (stopped, stopped))
        shop.service("web", port=port)

        shop.up()

        assert LAPSE_SECONDS == 14 * 24 * 60 * 60
        assert port_of(shop) == port + 1

    def test_is_not_reserved_when_the_service_never_came_up_on_it(
        self, make_shop: MakeShop, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        stranger(port)
        broken = make_shop("broken")
        broken.service("web", "exit=1", port=port)
        assert broken("start").returncode == 1
        broken("stop")
        shop.service("web", port=port)

        command = shop.up()

        assert port_of(shop) == port + 1
        assert said(command) == []

    def test_stays_reserved_when_supervisor_and_service_are_killed(
        self, make_shop: MakeShop, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        stranger(port)
        killed = make_shop("killed")
        killed.service("web", port=port)
        killed.up()
        pids = killed.pids("web")
        killed.kill_supervisor()
        for pid in pids:
            killed.end_process(pid)
        shop.service("web", port=port)

        shop.up()

        assert port_of(shop) == port + 2


class TestAReservedPortMakesWay:
    """Each time to a service that has a better reason; both projects are told."""

    def test_for_a_strict_port(self, moved: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port + 1, strict_port=True)

        command = shop.up()

        assert port_of(shop) == port + 1
        assert said(command) == [
            f"{port + 1} was reserved for web of blog, which is stopped and may have to move at its next start"
        ]

    @pytest.mark.parametrize(
        ("words", "environment"),
        [
            (["--force"], {}),
            ([], {"FORCE_MODE": "true"}),
            ([], {"SKIP_PORT_DISCOVERY": "true"}),
            (["--on-conflict", "fail"], {}),
        ],
    )
    def test_for_a_start_that_ends_holders_or_must_not_move(
        self, moved: Shop, shop: Shop, port: int, words: list[str], environment: dict[str, str]
    ) -> None:
        shop.service("web", port=port + 1)

        shop.up(*words, **environment)

        assert port_of(shop) == port + 1

    def test_for_a_port_that_the_environment_names(self, moved: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port + 4)

        shop.up(WEB_PORT=str(port + 1))

        assert port_of(shop) == port + 1

    def test_for_a_port_that_was_chosen_by_hand(self, moved: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop("ports", "set", "web", str(port + 1))

        shop.up()

        assert port_of(shop) == port + 1

    def test_for_a_service_that_listens_on_a_constant_port_of_its_own(
        self, moved: Shop, shop: Shop, port: int
    ) -> None:
        shop.service("api", f"elsewhere={port + 1}", "note=notes", port=port + 4)

        command = shop.up()

        assert port_of(shop, "api") == port + 1
        assert len(shop.notes()) == 1  # it was started once, and not ended for it
        assert f"{port + 1} was reserved for web of blog" in " ".join(said(command))

    def test_and_its_project_reports_it_at_the_next_start(self, moved: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port + 1, strict_port=True)
        shop.up()

        command = moved.up()

        assert port_of(moved) == port + 2
        assert f"{port + 1} is leased by web of shop" in reasons(command)[0]
        assert "which took it over while this project did not use it" in reasons(command)[0]

    def test_and_is_reserved_as_before_when_the_other_service_does_not_come_up(
        self, moved: Shop, make_shop: MakeShop, shop: Shop, port: int
    ) -> None:
        broken = make_shop("broken")
        broken.service("web", "exit=1", port=port + 1, strict_port=True)
        broken("start")
        broken("stop")
        shop.service("web", port=port)

        shop.up()

        assert port_of(shop) == port + 2


class TestAPortThatWasChosenByHand:
    def test_is_reserved_once_the_service_was_ready_on_it(
        self, make_shop: MakeShop, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        chosen = make_shop("chosen")
        chosen.service("web", port=port)
        chosen("ports", "set", "web", str(port + 1))
        chosen.up()
        chosen("stop")
        stranger(port)
        shop.service("web", port=port)

        shop.up()

        assert port_of(shop) == port + 2

    def test_is_given_up_with_ports_reset(
        self, make_shop: MakeShop, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        chosen = make_shop("chosen")
        chosen.service("web", port=port)
        chosen("ports", "set", "web", str(port + 1))
        chosen.up()
        chosen("stop")
        chosen("ports", "reset")
        stranger(port)
        shop.service("web", port=port)

        shop.up()

        assert port_of(shop) == port + 1

    def test_is_not_reserved_when_only_the_environment_named_it(
        self, make_shop: MakeShop, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        once = make_shop("once")
        once.service("web", port=port)
        once.up(WEB_PORT=str(port + 1))
        once("stop")
        stranger(port)
        shop.service("web", port=port)

        shop.up()

        assert port_of(shop) == port + 1


class TestAProjectThatKeepsItsPorts:
    def test_has_its_preferred_ones_reserved(self, make_shop: MakeShop, shop: Shop, port: int) -> None:
        server = make_shop("server")
        server.service("web", port=port)
        server.write(more="[project]\nkeep_ports = true\n")
        server.up()
        server("stop")
        shop.service("web", port=port)

        command = shop.up()

        assert port_of(shop) == port + 1
        assert reasons(command) == [f"{port} is reserved for web of server ({server.root}), which is stopped"]


class TestALeaseFileOfAnEarlierVersion:
    def test_reserves_nothing_and_is_named(self, make_shop: MakeShop, shop: Shop, port: int) -> None:
        old = make_shop("old")
        lease(port).parent.mkdir(parents=True, exist_ok=True)
        lease(port).write_text(
            json.dumps(
                {
                    "root": str(old.root), "project": "old", "service": "web", "pid": 1, "at": time.time(),
                    "reserved": True, "taken_from": "",
                }
            )
        )  # fmt: skip
        shop.service("web", port=port)

        command = shop.up()

        assert port_of(shop) == port
        assert said(command) == [f"{port} is also used by old, which is stopped"]

"""Specifies what becomes of the ports of a service that has failed for good while its supervisor lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.supervisor.test_ports_of_stopped_projects import port_of, reasons, said

if TYPE_CHECKING:
    from tests.supervisor.conftest import MakeShop, Shop, Stranger


@pytest.fixture
def broken(make_shop: MakeShop, port: int) -> Shop:
    """A project whose server never comes up, beside a worker for which its supervisor stays."""
    shop = make_shop("broken")
    shop.service("worker")
    shop.service("web", "exit=1", port=port)
    assert shop("start").returncode == 1
    return shop


def crashed(shop: Shop, port: int) -> Shop:
    """Let a server that was ready crash, and be given up."""
    sick = shop.root / "sick"
    shop.service("worker")
    shop.service("web", f"fails-while={sick}", port=port, restart={"failures": 2, "window": 60})
    shop.up()
    sick.touch()
    with shop.subscribe() as events:
        for pid in shop.pids("web"):
            shop.end_process(pid)
        events.until(service="web", phase="failed")
    sick.unlink()
    return shop


class TestAServiceThatNeverCameUp:
    def test_leaves_its_preferred_port_to_the_next_project(self, broken: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port)

        command = shop.up()

        assert port_of(shop) == port
        assert said(command) == [f"{port} is also used by broken, whose web does not run now"]

    def test_moves_when_it_is_started_again_and_says_so(self, broken: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        broken.service("web", port=port)

        command = broken.up()

        assert port_of(broken) == port + 1
        assert reasons(command) == [
            f"{port} is leased by web of shop ({shop.root}), which took it over while this project did not use it"
        ]

    def test_has_its_port_again_when_no_other_project_took_it(self, broken: Shop, port: int) -> None:
        broken.service("web", port=port)

        command = broken.up()

        assert port_of(broken) == port
        assert reasons(command) == []

    def test_says_nothing_of_its_port_once_it_is_stopped(self, broken: Shop, shop: Shop, port: int) -> None:
        broken("stop")
        shop.service("web", port=port)

        assert said(shop.up()) == []

    def test_leaves_a_port_that_was_another_projects_to_that(
        self, make_shop: MakeShop, shop: Shop, port: int
    ) -> None:
        before = make_shop("before")
        before.service("web", port=port)
        before.up()
        before("stop")
        broken = make_shop("broken")
        broken.service("worker")
        broken.service("web", "exit=1", port=port)
        broken("start")
        shop.service("web", port=port)

        assert said(shop.up()) == [f"{port} is also used by before, which is stopped"]


class TestAServiceThatCrashedTooOften:
    def test_leaves_its_preferred_port_to_the_next_project(
        self, make_shop: MakeShop, shop: Shop, port: int
    ) -> None:
        crashed(make_shop("crashed"), port)
        shop.service("web", port=port)

        command = shop.up()

        assert port_of(shop) == port
        assert said(command) == [f"{port} is also used by crashed, whose web does not run now"]

    def test_moves_when_it_is_restarted_and_says_so(self, make_shop: MakeShop, shop: Shop, port: int) -> None:
        crash = crashed(make_shop("crashed"), port)
        shop.service("web", port=port)
        shop.up()

        command = crash.begin("restart", "web")

        assert command.finish() == 0
        assert port_of(crash) == port + 1
        assert [reason.split(",")[0] for reason in reasons(command)] == [
            f"{port} is leased by web of shop ({shop.root})"
        ]


class TestAServiceThatWaitsInVain:
    @pytest.fixture
    def waiting(self, make_shop: MakeShop, port: int) -> Shop:
        shop = make_shop("waiting")
        shop.service("worker", "exit=1", ready={"log": "up"})
        shop.service("web", port=port, depends_on=["worker"])
        assert shop("start").returncode == 1
        return shop

    def test_leaves_its_preferred_port_to_the_next_project(
        self, waiting: Shop, shop: Shop, port: int
    ) -> None:
        shop.service("web", port=port)

        shop.up()

        assert port_of(shop) == port

    def test_moves_when_what_it_waits_for_is_there(self, waiting: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        waiting.service("worker", "say=up", ready={"log": "up"})

        command = waiting.up()

        assert port_of(waiting) == port + 1
        assert waiting.status()["web"]["phase"] == "ready"
        assert [event["port"] for event in command.seen if event["type"] == "port"] == [port + 1]


class TestAPortToWhichAFailedServiceHadMoved:
    @pytest.fixture
    def moved(self, make_shop: MakeShop, port: int, stranger: Stranger) -> Shop:
        stranger(port)
        shop = crashed(make_shop("moved"), port)
        assert port_of(shop) == port + 1
        return shop

    def test_is_kept_from_a_project_that_prefers_it(self, moved: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port + 1)

        command = shop.up()

        assert port_of(shop) == port + 2
        assert reasons(command) == [
            f"{port + 1} is reserved for web of moved ({moved.root}), which does not run now"
        ]

    def test_makes_way_for_a_strict_port(self, moved: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port + 1, strict_port=True)

        command = shop.up()

        assert port_of(shop) == port + 1
        [note] = said(command)
        assert note.startswith(
            f"{port + 1} was reserved for web of moved, which does not run now and may have to"
        )

    def test_makes_way_for_force(self, moved: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port + 1)

        shop.up("--force")

        assert port_of(shop) == port + 1

    def test_makes_way_for_a_port_named_by_the_environment(self, moved: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port + 2)

        shop.up(WEB_PORT=str(port + 1))

        assert port_of(shop) == port + 1

    def test_makes_way_for_a_port_chosen_by_hand(self, moved: Shop, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        assert shop("ports", "set", "web", str(port + 1)).returncode == 0

        shop.up()

        assert port_of(shop) == port + 1


class TestAPortOnWhichAServiceDoesNotListenYet:
    def test_is_refused_to_a_strict_port_with_the_truth(
        self, make_shop: MakeShop, shop: Shop, port: int
    ) -> None:
        slow = make_shop("slow")
        slow.service("web", "never", port=port)
        slow.begin("start").until(service="web", phase="starting")
        shop.service("web", port=port, strict_port=True)

        answer = shop("start", "--force")

        assert answer.returncode == 3
        assert "runs on it" not in answer.stderr
        assert "web of slow has it without listening" in answer.stderr

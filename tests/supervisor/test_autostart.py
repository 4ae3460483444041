"""Specifies services with `autostart = false`: started by their name, or for a service that needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop


def phases(shop: Shop) -> dict[str, str]:
    return {name: each["phase"] for name, each in shop.status().items()}


def describe(shop: Shop) -> None:
    shop.service("web", "never", ready={"after": 0})
    shop.service("mail", "never", ready={"after": 0}, autostart=False)


class TestAServiceThatDoesNotStartByItself:
    def test_is_left_out_of_a_start_of_everything(self, shop: Shop) -> None:
        describe(shop)

        assert "1 of 1 service ready" in shop("start", "all").stdout
        assert phases(shop) == {"web": "ready", "mail": "stopped"}
        assert "Not running  starts by its name" in shop("status").stdout

    def test_is_started_by_its_name_and_stopped_with_everything(self, shop: Shop) -> None:
        describe(shop)
        shop.up("mail")

        assert phases(shop) == {"web": "stopped", "mail": "ready"}
        assert shop("stop").returncode == 0
        shop.expect_nothing_left()

    def test_is_started_for_a_service_that_needs_it(self, shop: Shop) -> None:
        describe(shop)
        shop.service("worker", "never", ready={"after": 0}, depends_on=["mail"])
        shop.up("worker")

        assert phases(shop) == {"web": "stopped", "mail": "ready", "worker": "ready"}

    def test_that_runs_is_restarted_with_everything(self, shop: Shop) -> None:
        describe(shop)
        shop.up("mail", "web")
        before = shop.pids("mail")

        assert shop("restart").returncode == 0
        assert phases(shop) == {"web": "ready", "mail": "ready"}
        assert shop.pids("mail") != before

    def test_is_named_where_nothing_else_could_be_started(self, shop: Shop) -> None:
        shop.service("mail", "never", autostart=False)

        start = shop("start")

        assert start.returncode == 2
        assert "every service has `autostart = false`" in start.stderr
        assert "name one of them: mail" in start.stderr

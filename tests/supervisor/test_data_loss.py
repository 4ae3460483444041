"""Specifies what is said of a database whose data is deleted while it runs: it answers, and is of no use."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kinds.conftest import any_postgres
from tests.places import state_of

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop

__all__ = ["any_postgres"]


@pytest.fixture(params=["postgres", "redis"])
def server(request: pytest.FixtureRequest, shop: Shop, port: int, any_postgres: Path) -> str:
    """A server of data that runs."""
    name: str = request.param
    binaries = {"binaries": str(any_postgres)} if name == "postgres" else {}
    shop.server(name, provider=name, port=port, stop={"grace": 1}, password="random", **binaries)
    shop.up()
    return name


def data_of(shop: Shop, server: str) -> Path:
    [folder] = (each for each in (state_of(shop.root) / "data" / server).iterdir() if each.is_dir())
    return folder


class TestAServerWhoseDataIsDeleted:
    def test_is_not_ready_as_before_and_has_empty_data_after_a_restart(self, shop: Shop, server: str) -> None:
        data = data_of(shop, server)
        shutil.rmtree(data.parent)

        started = shop("start", "--detach")
        examined = shop("doctor")
        checked = shop("check")

        assert started.returncode == 1, started
        assert f"its data in {data} was deleted while it ran" in started.stderr + started.stdout
        assert f"`devinit restart {server}` begins with empty data" in started.stderr + started.stdout
        assert shop.status()[server]["phase"] == "unhealthy"
        assert examined.returncode == 1
        assert examined.stdout.count("was deleted while it ran") == 1
        assert checked.returncode == 1
        assert "was deleted while it ran" in checked.stdout
        assert shop("restart").returncode == 0
        assert shop.status()[server]["phase"] == "ready"

    def test_is_not_taken_for_one_that_is_configured_otherwise(self, shop: Shop, server: str) -> None:
        """The random password is lost with the data, and the next one belongs to the next data."""
        shutil.rmtree(data_of(shop, server).parent)

        started = shop("start", "--detach")

        assert "was deleted while it ran" in started.stderr + started.stdout
        assert "runs as it was configured before" not in started.stderr
        assert shop.status()[server]["changed"] == []

    def test_is_unhealthy_before_anybody_asks(self, shop: Shop, server: str) -> None:
        with shop.subscribe() as events:
            shutil.rmtree(data_of(shop, server))

            event = events.until(type="phase", service=server, phase="unhealthy")

        assert "was deleted while it ran" in event["reason"]

    def test_is_not_started_again_by_itself_on_empty_data(self, shop: Shop, server: str) -> None:
        data = data_of(shop, server)
        with shop.subscribe() as events:
            shutil.rmtree(data)
            events.until(type="phase", service=server, phase="unhealthy")

            shop.end_process(shop.status()[server]["pid"])

            event = events.until(type="phase", service=server, phase="failed")
        assert f"`devinit restart {server}` begins with empty data" in event["reason"]
        assert not data.exists()


class TestAServerThatLosesAPartOfItsData:
    def test_is_unhealthy_until_it_is_there_again(self, shop: Shop, server: str) -> None:
        part = data_of(shop, server) / {"postgres": "base", "redis": "appendonlydir"}[server]
        part.rename(part.with_name("away"))

        lost = shop.status()[server]

        assert lost["phase"] == "unhealthy"
        assert f"{part.name}" in lost["reason"]
        part.with_name("away").rename(part)
        assert shop.status()[server]["phase"] == "ready"

    def test_names_the_place_to_which_all_of_it_was_moved(self, shop: Shop, server: str) -> None:
        data = data_of(shop, server)
        data.rename(data.with_name("elsewhere"))

        reason = shop.status()[server]["reason"]

        assert reason.startswith(
            f"its data was moved to {data.with_name('elsewhere')} while it ran\nmove it back"
        )
        data.with_name("elsewhere").rename(data)
        assert shop.status()[server]["phase"] == "ready"


class TestARedisWhoseDataIsDeleted:
    @pytest.mark.parametrize("is_adopted", [False, True])
    def test_is_stopped_without_waiting_for_what_it_cannot_save(
        self, shop: Shop, port: int, is_adopted: bool
    ) -> None:
        shop.server("redis", provider="redis", port=port, stop={"grace": 60})
        shop.up()
        shutil.rmtree(data_of(shop, "redis"))
        if is_adopted:
            shop.kill_supervisor()

        began = time.monotonic()
        stopped = shop("stop")

        assert stopped.returncode == 0, stopped.stderr
        assert "its data was deleted, so it has nothing to save" in stopped.stderr
        assert time.monotonic() - began < 30, "its grace"

    def test_that_was_moved_saves_all_of_it(self, shop: Shop, port: int) -> None:
        shop.server("redis", provider="redis", port=port, stop={"grace": 60})
        shop.up()
        data = data_of(shop, "redis")
        data.rename(data.with_name("elsewhere"))

        stopped = shop("stop")

        assert "nothing to save" not in stopped.stderr
        assert (data.with_name("elsewhere") / "dump.rdb").is_file()

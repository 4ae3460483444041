"""Named pipes in the place of `.env` files: read once for each start, and named when no program feeds them."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import Shop


def feed(path: Path, text: str) -> threading.Thread:
    """Write into a pipe for one reader, as `op inject > .env` does."""
    thread = threading.Thread(target=lambda: path.write_text(text), daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("name", [".env", "secrets"])
class TestAPipe:
    def pipe(self, shop: Shop, name: str) -> Path:
        os.mkfifo(shop.root / name)
        keys = {} if name == ".env" else {"env_file": name}
        shop.service(
            "web",
            "note=notes",
            "say=noted",
            ready={"log": "noted"},
            before_start=["test $SHADE = red"],
            **keys,
        )
        return shop.root / name

    def test_that_is_written_to_once_gives_all_that_is_run_until_the_next_start(
        self, shop: Shop, name: str
    ) -> None:
        feeding = feed(self.pipe(shop, name), "SHADE=red\n")

        shop.up()
        feeding.join()
        assert shop.status()["web"]["phase"] == "ready"
        with shop.subscribe() as events:
            os.kill(shop.pids("web")[0], 9)
            events.until(service="web", phase="ready")

        assert [note["SHADE"] for note in shop.notes()] == ["red", "red"]

    def test_is_read_again_by_a_restart_before_anything_is_stopped(self, shop: Shop, name: str) -> None:
        path = self.pipe(shop, name)
        feed(path, "SHADE=red\nTONE=1\n")
        shop.up()
        feed(path, "SHADE=red\nTONE=2\n")

        restarted = shop("restart")

        assert restarted.returncode == 0, restarted.stderr
        assert [note["TONE"] for note in shop.notes()] == ["1", "2"]


class TestAPipeThatNoProcessFeeds:
    def test_of_a_service_that_is_not_started_is_left_alone(self, shop: Shop) -> None:
        os.mkfifo(shop.root / "secrets")
        shop.service("web", "note=notes", "say=noted", ready={"log": "noted"})
        shop.service("tool", ready={"log": "noted"}, env_file="secrets", autostart=False)

        shop.up()

        assert shop.status()["web"]["phase"] == "ready"

    def test_is_an_error_that_names_it(self, shop: Shop) -> None:
        os.mkfifo(shop.root / ".env")
        shop.service("web", "note=notes", "say=noted", ready={"log": "noted"})

        started = shop("start")

        assert started.returncode == 2
        assert f"{shop.root}/.env is a named pipe that nothing writes to" in started.stderr
        assert "start the program that feeds it" in started.stderr
        assert shop.notes() == []


class TestAServiceThatRuns:
    def test_is_not_outdated_for_a_pipe_and_takes_nothing_from_it_when_asked_about(self, shop: Shop) -> None:
        os.mkfifo(shop.root / ".env")
        shop.service("web", "note=notes", "say=noted", ready={"log": "noted"})
        feed(shop.root / ".env", "SHADE=red\n")
        shop.up()
        feeding = feed(shop.root / ".env", "SHADE=blue\n")

        for question in (["status"], ["why", "web"], ["doctor"], ["logs"], ["ports"]):
            shop(*question)

        assert shop.status()["web"]["changed"] == []
        assert feeding.is_alive()
        assert shop("restart").returncode == 0
        assert [note["SHADE"] for note in shop.notes()] == ["red", "blue"]

"""Specifies that a service that prints as fast as it can neither blocks the keys nor fills the memory."""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from devinit.config.pinning import Pins
from devinit.dashboard.app import Dashboard
from devinit.dashboard.lines.feed import Feed, Piece
from devinit.dashboard.lines.store import KEPT, SLACK, Store
from tests.dashboard.conftest import FakeLink, status
from tests.places import state_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)
FLOOD = """
import sys, time
line = b"a line of a flood, about as long as the lines of logs are, and then some more of it, to the end\\n"
with open(sys.argv[1], "ab", buffering=0) as log:
    begin = time.monotonic()
    written = 0
    while True:
        log.write(line * 1000)
        written += 1000
        time.sleep(max(0, begin + written / 100_000 - time.monotonic()))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (state_of(tmp_path) / "logs").mkdir(parents=True)
    (state_of(tmp_path) / "logs" / "web.log").write_text("begin\n")
    return tmp_path


def shows_times(app: Dashboard, wanted: bool) -> bool:
    return app.main.log_pane.timestamps is wanted


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  what a widget shows sets no event
            await asyncio.sleep(0.005)


# The thread that reads may hand lines over just when the program ends; Textual has made its coroutine by then.
@pytest.mark.filterwarnings("ignore:coroutine .App.call_from_thread.*was never awaited:RuntimeWarning")
class TestAHundredThousandLinesASecond:
    async def test_leave_the_keys_alone_and_the_memory_bounded(self, project: Path) -> None:
        link = FakeLink()
        link.services = [status("web")]
        app = Dashboard(link, project, Pins(project, None))
        log = state_of(project) / "logs/web.log"
        flood = await asyncio.create_subprocess_exec(sys.executable, "-c", FLOOD, str(log))
        try:
            async with app.run_test(size=(120, 40)) as pilot:
                await until(lambda: app.store._last > 3 * KEPT)
                worked = []
                for number in range(20):
                    begin = time.thread_time()
                    app.simulate_key("t")
                    await until(partial(shows_times, app, number % 2 == 0))
                    worked.append(time.thread_time() - begin)
                    await pilot.pause(0.02)

                kept = app.store.lines["web"]
                assert len(kept) <= KEPT + SLACK
                assert len(app.main.log_pane.view.rows) <= KEPT + SLACK
                assert (
                    any("came faster than they can be shown" in line.raw for line in kept)
                    or len(kept) >= KEPT
                )
                # CPU time of the dashboard's thread until the key is done; other processes take no part in it.
                assert sorted(worked)[len(worked) // 2] < 0.1, worked
        finally:
            flood.kill()
            await flood.wait()

    async def test_that_never_pause_keep_no_new_service_from_being_heard(self, project: Path) -> None:
        heard: set[str] = set()
        logs = state_of(project) / "logs"

        def take(pieces: list[Piece]) -> None:
            heard.update(piece.service for piece in pieces)
            with (logs / "web.log").open("a") as log:
                log.write("there is always more\n")

        feed = Feed(project, take)
        try:
            feed.follow(("web",))
            feed.begin()
            await until(lambda: "web" in heard)
            (logs / "late.log").write_text("hello\n")

            feed.follow(("web", "late"))

            await until(lambda: "late" in heard)
        finally:
            feed.end()

    def test_are_counted_where_they_are_not_shown(self, project: Path) -> None:
        pieces: list[Piece] = []
        feed = Feed(project, pieces.extend)
        feed._arrange(("web",))
        with (state_of(project) / "logs/web.log").open("a") as log:
            log.writelines(f"line {number:06}\n" for number in range(200_000))
        feed._hand_over(())

        shown = sum(len(piece.lines) for piece in pieces)
        assert shown + sum(piece.skipped for piece in pieces) == 200_001
        assert shown < 20_000
        assert pieces[-1].lines[-1].text == "line 199999"

    def test_of_a_megabyte_each_are_cut(self, project: Path) -> None:
        store = Store()
        feed = Feed(project, store.add)  # type: ignore[arg-type]  # what it returns is of no interest
        feed._arrange(("web",))
        with (state_of(project) / "logs/web.log").open("a") as log:
            log.write("x" * 1_000_000 + "\n")
        feed._hand_over(())

        assert len(store.of("web")[-1].raw) < 20_000


class TestSecrets:
    def test_are_not_shown(self, project: Path) -> None:
        (project / ".env.runtime").write_text("POSTGRES_PASSWORD=opensesame\n")
        pieces: list[Piece] = []
        feed = Feed(project, pieces.extend)
        feed._arrange(("web",))
        with (state_of(project) / "logs/web.log").open("a") as log:
            log.write("connecting with opensesame\n")
        feed._hand_over(())

        assert pieces[-1].lines[-1].text == "connecting with ***"

    def test_are_not_shown_in_a_line_that_is_not_finished(self, project: Path) -> None:
        pieces: list[Piece] = []
        feed = Feed(project, pieces.extend)
        feed._arrange(("web",))
        with (state_of(project) / "logs/web.log").open("a") as log:
            log.write("waiting for postgresql://shop:opensesame@db/shop ")
        feed._hand_over(())

        assert pieces[-1].unfinished is not None
        assert pieces[-1].unfinished.text == "waiting for postgresql://shop:***@db/shop "

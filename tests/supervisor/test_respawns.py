"""Specifies `devinit.supervisor.diagnosis.respawns`: what starts a program after each end, and does so without end."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.diagnosis.respawns import (
    RUNS,
    SILENT,
    SILENT_RUNS,
    SOUND_SECONDS,
    Respawns,
    is_respawning,
)
from devinit.system.procfs import LINUX

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop

ERROR = "KeyError: 'KEY'"
CRASH = ["Traceback (most recent call last):", '  File "app.py", line 3', ERROR]
RELOADER = 7

WATCHMEDO = """
import os, subprocess, sys, time
while True:
    subprocess.run([sys.executable, "-S", "-E", sys.argv[-1]])
    time.sleep(0.2)
"""
"""Starts a program after each end, and prints nothing about it: `watchmedo auto-restart -- python FILE`."""


class Reloader:
    """What is seen of one whose program runs again and again."""

    def __init__(self) -> None:
        self.respawns, self.now, self.pid, self.lines = Respawns(), 100.0, 50, list[str]()
        self.began, self.size = 0.0, 0

    def run(self, *printed: str, seconds: float = 1.0) -> str | None:
        """Run once, for so long; return what is found in the end."""
        self.pid, self.began = self.pid + 1, self.now
        self.look()
        self.lines += printed
        self.size += len(printed)
        self.now += seconds
        return self.look()

    def look(self) -> str | None:
        below = {self.pid: self.began}
        return self.respawns.look(RELOADER, below, self.size, lambda: self.lines, self.now)


@pytest.fixture
def reloader() -> Reloader:
    reloader = Reloader()
    reloader.run("ready", seconds=60)
    return reloader


class TestAProgramThatIsStartedAgainAfterEachEnd:
    def test_is_told_with_the_cause_when_its_runs_end_fast(self, reloader: Reloader) -> None:
        assert [reloader.run(*CRASH) for _ in range(RUNS)] == [None] * (RUNS - 1) + [ERROR]

    def test_may_say_why_in_words_of_its_own(self, reloader: Reloader) -> None:
        for _ in range(RUNS):
            found = reloader.run("starting up", "BROKER_URL is missing")

        assert found == "BROKER_URL is missing"

    def test_is_told_with_the_cause_of_now(self, reloader: Reloader) -> None:
        for _ in range(RUNS):
            reloader.run(*CRASH)

        assert reloader.run("no KEY") == "no KEY"

    def test_is_told_while_its_next_run_loads(self, reloader: Reloader) -> None:
        for _ in range(RUNS):
            reloader.run(*CRASH)

        assert reloader.run("hello", seconds=0.5) == ERROR

    def test_that_ends_without_a_word_is_not_told_with_the_cause_of_before(self, reloader: Reloader) -> None:
        for _ in range(RUNS):
            reloader.run(*CRASH)
        for _ in range(SILENT_RUNS + 1):
            reloader.run()

        assert reloader.look() == SILENT

    @pytest.mark.parametrize("printed", [(), ("ready",)])
    def test_is_sound_when_a_run_lasts(self, reloader: Reloader, printed: tuple[str, ...]) -> None:
        for _ in range(RUNS):
            reloader.run(*CRASH)

        assert reloader.run(*printed, seconds=SOUND_SECONDS) is None

    def test_is_sound_when_it_says_nothing_of_an_error(self, reloader: Reloader) -> None:
        assert [reloader.run("ready") for _ in range(2 * RUNS)] == [None] * (2 * RUNS)

    def test_is_not_told_when_its_runs_take_their_time(self, reloader: Reloader) -> None:
        assert [reloader.run(*CRASH, seconds=5) for _ in range(2 * RUNS)] == [None] * (2 * RUNS)

    def test_has_failed_since_a_moment_when_a_run_that_began_later_has(self, reloader: Reloader) -> None:
        for _ in range(RUNS):
            reloader.run(*CRASH)
        saved = reloader.now
        assert reloader.respawns.failed_run < saved

        reloader.run(*CRASH)
        assert reloader.respawns.failed_run >= saved


class TestACommand:
    @pytest.mark.parametrize(
        "command",
        [
            "python3 /shop/.venv/bin/watchmedo auto-restart -d . -- celery -A shop worker",
            "sh -c while true; do python worker.py; sleep 1; done",
            "sh -c until python worker.py; do sleep 1; done",
        ],
    )
    def test_starts_its_program_after_each_end(self, command: str) -> None:
        assert is_respawning(command)

    @pytest.mark.parametrize(
        "command", ["uvicorn main:app --reload", "watchmedo shell-command .", "python meanwhile.py"]
    )
    def test_does_not(self, command: str) -> None:
        assert not is_respawning(command)


@pytest.mark.skipif(not LINUX, reason="reads /proc")
class TestAService:
    @pytest.fixture(params=[True, False], ids=["with a port", "without a port"])
    def shop_that_respawns(self, shop: Shop, port: int, request: pytest.FixtureRequest) -> Shop:
        (shop.root / "watchmedo").write_text(WATCHMEDO)
        (shop.root / "app.py").write_text(SERVES)
        keys = {"port": port} if request.param else {}
        shop.service(
            "app",
            command=f"{sys.executable} -S -E {shop.root}/watchmedo auto-restart {shop.root}/app.py",
            **keys,
        )
        shop.up()
        return shop

    def test_is_starting_with_the_cause_for_every_command_until_it_is_mended(
        self, shop_that_respawns: Shop
    ) -> None:
        shop = shop_that_respawns
        with shop.subscribe() as events:
            saved = time.time()
            (shop.root / "app.py").write_text("raise KeyError('BROKER')")
            (shop.root / "end").touch()
            waited = json.loads(
                shop("wait", "app", "--after", str(saved), "--timeout", "40", "--json").stdout
            )
            status = shop.status()["app"]
            checked = json.loads(shop("check", "--json").stdout)
            assert events.stays_silent(3, type="phase", phase="ready")
            saved = time.time()
            (shop.root / "end").unlink()
            (shop.root / "app.py").write_text(SERVES)
            mended = json.loads(
                shop("wait", "app", "--after", str(saved), "--timeout", "40", "--json").stdout
            )

        said = "its reloader starts it again and again: KeyError: 'BROKER'"
        assert waited["services"][0]["outcome"] == "failed"
        assert "KeyError: 'BROKER'" in waited["services"][0]["reason"]
        assert status["phase"] == "starting"
        assert said in status["reason"]
        assert not checked["well"]
        assert mended["services"][0]["outcome"] == "live"


SERVES = """
import os, socket, time
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(os.environ.get("PORT", 0))))
server.listen()
server.settimeout(0.05)
while not os.path.exists("end"):
    try:
        server.accept()[0].close()
    except TimeoutError:
        pass
"""
"""Serves until a file is there."""

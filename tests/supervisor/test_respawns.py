"""Specifies `devinit.supervisor.diagnosis.respawns`: what starts a program after each end, and does so without end."""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.diagnosis.respawns import (
    FAST_SECONDS,
    RUNS,
    SILENT,
    SOUND_SECONDS,
    Respawns,
    Silence,
    Watched,
    end_of,
    innermost_respawning,
    is_respawning,
    silence_of_runs,
    was_told_to_end,
    watched_by,
)
from devinit.system.procfs import LINUX

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop

ERROR = "KeyError: 'KEY'"
CRASH = ["Traceback (most recent call last):", '  File "app.py", line 3', ERROR]
RELOADER = 7

WATCHMEDO = """
import os, subprocess, sys, time
file = sys.argv[-1]
while True:
    saved = os.stat(file).st_mtime_ns
    program = subprocess.Popen([sys.executable, "-S", "-E", file])
    while program.poll() is None and os.stat(file).st_mtime_ns == saved:
        time.sleep(0.05)
    program.terminate()
    program.wait()
    time.sleep(0.2)
"""
"""Starts a program after each end, and when its file is saved; prints nothing about it: `watchmedo auto-restart`."""


CONCURRENTLY = """
import subprocess, sys
while subprocess.run(program := [sys.executable, "-S", "-E", sys.argv[-1]], stderr=2).returncode:
    print("[0] python app.py exited with code 1\\n[0] python app.py restarted", flush=True)
"""
"""Starts a program after each end with an error, and says so."""


class Reloader:
    """What is seen of one whose program runs again and again."""

    def __init__(self) -> None:
        self.respawns, self.now, self.pid, self.lines = Respawns(), 100.0, 50, list[str]()
        self.began = 0.0
        self.failed: bool | None = True

    def run(self, *printed: str, seconds: float = 1.0, failed: bool | None = True) -> str | None:
        """Run once, for so long; return what is found in the end. `failed`: whether its run will have."""
        self.pid, self.began = self.pid + 1, self.now
        self.look()
        self.lines += printed
        self.now += seconds
        self.failed = failed
        return self.look()

    def look(self) -> str | None:
        return self.respawns.look(
            RELOADER,
            {self.pid: self.began},
            size=len(self.lines),
            lines_since=lambda since: self.lines[since:],
            has_failed=lambda _began, _lines: self.failed,
            now=self.now,
        )


@pytest.fixture
def reloader() -> Reloader:
    reloader = Reloader()
    reloader.run("ready", seconds=60)
    return reloader


class TestAProgramThatIsStartedAgainAfterEachEnd:
    def test_is_told_with_the_cause_when_its_runs_end_fast(self, reloader: Reloader) -> None:
        assert [reloader.run(*CRASH) for _ in range(RUNS)] == [None] * (RUNS - 1) + [ERROR]

    def test_is_told_from_its_first_run_on(self) -> None:
        reloader = Reloader()

        assert [reloader.run() for _ in range(RUNS + 1)] == [None] * RUNS + [SILENT]

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

    @pytest.mark.parametrize("printed", [(), ("hello",)])
    def test_that_says_nothing_of_its_end_is_told_without_a_cause(
        self, reloader: Reloader, printed: tuple[str, ...]
    ) -> None:
        found = [reloader.run(*printed) for _ in range(RUNS + 1)]

        assert found == [None] * RUNS + [SILENT]

    def test_that_ends_without_a_word_is_not_told_with_the_cause_of_before(self, reloader: Reloader) -> None:
        for _ in range(RUNS):
            reloader.run(*CRASH)

        assert [reloader.run() for _ in range(3)][1:] == [SILENT] * 2

    def test_is_told_all_the_time_when_its_runs_take_longer(self, reloader: Reloader) -> None:
        """As on a busy machine: each lasts longer than what has loaded on an idle one."""
        for _ in range(RUNS + 1):
            reloader.run(seconds=SOUND_SECONDS + 1)

        reloader.run(seconds=SOUND_SECONDS + 0.5)
        assert reloader.look() == SILENT

    @pytest.mark.parametrize("printed", [(), ("ready",)])
    def test_is_sound_when_a_run_lasts(self, reloader: Reloader, printed: tuple[str, ...]) -> None:
        for _ in range(RUNS):
            reloader.run(*CRASH)

        assert reloader.run(*printed, seconds=FAST_SECONDS) is None
        assert reloader.respawns.stays(reloader.now)

    def test_is_sound_sooner_when_few_runs_failed(self, reloader: Reloader) -> None:
        reloader.run(*CRASH)
        reloader.run("ready", seconds=SOUND_SECONDS - 1)
        assert not reloader.respawns.stays(reloader.now)

        reloader.now += 1
        assert reloader.respawns.stays(reloader.now)

    @pytest.mark.parametrize("printed", [(), ("ready",), CRASH])
    def test_is_none_when_its_reloader_has_ended_its_runs(
        self, reloader: Reloader, printed: tuple[str, ...]
    ) -> None:
        """Files are saved as fast as that, good ones or broken ones."""
        found = [reloader.run(*printed, failed=None) for _ in range(3 * RUNS)]

        assert found == [None] * (3 * RUNS)

    def test_is_none_when_its_runs_may_have_done_their_work(self, reloader: Reloader) -> None:
        assert [reloader.run("done", failed=False) for _ in range(2 * RUNS)] == [None] * (2 * RUNS)

    def test_is_not_told_when_its_runs_take_their_time(self, reloader: Reloader) -> None:
        found = [reloader.run(*CRASH, seconds=FAST_SECONDS + 1) for _ in range(2 * RUNS)]

        assert found == [None] * (2 * RUNS)

    @pytest.mark.parametrize("printed", [(), CRASH])
    def test_has_failed_since_a_moment_when_a_run_that_began_later_has(
        self, reloader: Reloader, printed: tuple[str, ...]
    ) -> None:
        for _ in range(RUNS):
            reloader.run(*printed)
        saved = reloader.now
        assert reloader.respawns.failed_run < saved

        reloader.run(*printed)
        reloader.run(*printed)
        assert reloader.respawns.failed_run >= saved

    def test_is_seen_by_the_ends_of_runs_that_are_too_short_to_be_seen(self) -> None:
        respawns, lines = Respawns(), list[str]()
        look = partial(
            respawns.look,
            RELOADER,
            {},
            lines_since=lambda _since: lines,
            has_failed=lambda _began, _lines: True,
            size=0,
        )

        found = [look(reaped=number, now=100 + number / 4) for number in range(RUNS + 1)]

        assert found == [None] * RUNS + [SILENT]
        assert look(reaped=RUNS, now=101.25) == SILENT

    def test_stays_when_none_of_its_runs_has_ended_by_itself(self, reloader: Reloader) -> None:
        assert reloader.respawns.stays(reloader.now)

        reloader.run(seconds=0.5)
        reloader.run(seconds=0.5)
        assert not reloader.respawns.stays(reloader.now)


class TestARun:
    @pytest.mark.parametrize(
        ("lines", "code", "was_told"),
        [
            (["worker: Warm shutdown (MainProcess)", ""], 0, True),
            (["  | KeyError", "KeyboardInterrupt"], None, True),
            (["Ready"], -2, True),
            ([], 143, True),
            ([], -9, False),
            ([], 1, False),
            (["KeyboardInterrupt", "KeyError: 'KEY'"], 1, False),
        ],
    )
    def test_was_told_to_end_when_its_last_words_or_its_code_say_so(
        self, lines: list[str], code: int | None, *, was_told: bool
    ) -> None:
        assert was_told_to_end(lines, code) is was_told


class TestACommand:
    @pytest.mark.parametrize(
        "command",
        [
            "python3 /shop/.venv/bin/watchmedo auto-restart -d . -- celery -A shop worker",
            "sh -c while true; do python worker.py; sleep 1; done",
            "sh -c until python worker.py; do sleep 1; done",
            "node /shop/node_modules/.bin/concurrently --restart-tries -1 node worker.js",
            "conc --restart-tries=5 --restart-after 200 node worker.js",
        ],
    )
    def test_starts_its_program_after_each_end(self, command: str) -> None:
        assert is_respawning(command)

    @pytest.mark.parametrize(
        ("command", "silence"),
        [
            ("watchmedo auto-restart -d . -- celery -A shop worker", Silence.FAILED),
            ("sh -c until python worker.py; do sleep 1; done", Silence.FAILED),
            ("concurrently --restart-tries -1 node worker.js", Silence.FAILED),
            ("sh -c while ! python worker.py; do sleep 1; done", Silence.FAILED),
            ("sh -c while true; do python worker.py; sleep 1; done", Silence.BY_CODE),
            ("sh -c while :; do python worker.py --once; done", Silence.BY_CODE),
            ("sh -c while true; do python a.py; python b.py; done", Silence.UNKNOWN),
            ("sh -c while true; do grep -q x log && ./tell; sleep 1; done", Silence.UNKNOWN),
            ("sh -c while true; do if ./due; then ./job; fi; sleep 1; done", Silence.UNKNOWN),
            ("sh -c until pg_isready; do sleep 1; done; exec gunicorn app", Silence.UNKNOWN),
            ("uvicorn main:app --reload", Silence.UNKNOWN),
        ],
    )
    def test_tells_what_a_run_is_that_ends_without_a_word(self, command: str, silence: Silence) -> None:
        assert silence_of_runs(command) is silence

    @pytest.mark.parametrize(
        ("command", "watched"),
        [
            ("watchmedo auto-restart -- celery -A shop -d x", Watched((".",), ())),
            ("watchmedo auto-restart --directory=./src -p *.py;*.toml -R -- celery", Watched(("./src",), ("*.py", "*.toml"))),
            ("watchmedo auto-restart -d a -d b --patterns='*.py' -- celery", Watched(("a", "b"), ("*.py",))),
            ("sh -c while true; do python worker.py; done", None),
        ],
    )  # fmt: skip
    def test_says_which_files_it_is_ended_for(self, command: str, watched: Watched | None) -> None:
        assert watched_by(command) == watched

    @pytest.mark.parametrize(
        "command",
        [
            "uvicorn main:app --reload",
            "watchmedo shell-command .",
            "python meanwhile.py",
            "concurrently node worker.js",
            "concurrently --restart-tries 0 node worker.js",
        ],
    )
    def test_does_not(self, command: str) -> None:
        assert not is_respawning(command)

    def test_is_that_of_the_reloader_also_while_it_is_about_to_run_its_program(self) -> None:
        commands = ["sh -c watchmedo auto-restart x", "watchmedo auto-restart x", "watchmedo auto-restart x"]

        assert innermost_respawning(enumerate(commands)) == 1


class TestTheWordsOfConcurrently:
    @pytest.mark.parametrize("prefix", ["[0] ", "[worker] ", ""])
    def test_are_not_those_of_its_program(self, prefix: str) -> None:
        own = [f"{prefix}DATABASE_URL is missing", f"{prefix}    at x (/shop/worker.js:1:1)"]
        words = [f"{prefix}node worker.js exited with code 1", f"{prefix}node worker.js restarted"]

        assert end_of([*own, *words]) is None
        assert end_of([own[0], *words]) == "DATABASE_URL is missing"


@pytest.mark.skipif(not LINUX, reason="reads /proc")
class TestAService:
    def test_that_concurrently_starts_again_and_again_is_told_with_the_cause(
        self, shop: Shop, port: int
    ) -> None:
        (shop.root / "concurrently").write_text(CONCURRENTLY)
        (shop.root / "app.py").write_text(SERVES + "raise SystemExit('no broker')")
        command = f"{sys.executable} -S -E {shop.root}/concurrently --restart-tries -1 {shop.root}/app.py"
        shop.service("app", command=command, port=port)
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "end").touch()
            told = events.until(type="phase", service="app", phase="starting")

        assert told["reason"].startswith("its reloader starts it again and again: no broker")

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
        assert mended["services"][0]["outcome"] == "live", mended["services"][0]

    @pytest.mark.parametrize("text", ["import os; os._exit(1)", "print('hello'); raise SystemExit(0)"])
    def test_that_ends_without_a_word_is_not_ready_for_any_command(self, shop: Shop, text: str) -> None:
        (shop.root / "watchmedo").write_text(WATCHMEDO)
        (shop.root / "app.py").write_text(text)
        shop.service(
            "app",
            command=f"{sys.executable} -S -E {shop.root}/watchmedo auto-restart {shop.root}/app.py",
            ready={"timeout": 30},
        )

        started = shop("start", "app", "-d")
        status = shop.status()["app"]
        waited = json.loads(shop("wait", "app", "--timeout", "30", "--json").stdout)["services"][0]
        checked = json.loads(shop("check", "--json").stdout)["services"][0]

        said = f"its reloader starts it again and again: {SILENT}"
        assert started.returncode != 0
        assert (status["phase"], status["reason"].partition("\n")[0]) == ("starting", said)
        assert (waited["outcome"], waited["reason"].partition("\n")[0]) == ("failed", said)
        assert (checked["well"], checked["detail"].partition("\n")[0]) == (False, said)

    def test_that_is_ended_by_its_reloader_with_each_file_that_is_saved_is_told_of_no_loop(
        self, shop_that_respawns: Shop
    ) -> None:
        shop, found = shop_that_respawns, list[str]()
        for number in range(2 * RUNS):
            (shop.root / "app.py").write_text(f"{SERVES}# {number}")
            for _ in range(2):
                time.sleep(0.4)
                found.append(shop.status()["app"]["reason"] or "")

        assert not [each for each in found if "again" in each]

    @pytest.mark.parametrize("loop", ["until {}; do sleep 0.2; done", "while true; do {}; sleep 0.2; done"])
    def test_in_a_loop_of_the_shell_fails_when_its_program_does(self, shop: Shop, loop: str) -> None:
        (shop.root / "app.py").write_text("import os, time; time.sleep(0.4); os._exit(3)")
        program = f"{sys.executable} -S -E {shop.root}/app.py"
        shop.service("app", command=f"sh -c '{loop.format(program)}'", ready={"timeout": 30})

        started = shop("start", "app", "-d")

        assert started.returncode != 0
        assert SILENT in shop.status()["app"]["reason"]

    def test_in_a_loop_of_the_shell_is_well_when_its_program_does_its_work_each_time(
        self, shop: Shop
    ) -> None:
        (shop.root / "app.py").write_text("import os, time; time.sleep(0.4); os._exit(0)")
        program = f"{sys.executable} -S -E {shop.root}/app.py"
        shop.service("app", command=f"sh -c 'while true; do {program}; sleep 0.2; done'")

        assert shop("start", "app", "-d").returncode == 0
        time.sleep(3)
        assert shop.status()["app"]["phase"] == "ready"


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

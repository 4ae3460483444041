"""Specifies `devinit.supervisor.readiness.crashes`: a ready service whose program crashed under its reloader is ready no more."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.diagnosis.causes import begins_again
from devinit.supervisor.diagnosis.listening import Ears, Finding, Sign
from devinit.supervisor.diagnosis.workers import BOOT_SECONDS, DeadWorker
from devinit.supervisor.readiness import crashes
from devinit.supervisor.readiness.crashes import Silence, found_down, until_down
from devinit.system.connections import waiting_clients
from devinit.system.procfs import LINUX

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop

CRASH = ["Traceback (most recent call last):", '  File "app.py", line 3', "KeyError: 'SECRET_KEY'"]
CRASHED = Finding(Sign.LAST_WORDS, "KeyError: 'SECRET_KEY'")
EXITED, KILLED = 1 << 8, 9

RELOADER = """
import os, signal, socket, sys, time
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(os.environ["PORT"])))
server.listen()
while True:
    broken, worker = os.path.exists("broken"), os.fork()
    if worker == 0:
        if broken:
            os._exit(7)
        while True:
            server.accept()[0].close()
    while os.path.exists("broken") == broken:
        time.sleep(0.02)
    if "silent" not in sys.argv:
        print("detected changes. Reloading...", flush=True)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
"""
"""Keeps listening over the death of its worker, as `uvicorn --reload` does: the kernel goes on connecting clients."""

REAPS = """
import signal, subprocess, sys
program = subprocess.Popen([sys.executable, "-S", "-E", "-c", "import time; time.sleep(1000)"])
program.wait()
signal.pause()
"""
"""Does what `tsx watch` does when a signal has ended its program: nothing."""

ENDS_WELL = """
import os, socket, time, traceback
server = socket.socket()
server.bind(("127.0.0.1", int(os.environ["PORT"])))
server.listen()
while not os.path.exists("broken"):
    time.sleep(0.02)
try:
    {last}
except KeyError:
    traceback.print_exc()
"""
"""Ends with code 0 whatever happened."""

LOADER = """
import os, signal, socket, sys, time
def listen():
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(os.environ["PORT"])))
    server.listen()
    return server
def start():
    worker = os.fork()
    if worker:
        return worker
    while os.path.exists("slow"):
        time.sleep(0.02)
    server = shared or listen()
    while True:
        server.accept()[0].close()
shared = listen() if "shared" in sys.argv else None
worker = start()
while not os.path.exists("slow"):
    time.sleep(0.02)
print("main.py changed, reloading.", flush=True)
os.kill(worker, signal.SIGKILL)
os.waitpid(worker, 0)
start()
signal.pause()
"""
"""Loads for as long as a file is there; its parent listens meanwhile, as uvicorn's does, or nothing, as of Django."""


needs_codes = pytest.mark.skipif(
    not LINUX or tuple(map(int, os.uname().release.split(".")[:2])) < (6, 15),
    reason="the kernel keeps no exit codes for pidfds",
)


def ears(
    lines: list[str], *, worker: DeadWorker | None = None, listens: bool | None = True, size: int = 0
) -> Ears:
    return Ears(
        size=lambda: size,
        last_lines=lambda count: lines[-count:],
        dead_worker=lambda _lines: worker,
        listens=lambda: listens,
    )


async def nothing_seen(_end: int) -> None:
    """Ask a service that serves."""


class TestAProof:
    def test_is_no_traceback_of_a_request(self) -> None:
        assert found_down(ears(CRASH), CRASH) is None

    def test_is_a_traceback_when_nothing_listens(self) -> None:
        assert found_down(ears(CRASH, listens=False), CRASH) == CRASHED

    def test_is_not_that_nothing_listens_alone_because_a_reload_takes_its_time(self) -> None:
        assert found_down(ears([], listens=False), [*CRASH, "app.py changed, reloading."]) is None

    def test_is_a_dead_worker_with_the_traceback_that_it_left(self) -> None:
        lines = ["INFO:     Will reload", "WARNING:  detected changes in 'app.py'. Reloading...", *CRASH]

        assert found_down(ears(lines, worker=DeadWorker(42, EXITED)), lines) == CRASHED

    @pytest.mark.parametrize(
        ("status", "said"), [(EXITED, "exited with code 1"), (KILLED, "was ended by SIGKILL")]
    )
    def test_is_a_dead_worker_without_the_words_of_an_earlier_one(self, status: int, said: str) -> None:
        lines = [*CRASH, "WARNING:  detected changes in 'app.py'. Reloading...", "INFO:     started"]

        found = found_down(ears(lines, worker=DeadWorker(42, status)), lines)

        assert found == Finding(Sign.DEAD_WORKER, f"its worker (pid 42) {said}")

    @pytest.mark.parametrize(
        ("last", "found"),
        [
            ("[nodemon] app crashed - waiting for file changes before starting...", CRASHED),
            ("[10:15:00 AM] Found 1 error. Watching for file changes.", None),
            ("the next job", None),
        ],
    )
    def test_of_a_service_without_a_port_is_that_its_reloader_says_so(
        self, last: str, found: Finding | None
    ) -> None:
        lines = [*CRASH, last]

        assert found_down(ears(lines, listens=None), lines) == found

    def test_is_nothing_that_cannot_be_looked_at(self) -> None:
        def fails() -> bool:
            raise OSError(24, "Too many open files")

        blind = Ears(size=lambda: 0, last_lines=lambda _count: CRASH, listens=fails)

        assert found_down(blind, CRASH) is None


class TestAReadyService:
    async def test_is_looked_at_when_its_log_grows_and_not_before(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(crashes, "LOOK_SECONDS", 0.005)
        grown, looks = asyncio.Event(), asyncio.Event()

        def look() -> bool:
            looks.set()
            return False

        task = asyncio.create_task(
            until_down(
                Ears(size=lambda: 7, last_lines=lambda _count: CRASH, listens=look), grown, nothing_seen
            )
        )
        await asyncio.sleep(0.05)
        assert not looks.is_set()

        grown.set()

        async with asyncio.timeout(20):
            assert await task == CRASHED

    async def test_that_goes_on_printing_is_asked_about_as_well(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(crashes, "LOOK_SECONDS", 0.005)
        monkeypatch.setattr(crashes, "NOISY_SECONDS", 0.05)
        grown, sizes, asked = asyncio.Event(), itertools.count(), list[int]()
        grown.set()

        async def ask(end: int) -> str | None:
            asked.append(end)
            return "no process accepted a connection" if len(asked) == 2 else None

        ears = Ears(size=lambda: next(sizes), last_lines=lambda _count: [" * Restarting with stat"])
        async with asyncio.timeout(2):
            found = await until_down(ears, grown, ask)

        assert found == Silence("no process accepted a connection")
        assert asked == sorted(set(asked))


@pytest.mark.skipif(not LINUX, reason="reads /proc")
class TestAReloaderWithoutASignInItsCommand:
    def test_is_believed_to_have_lost_its_worker_however_much_was_printed_since(
        self, shop: Shop, port: int
    ) -> None:
        chatter = 'print("INFO:     Started reloader process [1]" + "\\nGET / 200" * 200, flush=True)\n'
        (shop.root / "main.py").write_text(f"{chatter}{RELOADER}")
        shop.service("web", port=port, command=f"{sys.executable} -S -E {shop.root}/main.py")
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "broken").touch()
            events.until(type="phase", service="web", phase="starting")

        assert "exited with code 7" in shop.status()["web"]["reason"]


class TestAServerThatEndsWith0:
    @pytest.mark.parametrize(
        ("last", "why"),
        [("raise KeyError('SECRET_KEY')", ": KeyError: 'SECRET_KEY'"), ("print('INFO:  Finished')", "")],
    )
    def test_is_explained_by_a_crash_that_its_output_ends_with_and_by_nothing_else(
        self, shop: Shop, port: int, last: str, why: str
    ) -> None:
        """`hypercorn --reload` ends so when it cannot load the application that has changed."""
        (shop.root / "serve.py").write_text(ENDS_WELL.format(last=last))
        command = f"{sys.executable} -S -E {shop.root}/serve.py"
        shop.service("web", port=port, command=command, restart="never")
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "broken").touch()
            events.until(type="phase", service="web", phase="failed")

        assert shop.status()["web"]["reason"] == f"exited with code 0{why}"


class TestAReloaderThatReapsItsProgramAndHasNoPort:
    GONE = DeadWorker(7, None)

    @pytest.mark.parametrize(
        ("lines", "cause"), [(CRASH, "KeyError: 'SECRET_KEY'"), (["up", "no SECRET_KEY"], "no SECRET_KEY")]
    )
    def test_is_down_when_its_output_ends_with_an_error(self, lines: list[str], cause: str) -> None:
        found = found_down(ears(lines, worker=self.GONE, listens=None), lines)

        assert found == Finding(Sign.LAST_WORDS, cause)

    @pytest.mark.parametrize("lines", [["done"], [*CRASH, "3:19:06 AM [tsx] change in ./a.ts Rerunning..."]])
    def test_may_have_ended_well(self, lines: list[str]) -> None:
        assert found_down(ears(lines, worker=self.GONE, listens=None), lines) is None

    @needs_codes
    def test_is_down_when_a_signal_has_ended_its_program(self, shop: Shop) -> None:
        (shop.root / "tsx").write_text(REAPS)
        shop.service("worker", command=f"{sys.executable} -S -E {shop.root}/tsx watch app.ts")
        shop.up()
        main = shop.status()["worker"]["pid"]
        program = next(pid for pid in shop.pids("worker") if pid != main)
        time.sleep(BOOT_SECONDS)
        with shop.subscribe() as events:
            os.kill(program, signal.SIGKILL)
            told = events.until(type="phase", service="worker", phase="starting")

        assert told["reason"].splitlines() == [
            f"its worker (pid {program}) was ended by SIGKILL",
            "it runs on; tsx watch begins no program after one that a signal has ended: `devinit restart` does",
        ]
        assert shop("restart", "worker").returncode == 0


class TestARunOfAProgram:
    @pytest.mark.parametrize(
        "line",
        [
            " * Restarting with stat",
            " * Restarting with watchdog (inotify)",
            "[22:10:57] 1 change detected",
            "[22:10:57] 12 changes detected",
            "3:19:06 AM [tsx] change in ./worker.ts Rerunning...",
            "3:19:22 AM [tsx] change in ./worker.ts Restarting...",
        ],
    )
    def test_begins_with_the_words_of_flask_watchfiles_and_tsx(self, line: str) -> None:
        assert begins_again([line])


@pytest.mark.skipif(not LINUX, reason="reads /proc")
class TestAProgramThatIsReloadedAndNeverFinishesLoading:
    @pytest.mark.parametrize(
        ("socket_of", "seen"),
        [("shared", "it listens, but no process accepted a connection"), ("own", "nothing listens on port")],
    )
    def test_is_starting_for_status_check_and_wait_until_it_serves(
        self, shop: Shop, port: int, socket_of: str, seen: str
    ) -> None:
        (shop.root / "loader.py").write_text(LOADER)
        shop.service("web", port=port, command=f"{sys.executable} -S -E {shop.root}/loader.py {socket_of}")
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "slow").touch()
            events.until(type="phase", service="web", phase="starting")
            status = shop.status()["web"]
            checked = json.loads(shop("check", "--json").stdout)["services"][0]
            waited = json.loads(shop("wait", "--timeout", "0.5", "--json").stdout)["services"][0]
            (shop.root / "slow").unlink()
            events.until(type="phase", service="web", phase="ready")

        assert (status["phase"], checked["well"], waited["outcome"]) == ("starting", False, "timed out")
        assert seen in status["reason"]
        assert "`devinit restart web`" in status["reason"]
        assert waited["reason"] == status["reason"]

    def test_is_told_with_what_ends_it_when_its_time_is_over_as_well(self, shop: Shop, port: int) -> None:
        (shop.root / "loader.py").write_text(LOADER)
        command = f"{sys.executable} -S -E {shop.root}/loader.py shared"
        shop.service("web", port=port, command=command, ready={"timeout": 1})
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "slow").touch()
            events.until(type="phase", service="web", phase="starting")
            waited = json.loads(shop("wait", "--timeout", "30", "--json").stdout)["services"][0]

        assert waited["reason"].startswith("not ready after 1 s: it listens, but no process accepts")
        assert "`devinit restart web`" in waited["reason"]
        assert "when that is fixed" not in waited["reason"]


@pytest.mark.skipif(not LINUX, reason="reads /proc")
class TestAReloaderThatLosesItsWorker:
    def test_is_told_when_it_reloads_and_ready_when_a_process_accepts_connections_again(
        self, shop: Shop, port: int
    ) -> None:
        (shop.root / "reloader.py").write_text(RELOADER)
        shop.service("web", port=port, command=f"{sys.executable} -S -E {shop.root}/reloader.py --reload")
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "broken").touch()
            told = events.until(type="phase", service="web", phase="starting")
            assert events.stays_silent(3, type="phase", phase="ready")
            # One try at most waits in the queue, however long that takes.
            assert waiting_clients(port) <= 1
            (shop.root / "broken").unlink()
            events.until(type="phase", service="web", phase="ready")

        assert "exited with code 7\n" in told["reason"]
        assert waiting_clients(port) == 0

    def test_is_started_again_when_its_health_checks_are_to_do_that(self, shop: Shop, port: int) -> None:
        (shop.root / "reloader.py").write_text(RELOADER)
        shop.service(
            "web",
            port=port,
            command=f"{sys.executable} -S -E {shop.root}/reloader.py --reload",
            health={"tcp": True, "every": 0.1, "failures": 2, "timeout": 0.3, "restart_after": 12},
        )
        shop.up()
        before = shop.status()["web"]["pid"]
        with shop.subscribe() as events:
            (shop.root / "broken").touch()
            told = events.until(type="phase", service="web", phase="backoff")
            (shop.root / "broken").unlink()
            events.until(type="phase", service="web", phase="ready")

        assert told["reason"].startswith("unhealthy, 12 checks failed: ")
        assert shop.status()["web"]["pid"] != before

    def test_without_a_word_is_found_out_by_the_next_start(self, shop: Shop, port: int) -> None:
        (shop.root / "reloader.py").write_text(RELOADER)
        shop.service(
            "web", port=port, command=f"{sys.executable} -S -E {shop.root}/reloader.py silent --reload"
        )
        shop.up()
        (shop.root / "broken").touch()
        until_worker_is_dead(port)

        start = shop.begin("start")

        assert start.finish() == 1
        assert "exited with code 7\n" in start.seen[-1]["services"][0]["reason"]


def until_worker_is_dead(port: int) -> None:
    """Knock until no process answers any more."""
    while True:
        with socket.create_connection(("127.0.0.1", port)) as knock:
            knock.settimeout(0.3)
            try:
                knock.recv(1)
            except TimeoutError:
                return

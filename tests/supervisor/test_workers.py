"""Specifies `devinit.supervisor.diagnosis.workers` with real processes: the worker that a reloader has lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.diagnosis import workers
from devinit.supervisor.diagnosis.listening import Ears, found_dead, lost_worker
from devinit.supervisor.diagnosis.workers import DeadWorker, dead_worker_of, said_of
from devinit.system.procfs import LINUX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(not LINUX, reason="reads /proc")

RELOADER = """
import ctypes, os, signal, sys
words = sys.argv[1:]
other = os.fork() if "busy" in words else None
if other == 0:
    signal.pause()
worker = os.fork()
if worker == 0:
    {end}
os.waitid(os.P_PID, worker, os.WEXITED | os.WNOWAIT)
print(worker, flush=True)
signal.pause()
"""
"""Waits for the end of its worker without reaping it, as `uvicorn --reload` leaves it."""

Reloader = tuple[int, int]
"""The reloader and its worker."""


@pytest.fixture
def reloader() -> Iterator[Callable[..., Reloader]]:
    """Start a reloader whose worker ends in some way; return both processes."""
    started: list[subprocess.Popen[str]] = []

    def start(end: str, *words: str) -> Reloader:
        command = [sys.executable, "-S", "-E", "-c", RELOADER.format(end=end), *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        started.append(process)
        assert process.stdout is not None
        return process.pid, int(process.stdout.readline())

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


class TestAReloader:
    @pytest.mark.parametrize(
        ("end", "said"),
        [
            ("sys.exit('DATABASE_URL is missing')", "exited with code 1"),
            ("os._exit(7)", "exited with code 7"),
            ("os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL"),
            ("ctypes.string_at(0)", "was ended by SIGSEGV"),
        ],
    )
    def test_that_lost_its_worker_is_found_with_how_that_ended(
        self, reloader: Callable[..., Reloader], end: str, said: str
    ) -> None:
        main, worker = reloader(end, "--reload")

        found = dead_worker_of(main, [])

        assert found is not None
        assert said_of(found) == f"its worker (pid {worker}) {said}"

    def test_is_known_by_what_it_printed_as_well(self, reloader: Callable[..., Reloader]) -> None:
        main, worker = reloader("os._exit(1)")

        assert dead_worker_of(main, ["INFO:     Started reloader process [7]"]) == DeadWorker(worker, 1 << 8)

    @pytest.mark.parametrize(("listens", "is_lost"), [(None, False), (False, True), (True, True)])
    def test_whose_worker_ended_well_has_lost_it_only_where_that_should_serve(
        self, reloader: Callable[..., Reloader], listens: bool | None, is_lost: bool
    ) -> None:
        main, worker = reloader("os._exit(0)", "--reload")
        ears = Ears(
            size=lambda: 0,
            last_lines=lambda _count: [],
            dead_worker=lambda lines: dead_worker_of(main, lines),
            listens=lambda: listens,
        )

        assert lost_worker(ears, []) == (DeadWorker(worker, 0) if is_lost else None)

    def test_with_another_process_that_runs_may_still_come_up(
        self, reloader: Callable[..., Reloader]
    ) -> None:
        main, _ = reloader("os._exit(1)", "--reload", "busy")

        assert dead_worker_of(main, []) is None


class TestAReloaderThatReapsItsProgram:
    """`tsx watch` prints nothing when its program has ended: only that there is none tells."""

    PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-S', '-E', '-c', *sys.argv[1:]])"
    IDLE = "import signal; print(flush=True); signal.pause()"
    WITH_A_PROGRAM = (
        "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(999)']); "
        "print(flush=True); child.wait()"
    )
    TSX = ("/shop/node_modules/.bin/tsx", "watch", "app.ts")

    @pytest.fixture
    def watching(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
        monkeypatch.setattr(workers, "BOOT_SECONDS", 0.0)
        started: list[subprocess.Popen[bytes]] = []

        def start(program: str, *words: str) -> int:
            command = [sys.executable, "-S", "-E", "-c", self.PARENT, program, *words]
            started.append(subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True))
            assert started[-1].stdout is not None
            started[-1].stdout.readline()
            return started[-1].pid

        yield start
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    @staticmethod
    def lost(main: int, *, listens: bool | None = False) -> DeadWorker | None:
        ears = Ears(
            size=lambda: 0,
            last_lines=lambda _count: [],
            dead_worker=lambda lines: dead_worker_of(main, lines),
            listens=lambda: listens,
        )
        return lost_worker(ears, ["Set SECRET_KEY first"])

    def test_has_lost_it_when_nothing_runs_below(self, watching: Callable[..., int]) -> None:
        main = watching(self.IDLE, *self.TSX)
        while (found := self.lost(main)) is None:
            time.sleep(0.01)  # it has printed its line, and does not sleep yet

        assert said_of(found) == "its program has ended, and tsx does not print how"
        assert found_dead(found, ["Set SECRET_KEY first"]).cause == (
            f"{said_of(found)}; its last line: Set SECRET_KEY first"
        )

    @pytest.mark.parametrize("words", [("/shop/.bin/tsx", "app.ts"), ("/shop/tsx/watch", "app.ts"), ("tsx",)])
    def test_is_none_without_watching(self, watching: Callable[..., int], words: tuple[str, ...]) -> None:
        assert self.lost(watching(self.IDLE, *words)) is None

    def test_has_lost_nothing_while_its_program_runs(self, watching: Callable[..., int]) -> None:
        main = watching(self.WITH_A_PROGRAM, *self.TSX)

        # Whichever of its processes sleeps at the moment.
        assert [self.lost(main) for _ in range(20)] == [None] * 20

    def test_may_still_be_starting_in_its_first_seconds(
        self, watching: Callable[..., int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workers, "BOOT_SECONDS", 60.0)

        assert self.lost(watching(self.IDLE, *self.TSX)) is None

    @pytest.mark.parametrize("listens", [None, True])
    def test_has_ended_well_where_nothing_is_to_be_served(
        self, watching: Callable[..., int], listens: bool | None
    ) -> None:
        assert self.lost(watching(self.IDLE, *self.TSX), listens=listens) is None


class TestAnotherProgram:
    def test_that_left_a_helper_unreaped_is_not_believed_to_be_stuck(
        self, reloader: Callable[..., Reloader]
    ) -> None:
        main, _ = reloader("os._exit(1)")

        assert dead_worker_of(main, ["loading the model"]) is None

    def test_is_no_reloader_by_the_name_of_a_folder(self, reloader: Callable[..., Reloader]) -> None:
        main, _ = reloader("os._exit(1)", "/home/ada/watchshop/server.py")

        assert dead_worker_of(main, []) is None

    def test_that_is_gone_has_no_worker(self) -> None:
        assert dead_worker_of(2**22 - 1, ["reloader"]) is None

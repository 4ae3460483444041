"""Specifies `devinit.system.usage`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from devinit.system.usage import Usage, usage_of, wanted_seconds

if TYPE_CHECKING:
    from tests.system.conftest import Launcher

BUSY = """
import signal, time
while time.process_time() < 0.1:
    pass
print(flush=True)
signal.pause()
"""

FOR_A_SECOND = """
import signal, time
began = time.monotonic()
while time.monotonic() - began < 1:
    pass
print(flush=True)
signal.pause()
"""

LARGE = """
import signal
memory = bytearray(b"x" * 50_000_000)
print(flush=True)
signal.pause()
"""


class TestTheUsageOfAService:
    def test_counts_the_processor_time_of_its_processes(self, start: Launcher) -> None:
        busy = start.python(BUSY)
        busy.line()

        assert 0.09 <= usage_of([busy.pid]).cpu_seconds < 5

    def test_counts_the_time_that_they_have_waited_for_a_processor_where_that_is_asked(
        self, start: Launcher
    ) -> None:
        busy = [start.python(FOR_A_SECOND) for _ in range(4 * (os.cpu_count() or 1))]
        for each in busy:
            each.line()
        pids = [each.pid for each in busy]

        assert wanted_seconds(pids[:1]) >= (0.8 if Path("/proc/self/schedstat").exists() else 0.0)
        assert wanted_seconds(pids) >= usage_of(pids).cpu_seconds

    def test_counts_resident_memory(self, start: Launcher) -> None:
        large = start.python(LARGE)
        large.line()

        assert usage_of([large.pid]).memory_bytes > 50_000_000

    def test_is_the_sum_over_its_processes(self) -> None:
        own = os.getpid()

        assert usage_of([own, own]).memory_bytes > 1.9 * usage_of([own]).memory_bytes

    def test_is_nothing_for_what_has_ended(self, start: Launcher) -> None:
        gone = start("true")
        gone.process.wait(10)
        gone.process.returncode()

        assert usage_of([gone.pid]) == Usage(0.0, 0)

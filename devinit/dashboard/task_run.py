"""One run of a task: `devinit run NAME` in its own process, whose output goes directly into its own log.

As with services, no process stands in between: the task keeps running when the user leaves the dashboard.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from devinit.logs import MARKER
from devinit.logs.lines import Line
from devinit.logs.tail import Tail
from devinit.system.checkout import folder_with_logs
from devinit.system.facts import identity_of
from devinit.system.import_path import options
from devinit.system.process import Process
from devinit.system.regular import open_regular
from devinit.text import duration

LARGEST = 1024 * 1024
"""In bytes. When a log is larger, the next run begins a new file, and keeps the old one."""


class TaskRun:
    """A running or finished run of a task."""

    def __init__(self, root: Path, name: str) -> None:
        """Start a task. Raise OSError if its log cannot be written."""
        self.name = name
        self.log = log_of(root, name)
        self.code: int | None = None
        """Its exit code, negative for a signal; None while it runs."""
        self._began = time.monotonic()
        self._asked_to_end = False
        self._tail = Tail(name, self.log)
        with_log = open_log(self.log)
        try:
            self._tail.last(0, follow=True)
            began = f"{MARKER}{name} runs at {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} ---\n"
            os.write(with_log, began.encode())
            self._process = subprocess.Popen(
                [sys.executable, *options(), "-m", "devinit", "-C", str(root), "run", name],
                stdin=subprocess.DEVNULL,
                stdout=with_log,
                stderr=with_log,
                start_new_session=True,
            )
        finally:
            os.close(with_log)

    @property
    def seconds(self) -> float:
        """The time since it started."""
        return time.monotonic() - self._began

    def lines(self) -> Iterator[Line]:
        """Yield new output lines."""
        return self._tail.more()

    async def ended(self) -> int:
        """Wait until it ends; return the exit code."""
        if (identity := identity_of(self._process.pid)) is not None:
            # A waiting thread would keep the dashboard from exiting.
            with Process(identity) as process:
                await _until_readable(process.fileno())
        code = self._process.wait()
        said = f"exit code {code}" if code >= 0 else f"ended by signal {-code}"
        with suppress(OSError):
            descriptor = open_log(self.log, may_turn=False)
            os.write(descriptor, f"{MARKER}{self.name}: {said} after {duration(self.seconds)} ---\n".encode())
            os.close(descriptor)
        self.code = code
        return code

    def end(self) -> None:
        """Send SIGTERM; on the second call, kill the task with all processes of its group."""
        if self.code is not None or self._process.returncode is not None:
            return
        # Only `ended` reaps the process, so its pid cannot have been reused.
        with suppress(ProcessLookupError):
            if self._asked_to_end:
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                os.kill(self._process.pid, signal.SIGTERM)
        self._asked_to_end = True


async def _until_readable(descriptor: int) -> None:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)


def log_of(root: Path, name: str) -> Path:
    """Return the path of a task's log."""
    return Path(folder_with_logs(root)) / "tasks" / f"{name}.log"


def open_log(path: Path, *, may_turn: bool = True) -> int:
    """Open the log of a task for appending; begin a new one if it has become too large."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if may_turn and path.stat().st_size > LARGEST:
            path.replace(path.with_name(f"{path.name}.1"))
    return open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW)

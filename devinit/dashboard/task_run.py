"""One run of a task: `devinit run NAME` in a process of its own, whose output goes straight into a log of its own.

As with services nothing stands in between: the task goes on when the dashboard is left.
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
"""Bytes of a log from which on the next run begins a new file, and keeps the old one."""


class TaskRun:
    """A task that runs, or has run."""

    def __init__(self, root: Path, name: str) -> None:
        """Begin to run a task. Raise OSError where its log cannot be written."""
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
        """How long it has run."""
        return time.monotonic() - self._began

    def lines(self) -> Iterator[Line]:
        """Yield what it has printed since."""
        return self._tail.more()

    async def ended(self) -> int:
        """Wait for its end; return the exit code."""
        if (identity := identity_of(self._process.pid)) is not None:
            # No thread waits for it: it would keep the dashboard from being left.
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
        """Ask it to end; when it is asked again, end it and all that it has started."""
        if self.code is not None or self._process.returncode is not None:
            return
        # It is not reaped before `ended` has seen its end, so the numbers are still its own.
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
    """Return where the output of a task is kept."""
    return Path(folder_with_logs(root)) / "tasks" / f"{name}.log"


def open_log(path: Path, *, may_turn: bool = True) -> int:
    """Open the log of a task to append to it; begin a new one when it has become too large."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if may_turn and path.stat().st_size > LARGEST:
            path.replace(path.with_name(f"{path.name}.1"))
    return open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW)

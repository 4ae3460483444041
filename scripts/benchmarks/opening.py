"""How soon a start at a terminal shows something: its first picture, and the dashboard that answers keys."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import NamedTuple

from light import FIRST_PORT, Light
from lightly import CHAIN
from measuring import DEVINIT, PATIENCE_SECONDS, Checkout, Row, checkout, median, with_spread

FIRST_MILLISECONDS = 400
ROWS, COLUMNS = 40, 120
BEGINS = b"\x1b[?1004h"
"""What Textual writes before its own first picture."""
LAST_SERVICE = CHAIN[-1][0].encode()


class Opening(NamedTuple):
    """Milliseconds from the execution of the command, and what the command itself had used of a CPU then."""

    first: float
    """Until the terminal shows the services."""
    first_cpu: float
    ready: float
    """Until the dashboard has drawn its own picture, and answers keys."""
    ready_cpu: float


def opening(runs: int) -> list[Row]:
    """Open the dashboard by a start, without a supervisor and with one."""
    with checkout() as project:
        light = Light(project.root)
        light.configure(project, [(name, FIRST_PORT + n, needs) for n, (name, needs) in enumerate(CHAIN)])

        def opened() -> Opening:
            found = open_once(project)
            project.stop()
            return found

        opened()  # once for the caches
        colds = [opened() for _ in range(runs)]
        with project.supervised():
            warms = [opened() for _ in range(runs)]
    return [*rows("no supervisor yet", colds), *rows("supervisor up", warms)]


def rows(when: str, openings: list[Opening]) -> list[Row]:
    """Say how long each part took."""
    first = [each.first for each in openings]
    return [
        Row(
            f"`devinit start` at a terminal, {when}: command → its services are seen",
            with_spread(first),
            "",
            f"{FIRST_MILLISECONDS} ms",
            median(first) <= FIRST_MILLISECONDS,
        ),
        Row(
            "· CPU time of the command until then", with_spread([e.first_cpu for e in openings]), "", "", None
        ),
        Row("· until the dashboard answers keys", with_spread([e.ready for e in openings]), "", "", None),
        Row(
            "· CPU time of the command until then", with_spread([e.ready_cpu for e in openings]), "", "", None
        ),
    ]


def open_once(project: Checkout) -> Opening:
    """Start in a terminal, wait for both pictures, and leave."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    began = time.perf_counter()
    command = subprocess.Popen(
        [DEVINIT, "start"],
        cwd=project.root,
        env=project.environment | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  no threads here
    )
    os.close(its)
    first: tuple[float, float] | None = None
    ready: tuple[float, float] | None = None
    seen = b""
    while ready is None:
        seen += os.read(ours, 65536)
        now = (time.perf_counter() - began) * 1000
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise SystemExit(f"no dashboard: {seen!r}")
        if first is None and LAST_SERVICE in seen:
            first = now, cpu_milliseconds(command.pid)
        if LAST_SERVICE in seen.partition(BEGINS)[2]:
            ready = now, cpu_milliseconds(command.pid)
    os.write(ours, b"q")
    leave(command, ours)
    return Opening(*(first or ready), *ready)


def leave(command: subprocess.Popen[bytes], ours: int) -> None:
    """Read what it still shows until it has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while os.read(ours, 65536):
            if time.monotonic() > deadline:
                command.send_signal(signal.SIGKILL)
    except OSError:
        pass  # it has ended: nothing has the other side any more
    command.wait()
    os.close(ours)


def cpu_milliseconds(pid: int) -> float:
    """Return what all threads of a process have used so far, by the kernel's own accounting."""
    found = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        found += int((thread / "schedstat").read_text().split()[0])
    return found / 1_000_000

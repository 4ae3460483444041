"""The plain stream: lines on the bare terminal, with its own scrolling, searching and selecting."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from devinit.dashboard.lines.line import LogLine
from devinit.logs import log_path
from devinit.logs.follow import Follower
from devinit.logs.secrets import mask_of
from devinit.logs.tail import Tail
from devinit.masking import masked
from devinit.system import terminal
from devinit.text import pad, width

LINES_BEFORE = 500
WAIT_SECONDS = 1.0


def stream(lines: Sequence[LogLine], root: Path, service: str | None, services: Sequence[str]) -> None:
    """Print lines and new output, until Ctrl-C."""
    names = [service] if service is not None else list(services)
    wide = max(map(width, names), default=0) + 2 if service is None else 0
    write([f"{name_of(line.service, wide)}{line.coloured}" for line in lines[-LINES_BEFORE:]])
    write(["\x1b[2m── Ctrl-C goes back to the dashboard ──\x1b[0m"])
    tails = [Tail(name, log_path(root, name)) for name in names]
    for tail in tails:
        tail.last(1, follow=True)
    mask = mask_of(root)
    # asyncio would end the whole program on Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt), Follower(tails, lambda text: write([text])) as follower:
            while True:
                write((f"{name_of(name, wide)}{line.text}" for name, line in follower.lines()), mask)
                follower.wait(WAIT_SECONDS)
    finally:
        signal.signal(signal.SIGINT, before)


def name_of(service: str, wide: int) -> str:
    """Return the prefix with a service's name, if several are shown."""
    return pad(service, wide) if wide else ""


def write(lines: Iterable[str], mask: Callable[[str], str] = masked) -> None:
    """Write lines to the terminal while the dashboard is suspended."""
    if sys.__stdout__ is not None:
        terminal.write(sys.__stdout__, lines, mask, links=True)

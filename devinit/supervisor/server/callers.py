"""Descriptions of clients that send orders, to explain later why a service stopped."""

from __future__ import annotations

import time

from devinit.system.procfs import command_line_of, terminal_of
from devinit.text import one_line, shortened

LONGEST_COMMAND = 80


def stopped_by(pid: int, at: float | None = None) -> str:
    """Describe which client stopped a service, in which terminal, and at what time of day."""
    when = time.strftime("%H:%M:%S", time.localtime(at))
    if not pid:
        return f"stopped at {when}"
    where = f", {terminal}" if (terminal := terminal_of(pid)) else ""
    return f"stopped by {command_of(pid)} (pid {pid}{where}) at {when}"


def command_of(pid: int) -> str:
    """Return a client's command as typed: without the interpreter and the folder."""
    words = command_line_of(pid).split(" ")
    names = [number for number, word in enumerate(words) if word.rpartition("/")[2] == "devinit"]
    if not names:
        return "another program"
    own = words[names[0] + 1 :]
    if own[:1] == ["-C"]:
        own = own[2:]
    return f"`{shortened(one_line(' '.join(['devinit', *own])), LONGEST_COMMAND)}`"

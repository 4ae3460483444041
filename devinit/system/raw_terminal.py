"""The terminal that a command runs in, while it is lent to another program: each key at once, nothing echoed."""

from __future__ import annotations

import os
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from devinit.system.terminal import lend

INPUT = 0


@contextmanager
def raw_terminal() -> Iterator[None]:
    """Pass on each key as it is pressed, Ctrl-C and Ctrl-Z as well, and put the terminal in order at the end."""
    before = termios.tcgetattr(INPUT)
    make_raw()
    try:
        yield
    finally:
        # What was typed and not read is not meant for the shell.
        with suppress(termios.error, OSError):
            termios.tcsetattr(INPUT, termios.TCSAFLUSH, before)


def make_raw() -> None:
    """Pass on each key as it is pressed, also after a shell has had the terminal meanwhile."""
    tty.setraw(INPUT, termios.TCSANOW)


def show(data: bytes) -> None:
    """Show something in the terminal; it may be gone."""
    with suppress(OSError):
        lend(data)


def size() -> tuple[int, int]:
    """Return its rows and columns; 0 and 0 where it does not know."""
    try:
        found = os.get_terminal_size(1)
    except OSError:
        return 0, 0
    return found.lines, found.columns

"""The command's own terminal while another program uses it: keys are passed on at once, without echo."""

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
    """Pass on each key when it is pressed, including Ctrl-C and Ctrl-Z; restore the terminal at the end."""
    before = termios.tcgetattr(INPUT)
    make_raw()
    try:
        yield
    finally:
        # Typed input that was not read is not meant for the shell.
        with suppress(termios.error, OSError):
            termios.tcsetattr(INPUT, termios.TCSAFLUSH, before)


def make_raw() -> None:
    """Pass on each key when it is pressed; also needed after a shell has used the terminal."""
    tty.setraw(INPUT, termios.TCSANOW)


def show(data: bytes) -> None:
    """Write output to the terminal, unless it is gone."""
    with suppress(OSError):
        lend(data)


def size() -> tuple[int, int]:
    """Return rows and columns of the terminal; 0 and 0 if unknown."""
    try:
        found = os.get_terminal_size(1)
    except OSError:
        return 0, 0
    return found.lines, found.columns
